// Gives every request its id and every answer one log line.

import { createMiddleware } from "hono/factory";
import { log } from "../log.ts";
import type { AppEnv, Platform } from "./app-env.ts";

export const requestLog = (platform: Platform) =>
  createMiddleware<AppEnv>(async (c, next) => {
    const startedAt = platform.now();
    const requestId = platform.newId();
    c.set("platform", platform);
    c.set("requestId", requestId);
    await next();
    c.header("X-Request-Id", requestId);
    log(c.res.status >= 500 ? "error" : "info", "request", {
      request_id: requestId,
      method: c.req.method,
      path: c.req.path.slice(0, 200),
      status: c.res.status,
      duration_ms: platform.now() - startedAt,
      account_id: c.get("account")?.id,
      code: c.get("code"),
    });
  });
