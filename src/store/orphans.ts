// Rows of accounts that are gone. None is inserted: a key that another isolate still remembers for a minute creates nothing.
// One that is there all the same goes when its owner learns of it; retention only walks accounts that are still listed.

import { and, eq, getTableColumns, type SQL, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { ok } from "../domain/result.ts";
import type { JobRef } from "./jobs-store.ts";
import type { ScheduleRef } from "./schedules-store.ts";
import { accounts, executions, jobs, schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Whether the account may have rows: it exists and is not being deleted. */
export const isThere = (accountId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM ${accounts} WHERE ${accounts.id} = ${accountId} AND ${accounts.status} <> 'deleted')`;

/** One row for `insert(table).select(…)`, or none if its account is gone. Costs a look-up and writes nothing more. */
export function ifThere<T extends SQLiteTable>(table: T, row: T["$inferInsert"], accountId: string): SQL {
  const values = Object.entries(getTableColumns(table)).map(([field, column]) => {
    const value: unknown = row[field as keyof typeof row];
    return sql`${sql.param(value ?? column.default ?? null, column)}`;
  });
  return sql`SELECT ${sql.join(values, sql`, `)} WHERE ${isThere(accountId)}`;
}

/** Deletes a job's row and executions if its account is gone. One that cannot be deleted now is found by the sweeper again. */
export async function removeOrphanJob(db: Database, { accountId, jobId }: JobRef): Promise<Stored<void>> {
  const orphaned = sql`NOT ${isThere(accountId)}`;
  const removed = await stored(() =>
    db.batch([
      db.delete(executions).where(and(eq(executions.accountId, accountId), eq(executions.jobId, jobId), orphaned)),
      db.delete(jobs).where(and(eq(jobs.accountId, accountId), eq(jobs.id, jobId), orphaned)),
    ]),
  );
  return removed.ok ? ok(undefined) : removed;
}

/** The same for a schedule. */
export async function removeOrphanSchedule(
  db: Database,
  { accountId, scheduleId }: ScheduleRef,
): Promise<Stored<void>> {
  const own = and(eq(schedules.accountId, accountId), eq(schedules.id, scheduleId));
  const removed = await stored(() => db.delete(schedules).where(and(own, sql`NOT ${isThere(accountId)}`)));
  return removed.ok ? ok(undefined) : removed;
}
