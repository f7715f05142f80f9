// Where accounts live, as the directory has it: the one statement that moves an account is here.

import { and, asc, eq, gt, isNotNull, isNull, ne, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { accounts } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Where an account lives, and goes. */
export interface Residing {
  readonly status: "active" | "suspended" | "deleted";
  readonly database: number;
  readonly movingTo: number | null;
  readonly moveAttempt: number;
}

const { id, status, database, movingTo, moveAttempt } = accounts;

const row = (db: Database, accountId: string) =>
  db.select({ status, database, movingTo, moveAttempt }).from(accounts).where(eq(id, accountId));

/**
 * Says that an account is to move: from then on it does, whoever dies. Safe to repeat.
 *
 * @returns where the account lives and moves to by then; undefined when there is none
 */
export async function announceMove(db: Database, accountId: string, to: number): Promise<Stored<Residing | undefined>> {
  const announce = db
    .update(accounts)
    .set({ movingTo: to })
    .where(and(eq(id, accountId), ne(status, "deleted"), isNull(movingTo), ne(database, to)));
  const answer = await stored(() => db.batch([announce, row(db, accountId)]));
  if (!answer.ok) return answer;
  const [, [residing]] = answer.value;
  return ok(residing?.status === "deleted" ? undefined : residing);
}

export async function readResidence(db: Database, accountId: string): Promise<Stored<Residing | undefined>> {
  return stored(() => row(db, accountId).get());
}

/** Counts a try. From then on no switch of an earlier one is applied. @returns undefined when the account is gone */
export async function countTry(db: Database, accountId: string, to: number): Promise<Stored<Residing | undefined>> {
  const counted = db
    .update(accounts)
    .set({ moveAttempt: sql`${moveAttempt} + 1` })
    .where(and(eq(id, accountId), eq(movingTo, to)));
  const answer = await stored(() => db.batch([counted, row(db, accountId)]));
  return answer.ok ? ok(answer.value[1][0]) : answer;
}

const isOfTry = (accountId: string, to: number, attempt: number) =>
  and(eq(id, accountId), eq(movingTo, to), eq(moveAttempt, attempt));

/** The account lives there from now on. @returns how it stands then: another try may have begun */
export async function switchDatabase(
  db: Database,
  accountId: string,
  to: number,
  attempt: number,
): Promise<Stored<Residing | undefined>> {
  const switched = db
    .update(accounts)
    .set({ database: to, movingTo: null })
    .where(isOfTry(accountId, to, attempt));
  const answer = await stored(() => db.batch([switched, row(db, accountId)]));
  return answer.ok ? ok(answer.value[1][0]) : answer;
}

/** The account stays where it is. */
export const callOffMove = (db: Database, accountId: string, to: number, attempt: number): Promise<Stored<unknown>> =>
  stored(() =>
    db
      .update(accounts)
      .set({ movingTo: null })
      .where(isOfTry(accountId, to, attempt)),
  );

/**
 * Says in a database beside the directory that the account lives elsewhere: retention and the operator's metrics pass it over. In the
 * directory itself the switch does that.
 */
export const residesElsewhere = (db: Database, accountId: string, at: number): Promise<Stored<unknown>> =>
  stored(() => db.update(accounts).set({ database: at }).where(eq(id, accountId)));

/** The accounts that move, behind this one. */
export async function movingAccounts(db: Database, after: string, most: number): Promise<Stored<string[]>> {
  const found = await stored(() =>
    db
      .select({ id })
      .from(accounts)
      .where(and(isNotNull(movingTo), gt(id, after)))
      .orderBy(asc(id))
      .limit(most),
  );
  return found.ok ? ok(found.value.map((one) => one.id)) : found;
}
