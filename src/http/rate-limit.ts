// The platform's rate limiters, per API key and per account: a key can mint others. They say yes or no and not when: a whole
// period is the honest answer.

import { createMiddleware } from "hono/factory";
import type { AppEnv } from "./app-env.ts";
import { ApiError } from "./errors.ts";

const PERIOD_SECONDS = 10;

/** Workers have a limit of their own: a busy one reports more often than anybody makes jobs. */
export const rateLimited = createMiddleware<AppEnv>(async (c, next) => {
  const { env } = c;
  const [ofKey, ofAccount] = c.req.path.startsWith("/v1/worker/")
    ? [env.WORKER_RATE_LIMIT, env.ACCOUNT_WORKER_RATE_LIMIT]
    : [env.API_RATE_LIMIT, env.ACCOUNT_RATE_LIMIT];
  // One after the other: what is refused to a key does not use up its account's share.
  if (!(await ofKey.limit({ key: c.var.key.id })).success)
    throw tooMany("Too many requests with this API key. Please slow down.");
  if (!(await ofAccount.limit({ key: c.var.account.id })).success)
    throw tooMany("Too many requests with all API keys of this account together. Please slow down.");
  await next();
});

export const tooMany = (message: string): ApiError =>
  new ApiError("rate_limit_exceeded", message, { headers: { "Retry-After": String(PERIOD_SECONDS) } });
