// A person's changes to a job, made where it is kept: by its owner or, as long as it has none, in its row. A job that is far ahead
// gets no owner for this.

import { databaseOf } from "../../accounts/home.ts";
import { isEnded, type Job, type JobEdit, type JobView } from "../../domain/job.ts";
import * as life from "../../domain/life.ts";
import { err, ok } from "../../domain/result.ts";
import { ARM_AHEAD_MS, LET_GO_MS, SOON_MS } from "../../domain/timer.ts";
import { changeRow, deleteEnded, type JobRef, readJob } from "../../store/jobs-store.ts";
import { hasEnded, isOwnerless, type JobRow, jobOfRow, viewOfRow } from "../../store/rows.ts";
import { ROW_MS } from "../../store/store.ts";
import { ask, askOwner, jobAt } from "../addresses.ts";
import type { Answer, JobOwner } from "../owners.ts";

/** How often a change is tried again because another one came first. */
export const MAX_TRIES = 20;

/** Does what is left to do behind the answer. */
type Later = (work: Promise<unknown>) => void;

/** Who asks, and for which job. `operation` names the bulk action that does. */
export interface Asked {
  readonly env: Cloudflare.Env;
  readonly ref: JobRef;
  readonly later: Later;
  readonly operation?: string;
  /** Nothing of the job as it was is part of what becomes of it. */
  readonly overwrites?: boolean;
}

export const cancelJob = (asked: Asked): Promise<Answer<JobView>> =>
  again(() => change(asked, onceFor(asked, life.cancel), (owner) => owner.cancel(asked.ref, asked.operation)));

export const runJob = (asked: Asked): Promise<Answer<JobView>> =>
  again(() => change(asked, onceFor(asked, life.run), (owner) => owner.run(asked.ref, asked.operation)));

export const retryJob = (asked: Asked): Promise<Answer<JobView>> =>
  again(() => change(asked, onceFor(asked, life.retry), (owner) => owner.retry(asked.ref, asked.operation)));

const onceFor = ({ operation }: Asked, step: (job: Job, now: number) => life.Step) =>
  life.onceFor(operation ?? null, step);

/**
 * Lays an edit over the job as it was at revision `seen`.
 *
 * @returns `job_moved` when it has changed since: look again
 */
export function editJob(asked: Asked, edit: JobEdit, seen: number): Promise<Answer<JobView>> {
  const step = (job: Job, now: number) =>
    job.revision === seen ? life.edit(job, edit, now) : err({ code: "job_moved" as const });
  return change(asked, step, (owner) => owner.edit(asked.ref, edit, seen));
}

/** Lays an edit of everything over the job as it is: of many at once the last stands, and none has to look again. */
export function overwriteJob(asked: Asked, edit: JobEdit): Promise<Answer<JobView>> {
  const step = (job: Job, now: number) => life.edit(job, edit, now);
  return change({ ...asked, overwrites: true }, step, (owner) => owner.edit(asked.ref, edit, null));
}

/**
 * @param seen the revision it must have; null: any
 * @returns `job_moved` when it has another one
 */
export const deleteJob = (asked: Asked, seen: number | null): Promise<Answer<null>> =>
  seen === null ? again(() => deleteOnce(asked, null)) : deleteOnce(asked, seen);

async function deleteOnce({ env, ref }: Asked, seen: number | null): Promise<Answer<null>> {
  const row = await readJob(databaseOf(env, ref.accountId), ref);
  if (!row.ok) return row;
  if (!row.value) return err({ code: "job_not_found" });
  const isLetGo = hasEnded(row.value) && row.value.updatedAt < Date.now() - LET_GO_MS;
  if (isLetGo || isOwnerless(row.value, Date.now())) return deleteRow(env, ref, row.value, seen);
  return askOwner(() => jobAt(env, ref).remove(ref, seen));
}

async function deleteRow(env: Cloudflare.Env, ref: JobRef, row: JobRow, seen: number | null): Promise<Answer<null>> {
  const { status, revision } = viewOfRow(row);
  if (!hasEnded(row)) return err({ code: "job_not_deletable", status });
  if (seen !== null && seen !== revision) return err({ code: "job_moved" });
  const deleted = await deleteEnded(databaseOf(env, ref.accountId), ref, row.revision, Date.now());
  if (!deleted.ok) return deleted;
  return deleted.value ? ok(null) : err({ code: "job_moved" });
}

/** The same until it meets the job as it stands. */
async function again<T>(attempt: () => Promise<Answer<T>>): Promise<Answer<T>> {
  for (let tries = 1; tries < MAX_TRIES; tries++) {
    const answer = await attempt();
    if (answer.ok || answer.error.code !== "job_moved") return answer;
  }
  return err({ code: "unavailable", retryAfterSeconds: 1 });
}

/** Decides, as the owner would. */
type Step = (job: Job, now: number) => Answer<Job>;

async function change(
  asked: Asked,
  step: Step,
  atOwner: (owner: JobOwner) => Promise<Answer<JobView>>,
): Promise<Answer<JobView>> {
  const { env, ref } = asked;
  const row = await readJob(databaseOf(env, ref.accountId), ref, ROW_MS);
  if (row.ok && !row.value) return err({ code: "job_not_found" });
  if (row.ok && row.value && isOwnerless(row.value, Date.now())) return changeInRow(asked, row.value, step);
  return askOwner(() => atOwner(jobAt(env, ref)));
}

/** A job whose time has come near by this gets its owner; if that fails, the sweeper sees to it. */
async function changeInRow(asked: Asked, row: JobRow, step: Step): Promise<Answer<JobView>> {
  const { env, ref, overwrites = false, later } = asked;
  const now = Date.now();
  const job = jobOfRow(row, now);
  if (!job) return err({ code: "job_moved" });
  const next = step(job, now);
  if (!next.ok) return next;
  if (next.value === job) return ok(viewOfRow(row)); // this bulk action has changed it before
  const written = await changeRow(
    databaseOf(env, ref.accountId),
    ref,
    overwrites ? null : row.revision,
    next.value,
    now,
  );
  if (!written.ok) return written;
  if (!written.value && isEnded(next.value.phase))
    return askOwner(() => jobAt(env, ref).cancelFar(ref, asked.operation));
  if (!written.value) return err({ code: "job_moved" });
  const { runAt } = written.value;
  const waking = () => ask(() => jobAt(env, ref).wake(ref));
  if (runAt !== null && runAt < now + SOON_MS) await waking();
  else if (runAt !== null && runAt <= now + ARM_AHEAD_MS) later(waking());
  return ok(viewOfRow(written.value));
}
