// What an overview and a scrape read. Each look reads a bounded number of rows, whatever is stored: counts by their key, and jobs along
// an index up to a limit.

import { and, asc, between, desc, eq, gte, inArray, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Lateness, WindowName } from "../domain/overview.ts";
import { bucketsOf, firstSlotOf, OVERDUE_AFTER_MS, WINDOWS } from "../domain/overview.ts";
import { ok } from "../domain/result.ts";
import { type FailureCode, TOTAL } from "../domain/tally.ts";
import { accounts, failures, jobs, overview, UNUSUAL } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { LATE_COLUMNS } from "./tallies.ts";

const MINUTE = 60_000;

/** How far ahead jobs are counted. The sweeper puts a row off for no longer than this, so overdue jobs are found here as well. */
export const AHEAD_MS = 60 * MINUTE;

/** Rows of all accounts that one look ahead reads, and queued ones of an account. */
export const MAX_AHEAD = 10_000;
export const MAX_QUEUED = 1_000;

/** How many accounts are counted. */
const MAX_ACCOUNTS = 10_000;

/** Groups of failures that are shown. */
export const MAX_FAILING = 50;

/** How many overdue jobs are counted. */
export const MAX_OVERDUE = 1_000;

/** What was counted in a bucket, a window or ever. */
export interface Counted extends Lateness {
  readonly completed: number;
  readonly failed: number;
  readonly retried: number;
  readonly lateSum: number;
}

export interface Failing {
  readonly errorCode: FailureCode;
  readonly handler: string;
  readonly host: string;
  readonly count: number;
  readonly lastAt: number;
  readonly jobId: string;
}

/** Jobs that are due and have not started, as far as the read model knows. */
export interface OverdueJobs {
  readonly count: number;
  readonly oldestRunAt: number | null;
  /** Whether all of them have been looked at. */
  readonly isComplete: boolean;
}

export interface Overview {
  /** By the beginning of the bucket; those without counts are missing. */
  readonly buckets: ReadonlyMap<number, Counted>;
  readonly failing: readonly Failing[];
  readonly overdue: OverdueJobs;
  /** How many jobs are due in a minute, by its beginning; those without any are missing. */
  readonly due: ReadonlyMap<number, number>;
  /** Up to which moment `due` is complete. */
  readonly dueUntil: number;
}

export async function readOverview(
  db: Database,
  accountId: string,
  window: WindowName,
  now: number,
): Promise<Stored<Overview>> {
  const { bucketMs } = WINDOWS[window];
  const [from = now] = bucketsOf(window, now);
  const at = sql<number>`${overview.minute} - ${overview.minute} % ${bucketMs}`;
  const counted = db
    .select({ at, ...SUMS })
    .from(overview)
    .where(and(eq(overview.accountId, accountId), between(overview.minute, from, now)))
    .groupBy(sql`1`);
  const answer = await stored(() =>
    db.batch([counted, failingOf(db, accountId, firstSlotOf(window, now)), ...lookAheadOf(db, accountId, now)]),
  );
  if (!answer.ok) return answer;
  const [rows, failing, ahead, queued] = answer.value;
  const due = ahead.filter((row) => row.minute !== null && row.minute >= now - (now % MINUTE));
  return ok({
    buckets: new Map(rows.map((row) => [row.at, countedOf(row)])),
    failing,
    overdue: overdueOf(ahead, queued, now),
    due: new Map(due.map(({ minute, count }) => [minute ?? 0, count])),
    dueUntil: stopOf(ahead) ?? now + AHEAD_MS,
  });
}

/** What a scrape of one account reads. */
export async function readTotal(
  db: Database,
  accountId: string,
  now: number,
): Promise<Stored<{ counted: Counted | undefined; overdue: OverdueJobs }>> {
  const total = db
    .select(SUMS)
    .from(overview)
    .where(and(eq(overview.accountId, accountId), eq(overview.minute, TOTAL)))
    .groupBy(overview.accountId);
  const answer = await stored(() => db.batch([total, ...lookAheadOf(db, accountId, now)]));
  if (!answer.ok) return answer;
  const [[row], ahead, queued] = answer.value;
  return ok({ counted: row && countedOf(row), overdue: overdueOf(ahead, queued, now) });
}

export interface Totals {
  /** The first accounts, each with what was ever counted; undefined when nothing was. */
  readonly accounts: readonly { readonly accountId: string; readonly counted: Counted | undefined }[];
  /** How many there are beside them; counting stops at 10,000. */
  readonly left: number;
  readonly overdue: ReadonlyMap<string, OverdueJobs>;
  /** Whether all overdue jobs have been looked at. */
  readonly isComplete: boolean;
}

/** The same of all accounts, for the operator: of as many as `most`, and of jobs within one limit for all. */
export async function readTotals(db: Database, most: number, now: number): Promise<Stored<Totals>> {
  const isThere = inArray(accounts.status, ["active", "suspended"]);
  const first = db
    .select({ id: accounts.id })
    .from(accounts)
    .where(isThere)
    .orderBy(asc(accounts.id))
    .limit(most)
    .as("first");
  const sums = db
    .select({ accountId: first.id, ...SUMS })
    .from(first)
    .leftJoin(overview, and(eq(overview.accountId, first.id), eq(overview.minute, TOTAL)))
    .groupBy(first.id)
    .orderBy(asc(first.id));
  const some = db.select({ id: accounts.id }).from(accounts).where(isThere).limit(MAX_ACCOUNTS).as("some");
  const number = db.select({ number: sql<number>`count(*)` }).from(some);
  const shown = db.select({ id: first.id }).from(first);
  const answer = await stored(() => db.batch([sums, number, aheadOf(db, null, now), queuedOf(db, shown, now)]));
  if (!answer.ok) return answer;
  const [rows, [counted], ahead, queued] = answer.value;
  const ids = [...new Set([...ahead, ...queued].flatMap(({ accountId }) => accountId ?? []))];
  const of =
    (id: string) =>
    <R extends { accountId: string | null }>(all: readonly R[]) =>
      all.filter((row) => row.accountId === id);
  return ok({
    accounts: rows.map((row) => ({
      accountId: row.accountId,
      counted: row.started === null ? undefined : countedOf(row),
    })),
    left: (counted?.number ?? 0) - rows.length,
    overdue: new Map(ids.map((id) => [id, overdueOf(of(id)(ahead), of(id)(queued), now)])),
    isComplete: sawAllDue(ahead, now) && queued.reduce((sum, { looked }) => sum + looked, 0) < MAX_AHEAD,
  });
}

const summed = (column: SQL | (typeof LATE_COLUMNS)[number]) => sql<number>`sum(${column})`;

const SUMS = {
  started: summed(overview.started),
  completed: summed(overview.completed),
  failed: summed(overview.failed),
  retried: summed(overview.retried),
  lateSum: summed(overview.lateSum),
  lateMax: sql<number>`max(${overview.lateMax})`,
  late: sql<string>`json_array(${sql.join(LATE_COLUMNS.map(summed), sql`, `)})`,
};

const countedOf = ({ late, ...counts }: Omit<Counted, "late"> & { late: string }): Counted => ({
  ...counts,
  late: JSON.parse(late) as number[],
});

/** The job of a group is that of its newest failure: SQLite takes what stands beside a max() from its row. */
const failingOf = (db: Database, accountId: string, from: number) =>
  db
    .select({
      errorCode: failures.errorCode,
      handler: failures.handler,
      host: failures.host,
      count: sql<number>`sum(${failures.count})`,
      lastAt: sql<number>`max(${failures.lastAt})`,
      jobId: failures.jobId,
    })
    .from(failures)
    .where(and(eq(failures.accountId, accountId), gte(failures.slot, from)))
    .groupBy(failures.errorCode, failures.handler, failures.host)
    .orderBy(desc(sql`5`))
    .limit(MAX_FAILING);

const lookAheadOf = (db: Database, accountId: string, now: number) =>
  [aheadOf(db, accountId, now), queuedOf(db, accountId, now)] as const;

interface AheadRow {
  readonly accountId: string | null;
  /** null: the last row that was looked at, in `oldest`, if there may be more. */
  readonly minute: number | null;
  readonly count: number;
  readonly oldest: number;
}

/** In the place of a minute: overdue. */
const OVERDUE = -1;

/**
 * Jobs of the next hour by their minute, and those that are overdue. The index is that of all accounts, in the order in which the
 * service expects to hear of them: it holds the account, so only the account's own rows are looked up.
 *
 * @param accountId null: of all accounts, each by itself, and only what is overdue
 */
function aheadOf(db: Database, accountId: string | null, now: number) {
  const near = sql`SELECT account_id, id, report_due_at FROM ${jobs} INDEXED BY jobs_report_due
    WHERE report_due_at IS NOT NULL AND report_due_at <= ${now + AHEAD_MS} ORDER BY report_due_at LIMIT ${MAX_AHEAD}`;
  const minute = sql`CASE WHEN jobs.run_at <= ${now - OVERDUE_AFTER_MS} THEN ${OVERDUE}
    ELSE max(jobs.run_at, ${now}) - max(jobs.run_at, ${now}) % ${MINUTE} END`;
  const wanted =
    accountId === null ? sql`jobs.run_at <= ${now - OVERDUE_AFTER_MS}` : sql`near.account_id = ${accountId}`;
  return db
    .select({
      accountId: sql<string | null>`account_id`,
      minute: sql<number | null>`minute`,
      count: sql<number>`count`,
      oldest: sql<number>`oldest`,
    })
    .from(
      sql`(WITH near AS MATERIALIZED (${near})
        SELECT NULL AS account_id, NULL AS minute, count(*) AS count, max(report_due_at) AS oldest FROM near
        HAVING count(*) = ${MAX_AHEAD}
        UNION ALL
        SELECT near.account_id, ${minute} AS minute, count(*), min(jobs.run_at) FROM near CROSS JOIN ${jobs}
        WHERE jobs.account_id = near.account_id AND jobs.id = near.id AND ${wanted}
          AND jobs.status IN ('pending', 'retrying') AND jobs.run_at <= ${now + AHEAD_MS} AND jobs.origin <> 'event'
        GROUP BY 1, 2)`,
    );
}

const stopOf = (rows: readonly AheadRow[]): number | null => rows.find(({ minute }) => minute === null)?.oldest ?? null;

/** A row that the sweeper has put off once is due again within a minute. */
const sawAllDue = (rows: readonly AheadRow[], now: number): boolean => (stopOf(rows) ?? Infinity) > now + MINUTE;

/** Jobs that wait for a worker are expected to report much later: they are found by their status. */
function queuedOf(db: Database, of: string | SQLWrapper, now: number) {
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

function overdueOf(
  ahead: readonly AheadRow[],
  [queued]: readonly { looked: number; count: number; oldest: number | null }[],
  now: number,
): OverdueJobs {
  const waiting = ahead.find(({ minute }) => minute === OVERDUE);
  const count = (waiting?.count ?? 0) + (queued?.count ?? 0);
  const oldest = [waiting?.oldest ?? null, queued?.oldest ?? null].filter((at) => at !== null);
  return {
    count: Math.min(count, MAX_OVERDUE),
    oldestRunAt: oldest.length > 0 ? Math.min(...oldest) : null,
    isComplete: count <= MAX_OVERDUE && sawAllDue(ahead, now) && (queued?.looked ?? 0) < MAX_QUEUED,
  };
}
