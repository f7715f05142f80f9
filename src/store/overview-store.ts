// What an overview and a scrape read. Each look reads a bounded number of rows, whatever is stored.

import { and, asc, between, desc, eq, gte, inArray, type SQL, sql } from "drizzle-orm";
import type { Lateness, WindowName } from "../domain/overview.ts";
import { bucketsOf, firstSlotOf, WINDOWS } from "../domain/overview.ts";
import { ok } from "../domain/result.ts";
import { type FailureCode, TOTAL } from "../domain/tally.ts";
import {
  AHEAD_MS,
  aheadOf,
  dueOf,
  lookAheadOf,
  MAX_AHEAD,
  type OverdueJobs,
  overdueOf,
  queuedOf,
  sawAllDue,
  stopOf,
} from "./due-jobs.ts";
import { heldOf, pausedFlowsOf, pausedOfAll } from "./held-flows.ts";
import { accounts, failures, overview } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { LATE_COLUMNS } from "./tallies.ts";

/** How many accounts are counted. */
const MAX_ACCOUNTS = 10_000;

/** Groups of failures that are shown. */
export const MAX_FAILING = 50;

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

export interface Overview {
  /** By the beginning of the bucket; those without counts are missing. */
  readonly buckets: ReadonlyMap<number, Counted>;
  readonly failing: readonly Failing[];
  readonly overdue: OverdueJobs;
  /** The flows that hold jobs up, as far as the read model knows. */
  readonly flows: readonly string[];
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
    db.batch([
      counted,
      failingOf(db, accountId, firstSlotOf(window, now)),
      ...lookAheadOf(db, accountId, now),
      pausedFlowsOf(db, accountId),
    ]),
  );
  if (!answer.ok) return answer;
  const [rows, failing, ahead, queued, paused] = answer.value;
  return ok({
    buckets: new Map(rows.map((row) => [row.at, countedOf(row)])),
    failing,
    overdue: overdueOf(ahead, queued, now),
    flows: heldOf(ahead, paused),
    due: dueOf(ahead, now),
    dueUntil: stopOf(ahead) ?? now + AHEAD_MS,
  });
}

export interface Total {
  readonly counted: Counted | undefined;
  readonly overdue: OverdueJobs;
  /** As in an overview. */
  readonly flows: readonly string[];
  readonly pausedFlows: number;
}

/** What a scrape of one account reads. */
export async function readTotal(db: Database, accountId: string, now: number): Promise<Stored<Total>> {
  const total = db
    .select(SUMS)
    .from(overview)
    .where(and(eq(overview.accountId, accountId), eq(overview.minute, TOTAL)))
    .groupBy(overview.accountId);
  const answer = await stored(() =>
    db.batch([total, ...lookAheadOf(db, accountId, now), pausedFlowsOf(db, accountId)]),
  );
  if (!answer.ok) return answer;
  const [[row], ahead, queued, paused] = answer.value;
  return ok({
    ...{ counted: row && countedOf(row), overdue: overdueOf(ahead, queued, now) },
    ...{ flows: heldOf(ahead, paused), pausedFlows: paused.length },
  });
}

export interface Totals {
  /** The first accounts, each with what was ever counted; undefined when nothing was. */
  readonly accounts: readonly { readonly accountId: string; readonly counted: Counted | undefined }[];
  /** How many there are beside them; counting stops at 10,000. */
  readonly left: number;
  readonly overdue: ReadonlyMap<string, OverdueJobs>;
  /** How many flows of an account are paused, of the first 10,000 flows of all. */
  readonly pausedFlows: ReadonlyMap<string, number>;
  /** Whether all overdue jobs have been looked at. */
  readonly isComplete: boolean;
}

/** The same of all accounts that live in a database, by its number, for the operator: of as many as `most`, and of jobs within one limit for all. */
export async function readTotals(db: Database, at: number, most: number, now: number): Promise<Stored<Totals>> {
  const isThere = and(inArray(accounts.status, ["active", "suspended"]), eq(accounts.database, at));
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
  const answer = await stored(() =>
    db.batch([sums, number, pausedOfAll(db), aheadOf(db, null, now), queuedOf(db, shown, now)]),
  );
  if (!answer.ok) return answer;
  const [rows, [counted], paused, ahead, queued] = answer.value;
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
    pausedFlows: new Map(paused.map((one) => [one.accountId, one.paused])),
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
