// Reading one job. The row tells whether there is a job, and all about one that has ended; a live one is known to its owner.
// An id without a row is nobody's: its object is not asked, since any call would create it.

import { waitUntil } from "cloudflare:workers";
import { databaseOf } from "../../accounts/home.ts";
import { type Execution, type ExecutionView, executionViewOf, isAsNew, type JobView } from "../../domain/job.ts";
import type { JobRefusal } from "../../domain/refusal.ts";
import { err, ok, type Result } from "../../domain/result.ts";
import type { Wait } from "../../domain/waiting-on.ts";
import { readExecutions } from "../../store/executions-store.ts";
import { type JobRef, readJob } from "../../store/jobs-store.ts";
import {
  executionOfRow,
  hasEnded,
  isOwedAnOwner,
  isOwnerless,
  type JobRow,
  viewOfRow,
  waitOfRow,
} from "../../store/rows.ts";
import { ROW_MS } from "../../store/store.ts";
import { ask, askAgain, jobAt } from "../addresses.ts";
import { atOnce } from "../at-once.ts";
import type { JobOwner, LiveExecutions } from "../owners.ts";

/** Each owner is an object that is opened: so many at once. */
const ASKED_AT_ONCE = 25;

/** The job as its owner knows it at this moment. */
export async function currentJob(env: Cloudflare.Env, ref: JobRef): Promise<Result<JobView, JobRefusal>> {
  const known = await ownersWord(env, ref, (owner) => owner.get());
  return known.ok ? ok(viewOfKnown(known.value)) : known;
}

/** The same, with its wait; null when it runs or has ended. */
export async function waitingJob(
  env: Cloudflare.Env,
  ref: JobRef,
): Promise<Result<{ readonly job: JobView; readonly wait: Wait | null }, JobRefusal>> {
  const known = await ownersWord(env, ref, (owner) => owner.get());
  if (!known.ok) return known;
  if ("live" in known.value) return ok({ job: known.value.live, wait: known.value.live.wait ?? null });
  return ok({ job: viewOfRow(known.value.row), wait: waitOfRow(known.value.row) });
}

/**
 * The job that holds a key, for whoever asks for that key again. The answer to its creation may have been lost, with its `arm`: one that
 * is due soon and has no owner gets it now, and does not wait for the sweeper.
 *
 * @param row its row, if that has just been read
 */
export async function keyHolder(env: Cloudflare.Env, ref: JobRef, row?: JobRow): Promise<Result<JobView, JobRefusal>> {
  const known = await ownersWord(env, ref, (owner) => owner.get(), row);
  const answer = known.ok ? ok(viewOfKnown(known.value)) : known;
  const seen = known.ok ? rowOfKnown(known.value) : row;
  if (seen && isOwedAnOwner(seen, Date.now())) waitUntil(ask(() => jobAt(env, ref).wake(ref)));
  return answer;
}

/** The jobs of these rows as their owners know them, by id; as the row has it where an owner cannot answer. */
export async function keyHolders(env: Cloudflare.Env, rows: readonly JobRow[]): Promise<ReadonlyMap<string, JobView>> {
  const views = await atOnce(ASKED_AT_ONCE, [...new Map(rows.map((row) => [row.id, row])).values()], async (row) => {
    const holder = await keyHolder(env, { accountId: row.accountId, jobId: row.id }, row);
    return holder.ok ? holder.value : viewOfRow(row);
  });
  return new Map(views.map((view) => [view.id, view]));
}

/** The executions numbered from `offset` + 1, oldest first. */
export async function currentExecutions(
  env: Cloudflare.Env,
  ref: JobRef,
  offset: number,
  size: number,
): Promise<Result<{ total: number; executions: ExecutionView[] }, JobRefusal>> {
  const known = await ownersWord(env, ref, (owner) => owner.executions());
  if (!known.ok) return known;
  const { total, result, held } = "live" in known.value ? known.value.live : executionsIn(known.value.row);
  const first = offset + 1;
  const last = Math.min(offset + size, total);
  const found = new Map(held.map((one) => [one.attempt, one]));
  const numbers = Array.from({ length: Math.max(0, last - offset) }, (_, i) => first + i);
  const isPartial = "row" in known.value ? mayBeApart(known.value.row) : held.some(isOfRow);
  if (isPartial || !numbers.every((attempt) => found.has(attempt))) {
    const recorded = await readExecutions(databaseOf(env, ref.accountId), ref, first, last);
    if (!recorded.ok) return recorded;
    for (const one of recorded.value) if (isAsNew(one, found.get(one.attempt) ?? one)) found.set(one.attempt, one);
  }
  const executions = numbers.flatMap((attempt) => found.get(attempt) ?? []);
  return ok({ total, executions: executions.map((one) => executionViewOf(one, result)) });
}

/** An owner that was made from a row knows of its newest execution what that shows. */
const isOfRow = ({ revision }: Execution): boolean => revision === 0;

/**
 * True if the executions table may hold more of the newest execution than its row shows: a large response or progress, or another
 * error than the job's.
 */
const mayBeApart = ({ response, progress, settledAt, lastError }: JobRow): boolean =>
  settledAt !== null && ((response === null && progress === null) || lastError?.code === "expired");

type Known<T> = { readonly live: T } | { readonly row: JobRow };

const viewOfKnown = (known: Known<JobView>): JobView => ("live" in known ? known.live : viewOfRow(known.row));
const rowOfKnown = (known: Known<JobView>): JobRow | undefined => ("row" in known ? known.row : undefined);

/** What its owner says of a live job, or the row of one that has ended. */
async function ownersWord<T>(
  env: Cloudflare.Env,
  ref: JobRef,
  question: (owner: JobOwner) => Promise<T | null>,
  row?: JobRow,
): Promise<Result<Known<T>, JobRefusal>> {
  const seen = row ? ok(row) : await readJob(databaseOf(env, ref.accountId), ref, ROW_MS);
  if (seen.ok && !seen.value) return err({ code: "job_not_found" });
  if (seen.ok && seen.value && (hasEnded(seen.value) || isOwnerless(seen.value, Date.now())))
    return ok({ row: seen.value });
  const live = await askAgain(() => question(jobAt(env, ref)));
  if (!live.ok) return live;
  if (live.value !== null) return ok({ live: live.value });
  if (!seen.ok) return seen;
  // Its owner holds nothing: the job waits for its time, or has ended since the row was read.
  const now = await readJob(databaseOf(env, ref.accountId), ref);
  if (!now.ok) return now;
  return now.value ? ok({ row: now.value }) : err({ code: "job_not_found" });
}

function executionsIn(row: JobRow): LiveExecutions {
  const newest = executionOfRow(row);
  return { total: row.attempt, result: row.result, held: newest ? [newest] : [] };
}
