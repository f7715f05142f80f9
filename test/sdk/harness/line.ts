// The line between a client and the service.

import type { FetchLike } from "@chronos-edge/sdk";

/** A test can see what is sent, and cut what it likes. */
export function line(isCut: (path: string) => boolean = () => false) {
  const sent: string[] = [];
  const through: FetchLike = (url, init) => {
    const { pathname } = new URL(url);
    sent.push(pathname);
    if (isCut(pathname)) throw new TypeError("the line is cut");
    return fetch(url, init);
  };
  return { sent, fetch: through };
}
