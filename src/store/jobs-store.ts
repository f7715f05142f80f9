// What is asked of the jobs table on behalf of one account, or of one job's owner. Every statement takes the account.

import { and, asc, count, desc, eq, gt, gte, inArray, isNull, lt, notExists, type SQL, sql } from "drizzle-orm";
import type { JobFilter } from "../domain/bulk-action.ts";
import { lowestIdAt } from "../domain/ids.ts";
import { isEnded, type Job, type JobSpec, type JobStatus, type JobView } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { ARM_AHEAD_MS } from "../domain/timer.ts";
import { ifThere } from "./existing-account.ts";
import { rowOfJob } from "./report.ts";
import { type JobRow, type NewJobRow, rowOfSpec, viewOfRow } from "./rows.ts";
import { executions, jobs, UNUSUAL } from "./schema.ts";
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
  const isDistinct = sql`${jobs.operation} IS NOT ${operation}`;
  const claimed = await stored(() =>
    db
      .update(jobs)
      .set({
        ...fresh,
        status: "pending",
        reportDueAt: now,
        revision: sql`${jobs.revision} + 1`,
        ...(operation !== null && { operation }),
      })
      .where(and(is(ref), inArray(jobs.status, ["failed", "cancelled"]), operation === null ? undefined : isDistinct))
      .returning()
      .get(),
  );
  return claimed.ok && !claimed.value ? readJob(db, ref) : claimed;
}

/** Those of an account's jobs that hold one of these keys. */
export function jobsWithKeys(
  db: Database,
  accountId: string,
  keys: readonly string[],
): Promise<Stored<Pick<JobRow, "id" | "idempotencyKey" | "status">[]>> {
  const { id, idempotencyKey, status } = jobs;
  const held = and(eq(jobs.accountId, accountId), inArray(idempotencyKey, [...keys]));
  return stored(() => db.select({ id, idempotencyKey, status }).from(jobs).where(held).all());
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

/** Where a page of a list begins. */
export type ListStart = { readonly offset: number } | { readonly after: string };

/** Counting stops here: a total beyond costs more than it tells. */
export const MAX_COUNTED = 10_000;

export interface JobPage {
  readonly jobs: readonly JobView[];
  readonly total: number;
  /** The id behind which the next page goes on; null on the last one. */
  readonly next: string | null;
}

/** One page of an account's jobs, newest first, from an offset or behind an id. */
export async function listJobs(
  db: Database,
  accountId: string,
  filter: JobFilter,
  from: ListStart,
  size: number,
): Promise<Stored<JobPage>> {
  const matching = where(accountId, filter);
  const table = sql`${jobs} ${indexFor(filter)}`;
  const after = "after" in from ? and(matching, lt(jobs.id, from.after)) : matching;
  const offset = "offset" in from ? from.offset : 0;
  const ids = sql`SELECT id FROM ${table} WHERE ${after} ORDER BY id DESC LIMIT ${size + 1} OFFSET ${offset}`;
  const page = db
    .select()
    .from(jobs)
    .where(and(eq(jobs.accountId, accountId), sql`${jobs.id} IN (${ids})`))
    .orderBy(desc(jobs.id));
  const total = db
    .select({ total: count() })
    .from(sql`(SELECT 1 FROM ${table} WHERE ${matching} LIMIT ${MAX_COUNTED})`);
  const answer = await stored(() => db.batch([page, total]));
  if (!answer.ok) return answer;
  const [rows, [counted]] = answer.value;
  const shown = rows.slice(0, size);
  const last = rows.length > size ? shown.at(-1) : undefined;
  return ok({ jobs: shown.map(viewOfRow), total: counted?.total ?? 0, next: last?.id ?? null });
}

function where(accountId: string, filter: JobFilter) {
  const { status, handler, scheduleId, idempotencyKey, createdAfter, createdBefore } = filter;
  return and(
    eq(jobs.accountId, accountId),
    ...ofStatus(status),
    handler === undefined ? undefined : eq(jobs.handler, handler),
    ofSchedule(scheduleId),
    idempotencyKey === undefined ? undefined : eq(jobs.idempotencyKey, idempotencyKey),
    createdAfter === undefined ? undefined : gte(jobs.id, lowestIdAt(createdAfter + 1)),
    createdBefore === undefined ? undefined : lt(jobs.id, lowestIdAt(createdBefore)),
  );
}

/**
 * Names the index a list is read by. Left to itself SQLite walks the primary key, which is in the order of the list as well,
 * through all of the account's rows.
 */
function indexFor({ status, scheduleId, idempotencyKey }: JobFilter): SQL {
  if (idempotencyKey !== undefined) return sql`INDEXED BY jobs_idempotency`;
  if (typeof scheduleId === "string") return sql`INDEXED BY jobs_schedule`;
  const [first, ...more] = new Set(status);
  return first !== undefined && more.length === 0 && isUnusual(first) ? sql`INDEXED BY jobs_status` : sql``;
}

const isUnusual = (status: JobStatus): boolean => status !== "pending" && status !== "completed";

/** One unusual status alone has an index, in the order of lists. */
function ofStatus(status: readonly JobStatus[] = []) {
  const [first, ...more] = new Set(status);
  if (first === undefined) return [];
  if (more.length > 0) return [inArray(jobs.status, [first, ...more])];
  return isUnusual(first) ? [eq(jobs.status, first), UNUSUAL] : [eq(jobs.status, first)];
}

function ofSchedule(scheduleId: string | null | undefined) {
  if (scheduleId === undefined) return undefined;
  return scheduleId === null ? isNull(jobs.scheduleId) : eq(jobs.scheduleId, scheduleId);
}
