// The service's own address, as the client sees it.

import type { AppContext } from "./app-env.ts";

/** A proxy that ends TLS says so. Whoever lies about it harms nobody but themselves. */
export const isSecure = (c: AppContext): boolean =>
  new URL(c.req.url).protocol === "https:" || c.req.header("X-Forwarded-Proto") === "https";

export const originOf = (c: AppContext): string => `${isSecure(c) ? "https" : "http"}://${new URL(c.req.url).host}`;
