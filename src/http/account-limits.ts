// What an account may have at a time, asked before it gets more: jobs, schedules and claims that wait.

import { databaseOf } from "../accounts/home.ts";
import { OpenPolls } from "../accounts/open-polls.ts";
import { RECOUNT_MS, WaitingJobs } from "../accounts/waiting-jobs.ts";
import { ACCOUNT_LIMITS, type AccountLimit, accountLimit } from "../domain/account-limits.ts";
import { countLiveJobs } from "../store/live-jobs.ts";
import type { AppContext } from "./app-env.ts";
import { ApiError } from "./errors.ts";

const waitingJobs = new WaitingJobs();
const openPolls = new OpenPolls();

/** A claim that was refused may come again this soon: polls end all the time. */
const POLL_AGAIN_SECONDS = 5;

/** A setting that makes no sense is named by /health; until it is right, the default holds. */
export const limitOf = (env: Cloudflare.Env, name: AccountLimit): number =>
  accountLimit(name, env[name]) ?? ACCOUNT_LIMITS[name];

/** @throws ApiError when the account has too many jobs that have not ended for so many more */
export async function mustHaveRoomFor(c: AppContext, jobs: number): Promise<void> {
  const limit = limitOf(c.env, "MAX_WAITING_JOBS");
  const { id } = c.var.account;
  const looking = {
    clock: c.var.platform.now,
    count: () => countLiveJobs(databaseOf(c.env, id), id),
    later: (work: Promise<unknown>) => c.executionCtx.waitUntil(work),
  };
  if (await waitingJobs.mayMake(id, jobs, limit, looking)) return;
  throw new ApiError(
    "job_limit_reached",
    `An account may have ${limit} jobs that have not ended. Create more once some have ended.`,
    { headers: { "Retry-After": String(RECOUNT_MS / 1_000) } },
  );
}

export const tooManySchedules = (limit: number): ApiError =>
  new ApiError(
    "schedule_limit_reached",
    `An account may have ${limit} active and paused schedules. Archive one first.`,
  );

/**
 * @returns what to call when the claim has its answer
 * @throws ApiError when as many claims of the account wait as may
 */
export function openPoll(c: AppContext, pollId: string, waitMs: number): () => void {
  const limit = limitOf(c.env, "MAX_OPEN_POLLS");
  const close = openPolls.open(c.var.account.id, pollId, waitMs, limit, c.var.platform.now);
  if (close) return close;
  throw new ApiError(
    "poll_limit_reached",
    `An account may have ${limit} claims that wait for a job. Let fewer workers poll, or claim with \`wait_time_seconds\` 0.`,
    { headers: { "Retry-After": String(POLL_AGAIN_SECONDS) } },
  );
}
