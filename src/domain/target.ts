// Where a push may go: public https hosts only. Checked when a job is created and again at every attempt. Names are
// judged as names: what a public name resolves to cannot be pinned on Workers, `global_fetch_strictly_public` guards that.

import ipaddr from "ipaddr.js";
import { err, ok, type Result } from "./result.ts";

export interface TargetRules {
  /** Development only: http and local hosts are allowed. */
  readonly allowLocal: boolean;
  /** The service's own names, as `host` or `host:port`: a job may not call it. One name of this machine stands for all. */
  readonly ownHosts: readonly string[];
}

export const MAX_URL_LENGTH = 8_192;

/** Names that never leave a machine or a private network (RFC 6761, 6762, 8375 and ICANN's reserved `internal`). */
const LOCAL_SUFFIXES = ["localhost", "local", "internal", "localdomain", "home.arpa", "lan", "intranet", "corp"];

/** @returns the URL as it will be fetched, or what is wrong with it in words for its owner */
export function checkTarget(text: string, { allowLocal, ownHosts }: TargetRules): Result<URL, string> {
  if (text.length > MAX_URL_LENGTH) return err(`Must be at most ${MAX_URL_LENGTH} characters long.`);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) return err("Must be an absolute URL, such as https://example.com/jobs.");
  if (url.protocol !== "https:" && !(allowLocal && url.protocol === "http:")) return err("Must be an https:// URL.");
  if (url.username !== "" || url.password !== "")
    return err("Must not contain a user name or password; send an Authorization header instead.");
  if (isOwn(url, ownHosts)) return err("Must not be this service itself.");
  if (!allowLocal && !isPublicHost(url.hostname))
    return err("Must be a public host: private, loopback, link-local and reserved addresses are refused.");
  return ok(url);
}

function isOwn(url: URL, ownHosts: readonly string[]): boolean {
  const name = ownName(url.hostname);
  const withPort = `${name}:${url.port || (url.protocol === "https:" ? "443" : "80")}`;
  return ownHosts.map(ownName).some((own) => own === name || own === withPort);
}

/** @param host with or without a port @returns it in one spelling, which for all of loopback is `localhost` */
function ownName(host: string): string {
  const [, name = "", port = ""] = /^(.*?)\.?(:\d+)?$/.exec(host) ?? [];
  return (isThisMachine(name) ? "localhost" : name) + port;
}

/** `0.0.0.0` and `::` are answered by this machine, too. */
function isThisMachine(name: string): boolean {
  const address = name.replace(/^\[|\]$/g, "");
  if (!ipaddr.isValid(address)) return LOOPBACK_NAMES.test(name);
  const parsed = ipaddr.parse(address);
  const meant = parsed instanceof ipaddr.IPv6 && parsed.isIPv4MappedAddress() ? parsed.toIPv4Address() : parsed;
  return ["loopback", "unspecified"].includes(meant.range());
}

/** What RFC 6761 and the usual /etc/hosts say. */
const LOOPBACK_NAMES = /^(.*\.)?localhost$|^localhost\.localdomain$|^localhost[46]$|^ip6-(localhost|loopback)$/;

/** @param host as the URL parser writes it: IPv4 in dotted form whatever the spelling, IPv6 in brackets, lower case */
function isPublicHost(host: string): boolean {
  const address = host.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(address)) return isPublicAddress(ipaddr.parse(address));
  const name = host.replace(/\.$/, "");
  if (!name.includes(".") || name.endsWith(".")) return false;
  return !LOCAL_SUFFIXES.some((suffix) => name === suffix || name.endsWith(`.${suffix}`));
}

/** Only plain unicast: mapped, NAT64, 6to4 and tunnelled forms are refused whatever they wrap. */
function isPublicAddress(address: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (address.range() !== "unicast") return false;
  return address.kind() === "ipv4" || GLOBAL_UNICAST.some(([net, bits]) => address.match(net, bits));
}

/** 2000::/3 is all of IPv6 that is routed; `unicast` alone would let the unassigned rest through. */
const GLOBAL_UNICAST: readonly [ipaddr.IPv6, number][] = [[ipaddr.IPv6.parse("2000::"), 3]];
