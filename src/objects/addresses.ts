// Where objects are found, and how they are spoken to. The names are permanent: they are the addresses of stored state.

import { nameOfDatabase } from "../domain/databases.ts";
import type { Unavailable } from "../domain/refusal.ts";
import { err, ok, type Result } from "../domain/result.ts";
import type { BulkActionRef } from "../store/bulk-actions-store.ts";
import type { FlowRef } from "../store/flows-store.ts";
import type { JobRef } from "../store/jobs-store.ts";
import type { ScheduleRef } from "../store/schedules-store.ts";
import { within } from "../store/time-limit.ts";
import type { AccountMover, BulkActionOwner, FlowOwner, JobOwner, ScheduleOwner } from "./owners.ts";

/** One object per job. The account is part of the name, so another account's id leads nowhere. */
export const jobAt = (env: Cloudflare.Env, { accountId, jobId }: JobRef): JobOwner =>
  env.JOBS.getByName(`${accountId}/${jobId}`, placed(env));

export const scheduleAt = (env: Cloudflare.Env, { accountId, scheduleId }: ScheduleRef): ScheduleOwner =>
  env.SCHEDULES.getByName(`${accountId}/${scheduleId}`);

export const bulkActionAt = (env: Cloudflare.Env, { accountId, bulkActionId }: BulkActionRef): BulkActionOwner =>
  env.BULK_ACTIONS.getByName(`${accountId}/${bulkActionId}`, placed(env));

/** One for each key that an account gives its jobs: the jobs of an account that defines none cost a call each, and leave nothing. */
export const flowAt = (env: Cloudflare.Env, { accountId, key }: FlowRef): FlowOwner =>
  env.FLOWS.getByName(`${accountId}/${key}`, placed(env));

/** One waiting room for each account and handler, so that an account's throughput is not that of one object. */
export const pullQueueAt = (env: Cloudflare.Env, accountId: string, handler: string) =>
  env.PULL_QUEUES.getByName(`${accountId}/${handler}`);

/** Whoever moves an account to another database. */
export const accountMoveOf = (env: Cloudflare.Env, accountId: string): AccountMover =>
  env.ACCOUNT_MOVES.getByName(accountId, placed(env));

/** The one writer of a database's reports. */
export const projectorOf = (env: Cloudflare.Env, database: number) =>
  env.PROJECTORS.getByName(nameOfDatabase(database), placed(env));

/**
 * Where jobs and projectors are made. Without a hint an object lives where its first call came from: for a job that the cron takes
 * up, wherever that ran.
 */
const placed = (env: Cloudflare.Env): DurableObjectNamespaceGetDurableObjectOptions =>
  env.LOCATION_HINT ? { locationHint: env.LOCATION_HINT as DurableObjectLocationHint } : {};

/** How long a call to an object may take before its caller is told to come back. */
const ANSWER_TIMEOUT_MS = 25_000;

/** Calls an object once. What the platform throws (a reset, a deploy, overload) becomes a refusal. */
export async function ask<T>(call: () => Promise<T>, patienceMs = ANSWER_TIMEOUT_MS): Promise<Result<T, Unavailable>> {
  try {
    return ok(await within(patienceMs, call));
  } catch {
    return err({ code: "unavailable", retryAfterSeconds: 5 });
  }
}

/** The same for what may be said twice: a passing fault is tried once more. `call` must make its own stub. */
export async function askAgain<T>(call: () => Promise<T>): Promise<Result<T, Unavailable>> {
  try {
    return ok(await within(ANSWER_TIMEOUT_MS, call));
  } catch (fault) {
    return isPassing(fault) ? ask(call) : err({ code: "unavailable", retryAfterSeconds: 5 });
  }
}

/** Asks an owner that may refuse: its refusal and the platform's come out as one. */
export async function askOwner<T, R>(
  call: () => Promise<Result<T, R>>,
  patienceMs = ANSWER_TIMEOUT_MS,
): Promise<Result<T, R | Unavailable>> {
  const answer = await ask(call, patienceMs);
  return answer.ok ? answer.value : answer;
}

/** The platform marks what may be tried again at once; an overloaded object never is. */
const isPassing = (thrown: unknown): boolean =>
  typeof thrown === "object" &&
  thrown !== null &&
  "retryable" in thrown &&
  thrown.retryable === true &&
  !isOverloaded(thrown);

/** The object has more to do than it can: whatever else it is asked makes that worse. */
export const isOverloaded = (thrown: unknown): boolean =>
  typeof thrown === "object" && thrown !== null && "overloaded" in thrown && thrown.overloaded === true;
