// The platform's rate limiter, per API key. It tells yes or no and not when: a whole period is the honest answer.

import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";
import { ApiError } from "./errors.ts";

const PERIOD_SECONDS = 10;

/** Workers have a limit of their own: a busy one reports more often than anybody makes jobs. */
export const rateLimited = createMiddleware<AppEnv>(async (c, next) => {
  const limiter = c.req.path.startsWith("/v1/worker/") ? c.env.WORKER_RATE_LIMIT : c.env.API_RATE_LIMIT;
  const { success } = await limiter.limit({ key: c.var.keyId });
  if (!success)
    throw new ApiError("rate_limit_exceeded", "Too many requests with this API key. Please slow down.", {
      headers: { "Retry-After": String(PERIOD_SECONDS) },
    });
  await next();
});
