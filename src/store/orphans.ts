// Removes rows of deleted accounts that were inserted nevertheless. The owner of such a row calls this when it learns of the
// deletion: retention only walks the accounts that are still listed.

import { and, eq, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import type { BulkActionRef } from "./bulk-actions-store.ts";
import { isThere } from "./existing-account.ts";
import type { JobRef } from "./jobs-store.ts";
import type { ScheduleRef } from "./schedules-store.ts";
import { bulkActions, executions, jobs, schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Deletes a job's row and executions if its account is gone. If that fails, the sweeper finds it again. */
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

/** The same for a bulk action. */
export async function removeOrphanBulkAction(
  db: Database,
  { accountId, bulkActionId }: BulkActionRef,
): Promise<Stored<void>> {
  const own = and(eq(bulkActions.accountId, accountId), eq(bulkActions.id, bulkActionId));
  const removed = await stored(() => db.delete(bulkActions).where(and(own, sql`NOT ${isThere(accountId)}`)));
  return removed.ok ? ok(undefined) : removed;
}
