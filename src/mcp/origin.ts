// Which pages may speak to us from a browser. A page elsewhere can make a name of its own lead to this machine (DNS
// rebinding); the header `Origin`, which no page can forge, still names the page.

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];

/** @param ownHosts the service's names, with or without a port */
export function isWelcome(origin: string | undefined, ownHosts: readonly string[]): boolean {
  if (origin === undefined) return true; // no browser
  const page = URL.parse(origin);
  if (!page) return false;
  return LOOPBACK.includes(page.hostname) || ownHosts.includes(page.hostname) || ownHosts.includes(page.host);
}
