// Where a push may go: public https hosts only. Checked when a job is created and again at every attempt. Names are
// judged as names: what a public name resolves to cannot be pinned on Workers, `global_fetch_strictly_public` guards that.

import ipaddr from "ipaddr.js";
import { err, ok, type Result } from "./result.ts";
import { lengthOf } from "./text.ts";

export interface TargetRules {
  /** Development only: http and local hosts are allowed. */
  readonly allowLocal: boolean;
  /** The service's own names, as `host` or `host:port`: a job may not call it. One name of this machine stands for all. */
  readonly ownHosts: readonly string[];
}

export const MAX_URL_LENGTH = 8_192;

/**
 * Names that lead nowhere public: reserved ones (RFC 2606, 6761, 6762, 7686, 8375, 9476, ICANN's `internal`), and those that
 * private networks, routers and clusters make up. `example` is left out: it resolves nowhere, and examples use it.
 */
const LOCAL_SUFFIXES: ReadonlySet<string> = new Set([
  ...["alt", "arpa", "invalid", "local", "localhost", "onion", "test"],
  ...["corp", "home", "internal", "intranet", "lan", "localdomain", "mail", "private", "workgroup"],
  ...["consul", "novalocal", "openstacklocal", "svc"],
]);

/** Public names whose address is a cloud's metadata service, 169.254.169.254 or its like. */
const METADATA_HOSTS: ReadonlySet<string> = new Set(["metadata.goog", "metadata.tencentyun.com"]);

/**
 * Addresses in public ranges that lead to a cloud's own services from within it. The others, such as 169.254.169.254,
 * 100.100.100.200, 192.0.0.192 and fd00:ec2::254, lie in ranges that are not public.
 */
const CLOUD_ADDRESSES: readonly [ipaddr.IPv4, number][] = [
  ipaddr.IPv4.parseCIDR("168.63.129.16/32"), // Azure's host
  ipaddr.IPv4.parseCIDR("161.26.0.0/16"), // IBM Cloud's infrastructure
  ipaddr.IPv4.parseCIDR("166.8.0.0/14"), // IBM Cloud's service endpoints
];

/** What the URL parser leaves out without a word, so that another URL would be fetched than the one that is shown. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const DROPPED = /[\x00-\x1f]|^ | $/;

/** @returns the URL as it will be fetched, or what is wrong with it in words for its owner */
export function checkTarget(text: string, { allowLocal, ownHosts }: TargetRules): Result<URL, string> {
  if (lengthOf(text) > MAX_URL_LENGTH) return err(`Must be at most ${MAX_URL_LENGTH} characters long.`);
  if (DROPPED.test(text))
    return err("Must not contain tabs, line breaks or control characters, nor begin or end with a blank.");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return err("Must be an absolute URL, such as https://example.com/jobs.");
  if (url.protocol !== "https:" && !(allowLocal && url.protocol === "http:")) return err("Must be an https:// URL.");
  if (url.username !== "" || url.password !== "")
    return err("Must not contain a user name or password; send an Authorization header instead.");
  if (isOwn(url, ownHosts)) return err("Must not be this service itself.");
  if (!allowLocal && !isPublicHost(url.hostname))
    return err("Must be a public host: private, loopback, link-local and reserved addresses and names are refused.");
  return ok(url);
}

/** @param ownHosts in any spelling the URL parser takes: a name in another script counts as its punycode */
function isOwn(url: URL, ownHosts: readonly string[]): boolean {
  const name = ownName(url.hostname);
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  return ownHosts.some((own) => {
    const [, host = own, ownPort = port] = /^(.*?)(?::(\d+))?$/.exec(own) ?? [];
    return ownName(canonical(host)) === name && ownPort === port;
  });
}

const withoutRoot = (host: string): string => host.replace(/\.$/, "");

function canonical(host: string): string {
  const url = `https://${host}`;
  return URL.canParse(url) ? new URL(url).hostname : host;
}

/** One spelling for each host: all of loopback is `localhost`. */
function ownName(host: string): string {
  const name = withoutRoot(host);
  return isThisMachine(name) ? "localhost" : name;
}

/** `0.0.0.0` and `::` are answered by this machine, too. */
function isThisMachine(name: string): boolean {
  const address = addressOf(name);
  if (!address) return LOOPBACK_NAMES.test(name);
  const meant = address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
  return ["loopback", "unspecified"].includes(meant.range());
}

/** What ends in a letter and has no colon is a name: asked for each, the library would throw twice and catch it. */
const MAY_BE_ADDRESS = /:|\d$/;

/** @returns nothing for a name */
function addressOf(host: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  const address = host.replace(/^\[|\]$/g, "");
  return MAY_BE_ADDRESS.test(address) && ipaddr.isValid(address) ? ipaddr.parse(address) : undefined;
}

/** What RFC 6761 and the usual /etc/hosts say. */
const LOOPBACK_NAMES = /^(.*\.)?localhost$|^localhost\.localdomain$|^localhost[46]$|^ip6-(localhost|loopback)$/;

/** @param host as the URL parser writes it: IPv4 in dotted form whatever the spelling, IPv6 in brackets, lower case */
function isPublicHost(host: string): boolean {
  const address = addressOf(host);
  if (address) return isPublicAddress(address);
  const name = withoutRoot(host);
  const labels = name.split(".");
  if (labels.length < 2 || labels.includes("")) return false;
  return !LOCAL_SUFFIXES.has(labels.at(-1) ?? "") && !METADATA_HOSTS.has(name);
}

/** Only plain unicast: mapped, NAT64, 6to4 and tunnelled forms are refused whatever they wrap. */
function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== "unicast") return false;
  if (address instanceof ipaddr.IPv4) return !CLOUD_ADDRESSES.some((range) => address.match(range));
  return GLOBAL_UNICAST.some(([net, bits]) => address.match(net, bits));
}

/** 2000::/3 is all of IPv6 that is routed; `unicast` alone would let the unassigned rest through. */
const GLOBAL_UNICAST: readonly [ipaddr.IPv6, number][] = [[ipaddr.IPv6.parse("2000::"), 3]];
