// Counts what was lost with a projector's memory: a walk over all jobs and executions that adds up those which carry the stamp of an
// epoch that was left open. It goes page by page, each added in the transaction that moves its place on, and remembers the place.

import { and, asc, eq, gt, gte, isNotNull, isNull, lt, ne, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import type { Delivery, ExecutionStatus, FaultCode } from "../domain/job.ts";
import { err, ok } from "../domain/result.ts";
import { endsJobBy, hostOf, type SettledExecution, Tally } from "../domain/tally.ts";
import { listOf } from "./json-rows.ts";
import { mayCount } from "./move-stages.ts";
import { executions, jobs, recountWalk, tallyEpochs } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { addOwnTally } from "./tallies.ts";
import { claimOld } from "./tally-epochs.ts";

/** Rows of each of the two tables that one page reads. */
const PAGE_SIZE = 1_000;
/** Pages of one run at most: the database serves others, too. */
const PAGES = 200;

/** A claimed epoch is remembered so long, for batches that come late. */
const REMEMBERED_MS = 24 * 3_600_000;

/** Behind all executions of a job: the place of its row, so that what moves out of the row is not passed over or met twice. */
export const ROW = Number.MAX_SAFE_INTEGER;

export interface Position {
  readonly accountId: string;
  readonly jobId: string;
  readonly attempt: number;
}

const START: Position = { accountId: "", jobId: "", attempt: ROW };
const FINISHED: Position = { accountId: "~", jobId: "", attempt: 0 };

type Walk = Omit<typeof recountWalk.$inferSelect, "id">;

/**
 * One run of the walk; it begins when an epoch was left, and otherwise costs a look.
 *
 * @param maxCalls how many calls to D1 it may make
 * @returns how many executions were added
 */
export async function recount(db: Database, maxCalls: number, now: number): Promise<Stored<number>> {
  let calls = maxCalls - 1;
  const left = await leftEpochs(db, now);
  if (!left.ok) return left;
  if (left.value.epochs.length === 0) return ok(0);
  let { walk } = left.value;
  if (walk.accountId === FINISHED.accountId) {
    if (--calls < 0) return ok(0);
    const begun = await moveOn(db, walk, START, [takeUp(db, walk, left.value.epochs)]);
    if (!begun.ok) return begun;
    walk = begun.value;
  }
  const taken = left.value.epochs.filter((epoch) => epoch.walk !== null || left.value.walk.step !== walk.step);
  const ids = taken.map(({ id }) => id);
  let counted = 0;
  let place: Position = walk;
  for (let page = 0; page < PAGES && calls >= 2 && place.accountId !== FINISHED.accountId; page++) {
    const found = await onePage(db, place, ids);
    if (!found.ok) return found;
    calls -= 1;
    place = found.value.next;
    if (found.value.settled.length === 0) continue;
    const moved = await moveOn(db, walk, place, addAll(db, found.value.settled, walk), now);
    if (!moved.ok) return moved;
    calls -= 1;
    walk = moved.value;
    counted += found.value.settled.length;
  }
  if (isSame(place, walk)) return ok(counted);
  const kept = await moveOn(db, walk, place, [], now);
  return kept.ok ? ok(counted) : kept;
}

const isSame = (one: Position, other: Position): boolean =>
  one.accountId === other.accountId && one.jobId === other.jobId && one.attempt === other.attempt;

/** Claims what nobody will flush, and forgets what was counted long ago. */
async function leftEpochs(
  db: Database,
  now: number,
): Promise<Stored<{ walk: Walk; epochs: { id: number; walk: number | null }[] }>> {
  const left = and(isNotNull(tallyEpochs.claimedAt), isNull(tallyEpochs.countedAt));
  const answer = await stored(() =>
    db.batch([
      claimOld(db, now),
      db.delete(tallyEpochs).where(lt(tallyEpochs.countedAt, now - REMEMBERED_MS)),
      db.select({ id: tallyEpochs.id, walk: tallyEpochs.walk }).from(tallyEpochs).where(left),
      db.select().from(recountWalk),
    ]),
  );
  if (!answer.ok) return answer;
  const [, , epochs, [known]] = answer.value;
  return ok({ walk: known ?? { step: 0, ...FINISHED }, epochs });
}

/** Whether nobody has written since the walk was read, and counts may be added. Before the first walk there is no row. */
function isStill(db: Database, { step }: Walk): SQL {
  const isAt =
    step === 0
      ? sql`NOT EXISTS (SELECT 1 FROM ${recountWalk})`
      : sql`EXISTS (SELECT 1 FROM ${recountWalk} WHERE ${eq(recountWalk.step, step)})`;
  return and(isAt, mayCount(db)) ?? isAt;
}

/** A walk counts the epochs that were claimed when it began; what is claimed meanwhile waits for the next one. */
const takeUp = (db: Database, walk: Walk, epochs: readonly { readonly id: number }[]) =>
  db
    .update(tallyEpochs)
    .set({ walk: walk.step + 1 })
    .where(and(sql`${tallyEpochs.id} IN ${listOf(epochs.map(({ id }) => id))}`, isStill(db, walk)));

const finish = (db: Database, walk: Walk, now: number) =>
  db
    .update(tallyEpochs)
    .set({ countedAt: now })
    .where(and(isNotNull(tallyEpochs.walk), isNull(tallyEpochs.countedAt), isStill(db, walk)));

/**
 * Writes something and moves the place on, in one transaction, if nobody has done so since the walk was read.
 *
 * @returns the walk as it is then; `unavailable` when another run has been there
 */
async function moveOn(
  db: Database,
  walk: Walk,
  { accountId, jobId, attempt }: Position,
  writes: readonly BatchItem<"sqlite">[],
  now = 0,
): Promise<Stored<Walk>> {
  const next = { step: walk.step + 1, accountId, jobId, attempt };
  const move = db
    .insert(recountWalk)
    .select(sql`SELECT 1, ${next.step}, ${accountId}, ${jobId}, ${attempt} WHERE ${isStill(db, walk)}`)
    .onConflictDoUpdate({ target: recountWalk.id, set: next });
  const ends = accountId === FINISHED.accountId ? [finish(db, walk, now)] : [];
  const answer = await stored(() => db.batch([present(db), ...writes, ...ends, move, present(db)]));
  if (!answer.ok) return answer;
  const [at] = answer.value.at(-1) as Walk[];
  const isOurs = at?.step === next.step && isSame(at, next);
  return isOurs ? ok(next) : err({ code: "unavailable", retryAfterSeconds: 5 });
}

const present = (db: Database) => db.select().from(recountWalk);

function addAll(db: Database, settled: readonly SettledExecution[], walk: Walk) {
  const tally = new Tally();
  for (const one of settled) tally.add(one);
  return addOwnTally(db, tally, isStill(db, walk));
}

interface Page {
  readonly settled: readonly SettledExecution[];
  readonly next: Position;
}

/** A row of a page: its place, and what it holds that is to be counted. */
type Row = Position & { readonly found: string | null };

/** Both tables are read in one transaction: an execution that moves from one to the other is in one of them. */
async function onePage(db: Database, from: Position, epochs: readonly number[]): Promise<Stored<Page>> {
  const answer = await stored(() => db.batch([pageOfJobs(db, from, epochs), pageOfExecutions(db, from, epochs)]));
  if (!answer.ok) return answer;
  const pages: readonly (readonly Row[])[] = answer.value;
  // A full page may hide rows behind its last one: the other table's rows beyond that come next time.
  const ends = pages.flatMap((rows) => (rows.length === PAGE_SIZE ? rows.slice(-1) : [])).sort(inOrder);
  const end = ends[0];
  const rows = pages.flat().filter((row) => end === undefined || inOrder(row, end) <= 0);
  const next = end ? { accountId: end.accountId, jobId: end.jobId, attempt: end.attempt } : FINISHED;
  return ok({ settled: rows.flatMap((row) => (row.found === null ? [] : [settledOf(row, row.found)])), next });
}

/** Whether a walk that stands at `place` has been there. */
export const isPassed = (at: Position, place: Position): boolean => inOrder(at, place) <= 0;

/** As the keys of both tables are sorted. */
const inOrder = (one: Position, other: Position): number =>
  compare(one.accountId, other.accountId) || compare(one.jobId, other.jobId) || one.attempt - other.attempt;

const compare = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

function pageOfJobs(db: Database, from: Position, epochs: readonly number[]) {
  const key = sql`(${jobs.accountId}, ${jobs.id})`;
  const place = sql`(${from.accountId}, ${from.jobId})`;
  const isLost = sql`${jobs.tally} IS NOT NULL AND ${jobs.tally} >> 1 IN ${listOf(epochs)} AND ${jobs.origin} <> 'event'`;
  const found = sql<string | null>`CASE WHEN ${isLost} THEN ${foundOfJob} END`;
  return db
    .select({ accountId: jobs.accountId, jobId: jobs.id, attempt: sql<number>`${ROW}`, found })
    .from(jobs)
    .where(from.attempt === ROW ? gt(key, place) : gte(key, place))
    .orderBy(asc(jobs.accountId), asc(jobs.id))
    .limit(PAGE_SIZE);
}

function pageOfExecutions(db: Database, from: Position, epochs: readonly number[]) {
  const { accountId, jobId, attempt, tally } = executions;
  const isLost = sql`${tally} IS NOT NULL AND ${tally} >> 1 IN ${listOf(epochs)}`;
  const found = sql<string | null>`CASE WHEN ${isLost} THEN ${foundOfExecution} END`;
  return db
    .select({ accountId, jobId, attempt, found })
    .from(executions)
    .where(gt(sql`(${accountId}, ${jobId}, ${attempt})`, sql`(${from.accountId}, ${from.jobId}, ${from.attempt})`))
    .orderBy(asc(accountId), asc(jobId), asc(attempt))
    .limit(PAGE_SIZE);
}

/** What is counted of an execution, with what its job says of where it went. */
function foundOf(status: SQLiteColumn, ...[tally, dueAt, startedAt, completedAt, error]: (SQLiteColumn | SQL)[]): SQL {
  return sql`json_array(${status}, ${tally}, ${dueAt}, ${startedAt}, ${completedAt}, ${error}, ${jobs.handler}, json(${jobs.delivery}))`;
}

const isApart = sql`EXISTS (SELECT 1 FROM ${executions} WHERE ${executions.accountId} = ${jobs.accountId}
    AND ${executions.jobId} = ${jobs.id} AND ${executions.attempt} = ${jobs.attempt}
    AND ${executions.completedAt} IS NOT NULL)`;

/** What is to be counted of the execution in a job's row; null when it stands apart, and is counted there. */
export const foundOfJob = sql<string | null>`CASE WHEN NOT ${isApart}
    THEN ${foundOf(jobs.executionStatus, jobs.tally, jobs.dueAt, jobs.startedAt, jobs.settledAt, sql`${jobs.lastError} ->> 'code'`)} END`;

// A condition of its own: columns that stand in a selected expression itself lose the names of their tables.
const isOfJob = and(eq(jobs.accountId, executions.accountId), eq(jobs.id, executions.jobId), ne(jobs.origin, "event"));

/** The same of an execution that stands apart. */
export const foundOfExecution = sql<string | null>`(SELECT ${foundOf(
  executions.status,
  executions.tally,
  executions.dueAt,
  executions.startedAt,
  executions.completedAt,
  sql`${executions.error} ->> 'code'`,
)} FROM ${jobs} WHERE ${isOfJob})`;

type Found = [ExecutionStatus, number, number, number, number, FaultCode | null, string | null, Delivery];

export function settledOf({ accountId, jobId }: Position, found: string): SettledExecution {
  const [status, stamp, dueAt, startedAt, completedAt, errorCode, handler, delivery] = JSON.parse(found) as Found;
  const facts = { accountId, jobId, handler, host: hostOf(delivery), errorCode, endsJob: endsJobBy(stamp) };
  return { ...facts, status, dueAt, startedAt, completedAt };
}
