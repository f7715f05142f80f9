// Finds the rows whose owners have not been heard of in time, in bounded pages. The owners themselves are asked elsewhere.

import { sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { jobs, schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { isAmong } from "./telling.ts";

const MINUTE = 60_000;

/** An owner may be this late with its word; a row that nobody has armed gets no such grace. */
export const GRACE_MS = 2 * MINUTE;

export const PAGE_SIZE = 200;

const TABLES = { jobs, schedules } as const;

/** An overdue row, by its account. */
export interface Overdue {
  readonly accountId: string;
  readonly id: string;
}

/**
 * The next page of overdue rows, the longest overdue first. Their attention is moved forward at once, further with each
 * sweep in vain, so that the next page is another one.
 */
export async function takeOverdue(db: Database, kind: keyof typeof TABLES, now: number): Promise<Stored<Overdue[]>> {
  const table = TABLES[kind];
  const overdue = sql`attention_at IS NOT NULL AND attention_at <= ${now} AND (revision = 0 OR attention_at <= ${now - GRACE_MS})`;
  const found = await stored(() =>
    db.all<Overdue>(
      sql`SELECT account_id AS accountId, id FROM ${table} WHERE ${overdue} ORDER BY attention_at LIMIT ${PAGE_SIZE}`,
    ),
  );
  if (!found.ok || found.value.length === 0) return found;
  const later = sql`${now} + ${MINUTE} * min(60, 1 << min(sweeps, 6))`;
  const moved = await stored(() =>
    db.run(
      sql`UPDATE ${table} SET attention_at = ${later}, sweeps = sweeps + 1 WHERE ${isAmong(table, found.value)} AND ${overdue}`,
    ),
  );
  return moved.ok ? ok(found.value) : moved;
}
