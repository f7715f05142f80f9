// What is asked of the jobs table on behalf of one account, or of one job's owner. Every statement takes the account.

import { and, asc, eq, gt, inArray, notExists, sql } from "drizzle-orm";
import { REMEMBERED_LENGTH } from "../domain/bulk-action.ts";
import { isEnded, type Job, type JobSpec, type JobStatus } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { ARM_AHEAD_MS } from "../domain/timer.ts";
import { ifThere } from "./existing-account.ts";
import { rowOfJob } from "./report.ts";
import { type JobRow, type NewJobRow, rowOfSpec } from "./rows.ts";
import { executions, jobs } from "./schema.ts";
import { type Database, STORE_TIMEOUT_MS, type Stored, stored } from "./store.ts";

/** A job by its account: an id alone never finds anything. */
export interface JobRef {
  readonly accountId: string;
  readonly jobId: string;
}

const is = ({ accountId, jobId }: JobRef) => and(eq(jobs.accountId, accountId), eq(jobs.id, jobId));

const ENDED: JobStatus[] = ["completed", "failed", "cancelled"];

const holdsKey = (accountId: string, key: string) => and(eq(jobs.accountId, accountId), eq(jobs.idempotencyKey, key));

/** Inserts nothing if the id or the key is taken, or the account is gone. */
const insertRow = (db: Database, row: NewJobRow) =>
  stored(() =>
    db
      .insert(jobs)
      .select(ifThere(jobs, row, row.accountId))
      .onConflictDoNothing()
      .returning({ id: jobs.id }),
  );

export type Inserted = { readonly created: true } | { readonly created: false; readonly holder: JobRow | undefined };

/**
 * Writes the intent. Atomic on the idempotency key, and safe to repeat: an insert that was applied although its answer
 * was lost is recognised by its id.
 *
 * @returns the job that holds the key when it is another one (undefined if retention took it meanwhile, or if the account
 * is gone)
 */
export async function insertJob(db: Database, spec: JobSpec): Promise<Stored<Inserted>> {
  const inserted = await insertRow(db, rowOfSpec(spec));
  if (inserted.ok && inserted.value.length > 0) return ok({ created: true });
  const ref = { accountId: spec.accountId, jobId: spec.id };
  const own = await readJob(db, ref);
  if (own.ok && own.value) return ok({ created: true });
  if (!inserted.ok) return inserted;
  if (!own.ok) return own;
  if (spec.idempotencyKey === null) return ok({ created: false, holder: undefined });
  const key = spec.idempotencyKey;
  const holder = await stored(() => db.select().from(jobs).where(holdsKey(spec.accountId, key)).get());
  return holder.ok ? ok({ created: false, holder: holder.value }) : holder;
}

/** @param limitMs how long to wait for D1 */
export function readJob(db: Database, ref: JobRef, limitMs = STORE_TIMEOUT_MS): Promise<Stored<JobRow | undefined>> {
  return stored(() => db.select().from(jobs).where(is(ref)).get(), limitMs);
}

/**
 * Writes the row of a live job whose own is gone; without its idempotency key if another job has that by now.
 *
 * @returns whether there is a row
 */
export async function restoreJob(db: Database, row: NewJobRow): Promise<Stored<boolean>> {
  const restored = await insertRow(db, row);
  if (!restored.ok || restored.value.length > 0 || row.idempotencyKey === null)
    return restored.ok ? ok(restored.value.length > 0) : restored;
  const without = await insertRow(db, { ...row, idempotencyKey: null });
  return without.ok ? ok(without.value.length > 0) : without;
}

/**
 * Changes a row that has no owner, unless it has changed since it was read: another change, or time has come so near that it may
 * have an owner by now.
 *
 * @param next what becomes of the job; while it waits, its row still has no owner
 * @returns the row as it is then; undefined when it was another one
 */
export function changeRow(db: Database, seen: JobRow, next: Job, now: number): Promise<Stored<JobRow | undefined>> {
  const { accountId, id, ...columns } = rowOfJob(next);
  const revision = isEnded(next.phase) ? next.revision : 1 - next.revision;
  const isSame = and(eq(jobs.revision, seen.revision), gt(jobs.runAt, now + ARM_AHEAD_MS));
  return stored(() =>
    db
      .update(jobs)
      .set({ ...columns, revision })
      .where(and(is({ accountId, jobId: id }), isSame))
      .returning()
      .get(),
  );
}

/** Takes the key from a job that has ended; another may have it from then on. */
export function dropKeyOfEnded(db: Database, ref: JobRef): Promise<Stored<unknown>> {
  return stored(() =>
    db
      .update(jobs)
      .set({ idempotencyKey: null })
      .where(and(is(ref), inArray(jobs.status, ENDED))),
  );
}

/** Deletes a job that has ended, with its executions. @returns whether it is gone */
export async function deleteEnded(db: Database, ref: JobRef): Promise<Stored<boolean>> {
  const { accountId, jobId } = ref;
  const isOver = and(is(ref), inArray(jobs.status, ENDED));
  const gone = db
    .delete(executions)
    .where(
      and(
        eq(executions.accountId, accountId),
        eq(executions.jobId, jobId),
        notExists(db.select({ one: sql`1` }).from(jobs).where(is(ref))),
      ),
    );
  const answer = await stored(() =>
    db.batch([db.delete(jobs).where(isOver), gone, db.select({ id: jobs.id }).from(jobs).where(is(ref))]),
  );
  return answer.ok ? ok(answer.value[2].length === 0) : answer;
}

/**
 * Takes a failed or cancelled row back to life for a manual retry, so that retention cannot delete it meanwhile.
 *
 * @returns the row as it is then: `pending` when it was taken, undefined when it is gone
 */
export async function claimForRetry(
  db: Database,
  ref: JobRef,
  operation: string | null,
  now: number,
): Promise<Stored<JobRow | undefined>> {
  const expiresAt = sql`${now} + ${jobs.expiresAfterMs}`;
  const fresh = { tries: 0, expiresAt, interruptions: 0, sweeps: 0, completedAt: null, updatedAt: now, runAt: now };
  const remembered = sql`${operation} || coalesce(' ' || substr(${jobs.operation}, 1, ${REMEMBERED_LENGTH}), '')`;
  const isFirst = sql`coalesce(instr(${jobs.operation}, ${operation}), 0) = 0`;
  const claimed = await stored(() =>
    db
      .update(jobs)
      .set({
        ...fresh,
        status: "pending",
        reportDueAt: now,
        revision: sql`${jobs.revision} + 1`,
        ...(operation !== null && { operation: remembered }),
      })
      .where(and(is(ref), inArray(jobs.status, ["failed", "cancelled"]), operation === null ? undefined : isFirst))
      .returning()
      .get(),
  );
  return claimed.ok && !claimed.value ? readJob(db, ref) : claimed;
}

/** Whether a key is taken on the account. */
export async function hasJobWithKey(db: Database, accountId: string, key: string): Promise<Stored<boolean>> {
  const found = await stored(() => db.select({ id: jobs.id }).from(jobs).where(holdsKey(accountId, key)).get());
  return found.ok ? ok(found.value !== undefined) : found;
}

/** The ids of a schedule's jobs that wait, as far as the read model knows, in the order of their ids. */
export async function waitingJobsOf(
  db: Database,
  accountId: string,
  scheduleId: string,
  after: string,
  limit: number,
): Promise<Stored<string[]>> {
  const waiting = and(
    eq(jobs.accountId, accountId),
    eq(jobs.scheduleId, scheduleId),
    inArray(jobs.status, ["pending", "queued", "retrying"]),
    gt(jobs.id, after),
  );
  const found = await stored(() =>
    db.select({ id: jobs.id }).from(jobs).where(waiting).orderBy(asc(jobs.id)).limit(limit).all(),
  );
  return found.ok ? ok(found.value.map(({ id }) => id)) : found;
}
