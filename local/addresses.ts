// The addresses a server listens at, and how this machine and others call it there.
import { BlockList, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/** Serves this machine alone. */
export const LOOPBACK = "127.0.0.1";

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** @param host an IP address */
export const isLoopback = (host: string): boolean => loopback.check(host, isIPv6(host) ? "ipv6" : "ipv4");

const UNSPECIFIED: Record<string, string> = { "0.0.0.0": LOOPBACK, "::": "::1" };

/** The origin under which this machine reaches a server that listens at `host`. */
export const originOf = (host: string, port: number): string => `http://${inUrl(UNSPECIFIED[host] ?? host)}:${port}`;

/** Every `host:port` that reaches a server listening at `host`. */
export function ownNames(host: string, port: number): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const reached = host in UNSPECIFIED ? all.map(({ address }) => address) : [];
  return [...new Set([host, ...reached])].map((address) => `${inUrl(address)}:${port}`);
}

/** An IP address as a URL has it. */
export const inUrl = (address: string): string => (isIPv6(address) ? `[${address}]` : address);
