// How an account stands in one database while it moves, and afterwards. A row is never removed and its attempt only grows, so a
// statement that is applied late, or was sent by an earlier try, changes nothing.

import { and, eq, inArray, lt, lte, ne, notInArray, type SQL, sql } from "drizzle-orm";
import type { MoveStage } from "../domain/account-move.ts";
import { ok } from "../domain/result.ts";
import { isAlone } from "./databases.ts";
import { listOf } from "./json-rows.ts";
import { accountMoves } from "./schema.ts";
import { canAnswer, type Database, MOVING, type Stored, stored } from "./store.ts";

const { stage, attempt } = accountMoves;

type Column = Parameters<typeof eq>[0] | SQL;

/**
 * Whether the account in this column lives in this database: otherwise its rows are copies that nobody believes.
 *
 * @returns undefined for the only database
 */
export const isServedHere = (db: Database, column: Column): SQL | undefined =>
  isAmongNone(db, column, notInArray(stage, ["here", "frozen"]));

/** The same, and its rows may be changed. */
export const isOpenHere = (db: Database, column: Column): SQL | undefined => isAmongNone(db, column, ne(stage, "here"));

const isAmongNone = (db: Database, column: Column, isOther: SQL): SQL | undefined =>
  isAlone(db)
    ? undefined
    : sql`${column} NOT IN (SELECT ${accountMoves.accountId} FROM ${accountMoves} WHERE ${isOther})`;

/** Whether an account is about to leave this database. */
export const IS_LEAVING: SQL = inArray(stage, ["frozen", "closed"]);

/**
 * Whether something may be added to the overview at the moment: not while that of an account that leaves is being copied.
 *
 * @returns undefined for the only database
 */
export const mayCount = (db: Database): SQL | undefined =>
  isAlone(db) ? undefined : sql`NOT EXISTS (SELECT 1 FROM ${accountMoves} WHERE ${IS_LEAVING})`;

const isOf = (accountId: string): SQL => eq(accountMoves.accountId, accountId);

/** Whether rows of the account may be copied to here, by this try. */
export const isArriving = (accountId: string, ofAttempt: number): SQL =>
  sql`EXISTS (SELECT 1 FROM ${accountMoves} WHERE ${and(isOf(accountId), eq(stage, "arriving"), eq(attempt, ofAttempt))})`;

const isAmong = (accountIds: readonly string[]): SQL => sql`${accountMoves.accountId} IN ${listOf(accountIds)}`;

/**
 * Fails if one of these accounts is not served here, and with it the transaction it stands in. `RAISE` is for triggers; a bad path of JSON
 * is an error as well, and says what we want to be told. Its only value is the accounts.
 */
const failsIf = (db: Database, accountIds: readonly string[], isElsewhere: SQL) =>
  db
    .select({ never: sql`json_extract('{}', ${sql.raw(`'${MOVING}: '`)} || ${stage})` })
    .from(accountMoves)
    .where(and(isAmong(accountIds), isElsewhere));

export const mayRead = (db: Database, accountIds: readonly string[]) =>
  failsIf(db, accountIds, sql`${stage} NOT IN ('here', 'frozen')`);

/** The same if its rows may not be changed. */
export const mayWrite = (db: Database, accountIds: readonly string[]) =>
  failsIf(db, accountIds, sql`${stage} <> 'here'`);

/** Which of these accounts may not be written here. Of the only database it asks nothing but whether it answers. */
export async function movingAmong(db: Database, accountIds: readonly string[]): Promise<Stored<string[]>> {
  if (isAlone(db)) {
    const answer = await canAnswer(db);
    return answer.ok ? ok([]) : answer;
  }
  return stored(async () => {
    const { accountId } = accountMoves;
    const found = await db
      .select({ accountId })
      .from(accountMoves)
      .where(and(isAmong(accountIds), ne(stage, "here")));
    return found.map((row) => row.accountId);
  });
}

export interface Standing {
  readonly stage: MoveStage;
  readonly attempt: number;
}

/** Nothing for an account that has never moved. */
export const standingHere = (db: Database, accountId: string) =>
  db.select({ stage, attempt }).from(accountMoves).where(isOf(accountId));

export const isAt = ([standing]: readonly Standing[], at: MoveStage, ofAttempt: number): boolean =>
  standing?.stage === at && standing.attempt === ofAttempt;

/** Writes a stage of this try, if the row may be overwritten. */
const put = (db: Database, accountId: string, next: MoveStage, ofAttempt: number, setWhere: SQL) =>
  db
    .insert(accountMoves)
    .values({ accountId, stage: next, attempt: ofAttempt })
    .onConflictDoUpdate({ target: accountMoves.accountId, set: { stage: next, attempt: ofAttempt }, setWhere });

/** Goes from one stage of a try to its next. */
export const goesOn = (db: Database, accountId: string, from: MoveStage, to: MoveStage, ofAttempt: number) =>
  db
    .update(accountMoves)
    .set({ stage: to })
    .where(and(isOf(accountId), eq(stage, from), eq(attempt, ofAttempt)));

/** Whether the row is of an earlier try, or of this one in such a stage. */
const isOver = (upTo: number, stages: readonly MoveStage[]): SQL =>
  sql`(${lt(attempt, upTo)} OR ${and(lte(attempt, upTo), inArray(stage, [...stages]))})`;

type Write = ReturnType<typeof put> | ReturnType<typeof goesOn>;

/** @returns whether the account stands there now; false: a later try has been here */
async function reach(
  db: Database,
  accountId: string,
  write: Write,
  next: MoveStage,
  ofAttempt: number,
): Promise<Stored<boolean>> {
  const answer = await stored(() => db.batch([write, standingHere(db, accountId)]));
  return answer.ok ? ok(isAt(answer.value[1], next, ofAttempt)) : answer;
}

/** From now on nothing of the account is written here, whoever sends it and however late it is applied. */
export const freeze = (db: Database, accountId: string, ofAttempt: number): Promise<Stored<boolean>> =>
  reach(db, accountId, put(db, accountId, "frozen", ofAttempt, lt(attempt, ofAttempt)), "frozen", ofAttempt);

/** Nobody is answered either. */
export const close = (db: Database, accountId: string, ofAttempt: number): Promise<Stored<boolean>> =>
  reach(db, accountId, goesOn(db, accountId, "frozen", "closed", ofAttempt), "closed", ofAttempt);

/** Its rows are read again. Only before its switch is sent: afterwards it may live elsewhere. */
export const reopen = (db: Database, accountId: string, ofAttempt: number): Promise<Stored<boolean>> =>
  reach(db, accountId, goesOn(db, accountId, "closed", "frozen", ofAttempt), "frozen", ofAttempt);

/** The account lives elsewhere. */
export const leave = (db: Database, accountId: string, ofAttempt: number): Promise<Stored<boolean>> =>
  reach(db, accountId, goesOn(db, accountId, "closed", "left", ofAttempt), "left", ofAttempt);

/** Rows may be copied to here from now on. */
export const arrive = (db: Database, accountId: string, ofAttempt: number): Promise<Stored<boolean>> =>
  reach(db, accountId, put(db, accountId, "arriving", ofAttempt, lt(attempt, ofAttempt)), "arriving", ofAttempt);

/** The account works here again. Only after tries whose switch can no longer be applied. */
export const thaw = (db: Database, accountId: string, upTo: number): Promise<Stored<unknown>> =>
  stored(() => put(db, accountId, "here", upTo, isOver(upTo, ["frozen", "closed"])));

/** What these tries have copied to here is nobody's. */
export const dismiss = (db: Database, accountId: string, upTo: number): Promise<Stored<unknown>> =>
  stored(() => put(db, accountId, "left", upTo, isOver(upTo, ["arriving", "here"])));
