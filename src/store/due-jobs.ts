// Which jobs are due in the next hour, and which ought to have started. A look reads a bounded number of rows along an index.

import { type SQLWrapper, sql } from "drizzle-orm";
import { OVERDUE_AFTER_MS } from "../domain/overview.ts";
import { minuteOf } from "../domain/tally.ts";
import { jobs, UNUSUAL } from "./schema.ts";
import type { Database } from "./store.ts";

const MINUTE = 60_000;

/** How far ahead jobs are counted. The sweeper puts a row off for no longer than this, so overdue jobs are found here as well. */
export const AHEAD_MS = 60 * MINUTE;

/** Rows of all accounts that one look ahead reads, and queued ones of an account. */
export const MAX_AHEAD = 10_000;
export const MAX_QUEUED = 1_000;

/** How many overdue jobs are counted. */
export const MAX_OVERDUE = 1_000;

/** Jobs that are due and have not started, as far as the read model knows. */
export interface OverdueJobs {
  readonly count: number;
  readonly oldestRunAt: number | null;
  /** Whether all of them have been looked at. */
  readonly isComplete: boolean;
}

export const lookAheadOf = (db: Database, accountId: string, now: number) =>
  [aheadOf(db, accountId, now), queuedOf(db, accountId, now)] as const;

export interface AheadRow {
  readonly accountId: string | null;
  /** null: the last row that was looked at, in `oldest`, if there may be more. */
  readonly minute: number | null;
  /** Of jobs that are due: the flow they name. */
  readonly flow: string | null;
  readonly count: number;
  readonly oldest: number;
}

/**
 * Whether a job that is due stands in the line of its flow: its owner has reported since it was due, and is to report later. It waits as it
 * was asked to, and is not late.
 */
const isInLine = (now: number) =>
  sql`(jobs.flow IS NOT NULL AND jobs.run_at <= ${now} AND jobs.revision > 0 AND jobs.sweeps = 0 AND jobs.report_due_at > ${now})`;

/** In the place of a minute: overdue, and in line. */
const OVERDUE = -1;
const IN_LINE = -2;

/**
 * Jobs of the next hour by their minute, and those that are overdue. The index is that of all accounts, in the order in which the
 * service expects to hear of them: it holds the account, so only the account's own rows are looked up.
 *
 * @param accountId null: of all accounts, each by itself, and only what is overdue
 */
export function aheadOf(db: Database, accountId: string | null, now: number) {
  const near = sql`SELECT account_id, id, report_due_at FROM ${jobs} INDEXED BY jobs_report_due
    WHERE report_due_at IS NOT NULL AND report_due_at <= ${now + AHEAD_MS} ORDER BY report_due_at LIMIT ${MAX_AHEAD}`;
  const minute = sql`CASE WHEN ${isInLine(now)} THEN ${IN_LINE} WHEN jobs.run_at <= ${now - OVERDUE_AFTER_MS} THEN ${OVERDUE}
    ELSE max(jobs.run_at, ${now}) - max(jobs.run_at, ${now}) % ${MINUTE} END`;
  const wanted =
    accountId === null ? sql`jobs.run_at <= ${now - OVERDUE_AFTER_MS}` : sql`near.account_id = ${accountId}`;
  // Lines are told of to their own account alone.
  const [flow, seen] =
    accountId === null
      ? [sql`NULL`, sql` AND NOT ${isInLine(now)}`]
      : [sql`CASE WHEN jobs.run_at <= ${now - OVERDUE_AFTER_MS} THEN jobs.flow END`, sql``];
  return db
    .select({
      accountId: sql<string | null>`account_id`,
      minute: sql<number | null>`minute`,
      flow: sql<string | null>`flow`,
      count: sql<number>`count`,
      oldest: sql<number>`oldest`,
    })
    .from(
      sql`(WITH near AS MATERIALIZED (${near})
        SELECT NULL AS account_id, NULL AS minute, NULL AS flow, count(*) AS count, max(report_due_at) AS oldest FROM near
        HAVING count(*) = ${MAX_AHEAD}
        UNION ALL
        SELECT near.account_id, ${minute} AS minute, ${flow} AS flow, count(*), min(jobs.run_at) FROM near CROSS JOIN ${jobs}
        WHERE jobs.account_id = near.account_id AND jobs.id = near.id AND ${wanted}
          AND jobs.status IN ('pending', 'retrying') AND jobs.run_at <= ${now + AHEAD_MS} AND jobs.origin <> 'event'${seen}
        GROUP BY 1, 2, 3)`,
    );
}

/** How many jobs are due in a minute, by its beginning. */
export function dueOf(rows: readonly AheadRow[], now: number): ReadonlyMap<number, number> {
  const due = new Map<number, number>();
  for (const { minute, count } of rows)
    if (minute !== null && minute >= minuteOf(now)) due.set(minute, (due.get(minute) ?? 0) + count);
  return due;
}

/** The flows in which due jobs wait, those with the most first. */
export function linesOf(rows: readonly AheadRow[]): readonly string[] {
  const waiting = new Map<string, number>();
  for (const { flow, count } of rows) if (flow !== null) waiting.set(flow, (waiting.get(flow) ?? 0) + count);
  return [...waiting].sort(([, a], [, b]) => b - a).map(([flow]) => flow);
}

export const stopOf = (rows: readonly AheadRow[]): number | null =>
  rows.find(({ minute }) => minute === null)?.oldest ?? null;

/** A row that the sweeper has put off once is due again within a minute. */
export const sawAllDue = (rows: readonly AheadRow[], now: number): boolean => (stopOf(rows) ?? Infinity) > now + MINUTE;

/** Jobs that wait for a worker are expected to report much later: they are found by their status. */
export function queuedOf(db: Database, of: string | SQLWrapper, now: number) {
  const isOverdue = sql`due_at <= ${now - OVERDUE_AFTER_MS} AND origin <> 'event'`;
  const [ofAccount, most] =
    typeof of === "string" ? [sql`account_id = ${of}`, MAX_QUEUED] : [sql`account_id IN ${of}`, MAX_AHEAD];
  const queued = sql`SELECT account_id, due_at, origin FROM ${jobs} INDEXED BY jobs_status
    WHERE ${ofAccount} AND status = 'queued' AND ${UNUSUAL} LIMIT ${most}`;
  return db
    .select({
      accountId: sql<string | null>`account_id`,
      looked: sql<number>`count(*)`,
      count: sql<number>`count(*) FILTER (WHERE ${isOverdue})`,
      oldest: sql<number | null>`min(due_at) FILTER (WHERE ${isOverdue})`,
    })
    .from(sql`(${queued})`)
    .groupBy(sql`1`);
}

export function overdueOf(
  ahead: readonly AheadRow[],
  [queued]: readonly { looked: number; count: number; oldest: number | null }[],
  now: number,
): OverdueJobs {
  const waiting = ahead.filter(({ minute }) => minute === OVERDUE);
  const count = waiting.reduce((sum, one) => sum + one.count, 0) + (queued?.count ?? 0);
  const oldest = [...waiting.map((one) => one.oldest), queued?.oldest ?? null].filter((at) => at !== null);
  return {
    count: Math.min(count, MAX_OVERDUE),
    oldestRunAt: oldest.length > 0 ? Math.min(...oldest) : null,
    isComplete: count <= MAX_OVERDUE && sawAllDue(ahead, now) && (queued?.looked ?? 0) < MAX_QUEUED,
  };
}
