// What is asked of the jobs table on behalf of one account, or of one job's owner. Every statement takes the account.

import { and, asc, eq, getTableColumns, gt, inArray, isNotNull, lte, ne, notExists, sql } from "drizzle-orm";
import { REMEMBERED_LENGTH } from "../domain/bulk-action.ts";
import { pendingTypes } from "../domain/event.ts";
import { isEnded, type Job, type JobSpec, type JobStatus } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { OWNERLESS_MS } from "../domain/timer.ts";
import { ifThere } from "./existing-account.ts";
import { givenValue, inValues, isAmong, jsonRows } from "./json-rows.ts";
import { rowOfJob } from "./report.ts";
import { type JobRow, type NewJobRow, rowOfSpec } from "./rows.ts";
import { executions, jobs } from "./schema.ts";
import { type Database, STORE_TIMEOUT_MS, type Stored, stored } from "./store.ts";
import { BURIED_MS, bury, isNotDeleted } from "./tombstones.ts";
import { isNotAskedFor } from "./webhook-reports.ts";

/** A job by its account: an id alone never finds anything. */
export interface JobRef {
  readonly accountId: string;
  readonly jobId: string;
}

const is = ({ accountId, jobId }: JobRef) => and(eq(jobs.accountId, accountId), eq(jobs.id, jobId));

const ENDED: JobStatus[] = ["completed", "failed", "cancelled"];

/** The key of a schedule's job says which tick it is. Any other key is free once its job is deleted. */
const GIVEN_TICK = sql`CASE WHEN ${givenValue(jobs.scheduleId)} IS NOT NULL THEN ${givenValue(jobs.idempotencyKey)} END`;

/** Inserts rows in their order, but for those whose id or key is taken, or was deleted a moment ago, and none if the account is gone. */
const insertion = (db: Database, accountId: string, rows: readonly NewJobRow[]) =>
  db
    .insert(jobs)
    .select(sql`${ifThere(jobs, rows, accountId)} AND ${isNotDeleted(givenValue(jobs.id), GIVEN_TICK)}`)
    .onConflictDoNothing()
    .returning({ id: jobs.id });

/** The jobs that hold the keys of others. Left to itself SQLite reads all rows of the account for each key. */
const holdersOf = (db: Database, accountId: string, rows: readonly NewJobRow[]) =>
  db
    .select(getTableColumns(jobs))
    .from(jsonRows({ id: jobs.id, idempotencyKey: jobs.idempotencyKey }, rows))
    .crossJoin(jobs)
    .where(
      and(
        eq(jobs.accountId, accountId),
        eq(jobs.idempotencyKey, givenValue(jobs.idempotencyKey)),
        ne(jobs.id, givenValue(jobs.id)),
      ),
    );

export type Inserted =
  | {
      readonly created: true;
      readonly spec: JobSpec;
      /** Its row was there already: an earlier try, whose answer was lost, has written it. */
      readonly wasThere: boolean;
    }
  | { readonly created: false; readonly holder: JobRow | undefined };

/**
 * Writes the intents, in one transaction. Atomic on the idempotency keys: the first job of those that share one has it. Safe to
 * repeat: an insert that was applied although its answer was lost is recognised by its ids.
 *
 * @returns for each, in order: whether it was made, or else the job that holds its key; undefined if the account is gone, or the job
 * was made before, and is deleted
 */
export async function insertJobs(
  db: Database,
  accountId: string,
  specs: readonly JobSpec[],
): Promise<Stored<readonly Inserted[]>> {
  const rows = specs.map(rowOfSpec);
  const written = await stored(() => insertAll(db, accountId, rows));
  const made = new Set(written.ok ? written.value.made.map(({ id }) => id) : []);
  const there = new Set<string>();
  const holders = new Map(written.ok ? written.value.holders.map((row) => [row.idempotencyKey, row]) : []);
  if (!rows.every(({ id, idempotencyKey = null }) => made.has(id) || holders.has(idempotencyKey))) {
    const own = db.select({ id: jobs.id }).from(jobs).where(isAmong(jobs, rows));
    const known = await stored(() => db.batch([own, holdersOf(db, accountId, rows)]));
    if (known.ok) for (const { id } of known.value[0]) if (!made.has(id)) there.add(id);
    if (!written.ok && there.size === 0) return written;
    if (!known.ok) return known;
    for (const row of known.value[1]) holders.set(row.idempotencyKey, row);
  }
  return ok(
    specs.map((spec) =>
      made.has(spec.id) || there.has(spec.id)
        ? { created: true, spec, wasThere: there.has(spec.id) }
        : { created: false, holder: holders.get(spec.idempotencyKey) },
    ),
  );
}

/** Of several, some may be made: who holds the keys of the others is read with them, so that no fault can come in between. */
async function insertAll(db: Database, accountId: string, rows: readonly NewJobRow[]) {
  const [first, ...more] = inValues(rows).map((group) => insertion(db, accountId, group));
  if (!first) return { made: [], holders: [] };
  if (rows.length === 1) return { made: await first, holders: [] };
  const answers: { id: string }[][] = await db.batch([first, ...more, holdersOf(db, accountId, rows)]);
  const holders = answers.pop() as JobRow[];
  return { made: answers.flat(), holders };
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
  const restored = await stored(() => insertion(db, row.accountId, [row]));
  if (!restored.ok) return restored;
  if (restored.value.length > 0 || row.idempotencyKey == null) return ok(restored.value.length > 0);
  return restoreJob(db, { ...row, idempotencyKey: null });
}

/**
 * Changes a row that has no owner, unless it has changed since it was read: another change, or time has come so near that it may
 * have an owner by now. An end that somebody asks to be told of is left to an owner, which tells them.
 *
 * @param seen the revision the row must have; null: any, as long as it has no owner
 * @param next what becomes of the job; while it waits, its row still has no owner
 * @returns the row as it is then; undefined when it was another one
 */
export async function changeRow(
  db: Database,
  ref: JobRef,
  seen: number | null,
  next: Job,
  now: number,
): Promise<Stored<JobRow | undefined>> {
  const { accountId: _, id: __, ...columns } = rowOfJob(next);
  const revision = isEnded(next.phase) ? next.revision : 1 - next.revision;
  const isSame = seen === null ? lte(jobs.revision, 0) : eq(jobs.revision, seen);
  const types = pendingTypes(next);
  const announced = types.length > 0 ? sql`${JSON.stringify(types)}` : sql`NULL`;
  let sent = 0;
  const changed = await stored(() => {
    sent += 1;
    return db
      .update(jobs)
      .set({ ...columns, revision: seen === null ? sql`${jobs.revision} - 1` : revision })
      .where(and(is(ref), isSame, gt(jobs.runAt, now + OWNERLESS_MS), isNotAskedFor(sql`${ref.accountId}`, announced)))
      .returning()
      .get();
  });
  if (!changed.ok || changed.value || sent === 1) return changed;
  const present = await readJob(db, ref); // the first try may have been applied although its answer was lost
  return present.ok && !says(present.value, { ...columns, revision }) ? ok(undefined) : present;
}

const says = (row: JobRow | undefined, columns: Partial<NewJobRow>): boolean =>
  row !== undefined &&
  Object.entries(columns).every(([name, value]) => JSON.stringify(row[name as keyof JobRow]) === JSON.stringify(value));

/**
 * Takes a row that has no owner for its owner, before that holds it.
 *
 * @returns whether it was still the row that was read
 */
export async function claimRow(db: Database, ref: JobRef, { revision }: JobRow): Promise<Stored<boolean>> {
  const claimed = await stored(() =>
    db
      .update(jobs)
      .set({ revision: 1 - revision })
      .where(and(is(ref), eq(jobs.revision, revision)))
      .returning({ id: jobs.id })
      .get(),
  );
  return claimed.ok ? ok(claimed.value !== undefined) : claimed;
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

/**
 * Deletes a job that has ended, with its executions. If that is not long ago, what would insert it once more finds that it was there.
 *
 * @param seen the revision it must have; null: any
 * @returns whether it is gone
 */
export async function deleteEnded(
  db: Database,
  ref: JobRef,
  seen: number | null,
  now: number,
): Promise<Stored<boolean>> {
  const { accountId, jobId } = ref;
  const isSame = seen === null ? undefined : eq(jobs.revision, seen);
  const isOver = and(is(ref), inArray(jobs.status, ENDED), isSame);
  const recently = and(isOver, gt(jobs.updatedAt, now - BURIED_MS));
  const ids = sql`SELECT ${jobs.id} FROM ${jobs} WHERE ${recently}
    UNION ALL SELECT ${jobs.idempotencyKey} FROM ${jobs} WHERE ${recently} AND ${and(isNotNull(jobs.scheduleId), isNotNull(jobs.idempotencyKey))}`;
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
    db.batch([
      bury(db, ids, now),
      db.delete(jobs).where(isOver),
      gone,
      db.select({ id: jobs.id }).from(jobs).where(is(ref)),
    ]),
  );
  return answer.ok ? ok(answer.value[3].length === 0) : answer;
}

/**
 * Takes a failed or cancelled row back to life for a manual retry, so that retention cannot delete it meanwhile.
 *
 * @param seen the revision it must have: one that is applied late finds another, and undoes no end of the attempt it has led to
 * @returns the row as it is then: `pending` when it was taken, undefined when it is gone
 */
export async function claimForRetry(
  db: Database,
  ref: JobRef,
  seen: number,
  operation: string | null,
  now: number,
): Promise<Stored<JobRow | undefined>> {
  const expiresAt = sql`${now} + ${jobs.expiresAfterMs}`;
  const fresh = {
    trigger: "manual_retry" as const,
    tries: 0,
    expiresAt,
    interruptions: 0,
    sweeps: 0,
    completedAt: null,
    updatedAt: now,
    runAt: now,
  };
  const remembered = sql`${operation} || coalesce(' ' || substr(${jobs.operation}, 1, ${REMEMBERED_LENGTH}), '')`;
  const isRetryable = inArray(jobs.status, ["failed", "cancelled"]);
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
      .where(and(is(ref), isRetryable, eq(jobs.revision, seen), operation === null ? undefined : isFirst))
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
