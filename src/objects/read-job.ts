// Reading one job: its owner is asked first and the row second, never the other way round.

import { type Execution, type ExecutionView, executionViewOf, type JobView } from "../domain/job.ts";
import type { JobRefusal } from "../domain/refusal.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { readExecutions } from "../projection/executions-store.ts";
import { type JobRef, readJob } from "../projection/jobs-store.ts";
import { viewOfRow } from "../projection/rows.ts";
import { databaseOf } from "../projection/store.ts";
import { askAgain, jobAt } from "./addresses.ts";

/** The job as its owner knows it at this moment. */
export async function currentJob(env: Cloudflare.Env, ref: JobRef): Promise<Result<JobView, JobRefusal>> {
  const live = await askAgain(() => jobAt(env, ref).get());
  if (!live.ok) return live;
  return live.value ? ok(live.value) : recordedJob(env, ref);
}

/** The executions numbered from `offset` + 1, oldest first: the owner's word over the read model's. */
export async function currentExecutions(
  env: Cloudflare.Env,
  ref: JobRef,
  offset: number,
  size: number,
): Promise<Result<{ total: number; executions: ExecutionView[] }, JobRefusal>> {
  const asked = await askAgain(() => jobAt(env, ref).executions());
  if (!asked.ok) return asked;
  const live = asked.value ?? (await recordedExecutions(env, ref));
  if ("ok" in live) return live;
  const last = Math.min(offset + size, live.total);
  const held = new Map(live.held.map((one) => [one.attempt, one]));
  const numbers = Array.from({ length: Math.max(0, last - offset) }, (_, i) => offset + 1 + i);
  if (!numbers.every((attempt) => held.has(attempt))) {
    const recorded = await readExecutions(databaseOf(env.DB), ref, offset + 1, last);
    if (!recorded.ok) return recorded;
    for (const one of recorded.value) if (!held.has(one.attempt)) held.set(one.attempt, one);
  }
  const executions = numbers.flatMap((attempt) => held.get(attempt) ?? []);
  return ok({ total: live.total, executions: executions.map((one) => executionViewOf(one, live.result)) });
}

async function recordedJob(env: Cloudflare.Env, ref: JobRef): Promise<Result<JobView, JobRefusal>> {
  const row = await readJob(databaseOf(env.DB), ref);
  if (!row.ok) return row;
  return row.value ? ok(viewOfRow(row.value)) : err({ code: "job_not_found" });
}

async function recordedExecutions(env: Cloudflare.Env, ref: JobRef) {
  const row = await readJob(databaseOf(env.DB), ref);
  if (!row.ok) return row;
  if (!row.value) return err<JobRefusal>({ code: "job_not_found" });
  const none: readonly Execution[] = [];
  return { total: row.value.attempt, result: row.value.result, held: none };
}
