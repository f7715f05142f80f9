// Gives every request its id, and every answer one log line and the headers that all answers carry.

import { createMiddleware } from "hono/factory";
import { log } from "../log.ts";
import type { AppEnv, Platform } from "./app-env.ts";

const MAX_PATH_LENGTH = 200;

/** The path as it was sent. Decoded, it could hold control characters, which act on the terminal that shows the log. */
const sentPath = (url: string): string | undefined => URL.parse(url)?.pathname;

export const requestLog = (platform: Platform) =>
  createMiddleware<AppEnv>(async (c, next) => {
    if (c.get("requestId")) return next(); // the router calls its middleware twice for `OPTIONS *`
    const startedAt = platform.now();
    const requestId = platform.newId();
    c.set("platform", platform);
    c.set("requestId", requestId);
    await next();
    c.header("X-Request-Id", requestId);
    c.header("X-Content-Type-Options", "nosniff");
    if (!c.res.headers.has("Cache-Control")) c.header("Cache-Control", "no-store");
    log(c.res.status >= 500 ? "error" : "info", "request", {
      request_id: requestId,
      method: c.req.method,
      path: sentPath(c.req.url)?.slice(0, MAX_PATH_LENGTH),
      status: c.res.status,
      duration_ms: platform.now() - startedAt,
      account_id: c.get("account")?.id,
      code: c.get("code"),
    });
  });
