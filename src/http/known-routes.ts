// A path nobody serves is 404 and a method nobody serves there is 405, before anything else is asked of the caller. The
// endpoint that is called is found here, once.

import type { Hono } from "hono";
import { createMiddleware } from "hono/factory";
import { METHOD_NAME_ALL } from "hono/router";
import { TrieRouter } from "hono/router/trie-router";
import type { AppEnv } from "./app-env.ts";
import { ApiError } from "./errors.ts";

/** @param app read on the first request, when all its routes are mounted */
export function knownRoutes(app: Hono<AppEnv>) {
  let router: TrieRouter<Endpoint> | undefined;
  return createMiddleware<AppEnv>(async (c, next) => {
    if (!isAddress(c.req.url, c.req.header("Host")))
      throw new ApiError("bad_request", "The `Host` header and the path make no valid URL.");
    router ??= routerOf(app);
    const endpoints = router.match(METHOD_NAME_ALL, c.req.path)[0].map(([endpoint]) => endpoint);
    if (endpoints.length === 0) throw notFound();
    const wanted = c.req.method === "HEAD" ? "GET" : c.req.method;
    const called = endpoints.find(({ method }) => method === wanted);
    if (called) {
      c.set("route", `${called.method} ${called.path}`);
      return next();
    }
    const methods = new Set(endpoints.map(({ method }) => method));
    if (methods.has("GET")) methods.add("HEAD");
    throw new ApiError("method_not_allowed", `${c.req.method} is not served here.`, {
      headers: { Allow: [...methods].sort().join(", ") },
    });
  });
}

/**
 * The platform joins the header `Host` and the path without a look. A host such as `a?b` would make another path of it: the
 * log would name one path, and the router serve another.
 */
const isAddress = (url: string, host = ""): boolean => URL.canParse(url) && /^[\w.:[\]-]*$/.test(host);

interface Endpoint {
  readonly method: string;
  readonly path: string;
}

/** Middleware is registered for all methods; what is left are the endpoints. */
function routerOf(app: Hono<AppEnv>): TrieRouter<Endpoint> {
  const router = new TrieRouter<Endpoint>();
  for (const { method, path } of app.routes)
    if (method !== METHOD_NAME_ALL) router.add(METHOD_NAME_ALL, path, { method, path });
  return router;
}

export const notFound = (): ApiError => new ApiError("not_found", "There is nothing at this path.");
