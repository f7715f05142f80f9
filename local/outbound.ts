// Limits the addresses that the Worker's own requests reach. The target rules judge a name as a name; which addresses it resolves to is known
// only when the connection is made. workerd checks that there, so a name that leads into a private network is refused, also
// when it did not a moment before.
import { readFileSync } from "node:fs";
import { ownModule } from "./own-module.ts";
import type { Settings } from "./settings.ts";

/** Ranges that workerd counts as public and the target rules do not (domain/target.ts). The most specific range decides. */
const NOT_PUBLIC = [
  "0.0.0.0/8",
  "192.0.2.0/24", // examples
  "192.88.99.0/24", // relays of 6to4
  "198.18.0.0/15", // benchmarks
  "198.51.100.0/24", // examples
  "203.0.113.0/24", // examples
  "168.63.129.16/32", // Azure's host
  "161.26.0.0/16", // IBM Cloud's infrastructure
  "166.8.0.0/14", // IBM Cloud's service endpoints
  "::/3", // mapped, NAT64 and other forms that wrap an address
  "2001::/23", // Teredo and other protocols
  "2001:db8::/32", // examples
  "2002::/16", // 6to4
  "3fff::/20", // examples
  "4000::/2",
  "8000::/1",
];

const NAME = "outbound";

/** The Worker that stands between the service and the network, when there is one, and how the service is bound to it. */
export function outboundTo(targets: Settings["targets"], compatibilityDate: string) {
  if (targets === "any") return { outbound: {}, workers: [] };
  const tlsOptions = { trustBrowserCas: true, trustedCertificates: extraCertificates() };
  const worker = {
    name: NAME,
    compatibilityDate,
    ...ownModule("outbound.worker.js"),
    serviceBindings: { PUBLIC: { network: { allow: ["public"], deny: NOT_PUBLIC, tlsOptions } } },
  };
  return { outbound: { outboundService: NAME }, workers: [worker] };
}

/** Those of NODE_EXTRA_CA_CERTS, as Miniflare trusts them for targets of any kind. */
function extraCertificates(): string[] {
  const path = process.env.NODE_EXTRA_CA_CERTS;
  if (!path) return [];
  try {
    return readFileSync(path, "utf8").match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? [];
  } catch {
    return []; // Node itself has warned of it
  }
}
