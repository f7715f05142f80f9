// Finds the rows whose owners have not been heard of in time, in bounded pages. The owners themselves are asked elsewhere.

import { and, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { isAmong } from "./json-rows.ts";
import { isOpenHere } from "./move-stages.ts";
import { bulkActions, jobs, schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** An owner may report this late. */
const GRACE_MS = 2 * MINUTE;

/**
 * A row without any report (its revision is 0, or below when it was changed before it had an owner) is one whose owner has not begun, or may not exist. A healthy one begins within moments of its time and
 * has reported, or ended, soon after: the sweep rings on the full minute, when most jobs are due.
 */
const UNREPORTED_GRACE_MS = 15 * SECOND;

const TABLES = { jobs, schedules, bulk_actions: bulkActions } as const;

/** An overdue row, by its account. */
export interface Overdue {
  readonly accountId: string;
  readonly id: string;
}

/**
 * The next page of overdue rows, the longest overdue first. They are due again later, and later with each sweep in vain, so that
 * the next page is another one.
 */
export async function takeOverdue(
  db: Database,
  kind: keyof typeof TABLES,
  limit: number,
  now: number,
): Promise<Stored<Overdue[]>> {
  const table = TABLES[kind];
  const isLate = sql`report_due_at IS NOT NULL AND report_due_at <= ${now - UNREPORTED_GRACE_MS} AND (revision <= 0 OR report_due_at <= ${now - GRACE_MS})`;
  const overdue = and(isLate, isOpenHere(db, sql`account_id`));
  const found = await stored(() =>
    db.all<Overdue>(
      sql`SELECT account_id AS accountId, id FROM ${table} WHERE ${overdue} ORDER BY report_due_at LIMIT ${limit}`,
    ),
  );
  if (!found.ok || found.value.length === 0) return found;
  const later = sql`${now} + ${MINUTE} * min(60, 1 << min(sweeps, 6))`;
  const moved = await stored(() =>
    db.run(
      sql`UPDATE ${table} SET report_due_at = ${later}, sweeps = sweeps + 1 WHERE ${isAmong(table, found.value)} AND ${overdue}`,
    ),
  );
  return moved.ok ? ok(found.value) : moved;
}
