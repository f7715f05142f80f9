// Removes what an account has left behind in a database it has moved away from, in bounded steps.

import { and, asc, eq, inArray, type SQL, sql } from "drizzle-orm";
import type { MoveStage } from "../domain/account-move.ts";
import { ok } from "../domain/result.ts";
import { goesOn } from "./move-stages.ts";
import { MOVED, type MovedTable } from "./moved-tables.ts";
import { accountMoves, accounts } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Rows that one statement deletes. */
const PAGE_SIZE = 500;

/** An account that is between two databases, as one of them has it. */
export interface Between {
  readonly accountId: string;
  readonly stage: MoveStage;
  readonly attempt: number;
}

/** The accounts that stand so in this database. */
export const standingAt = (db: Database, stages: readonly MoveStage[], most: number): Promise<Stored<Between[]>> =>
  stored(() =>
    db
      .select()
      .from(accountMoves)
      .where(inArray(accountMoves.stage, [...stages]))
      .orderBy(asc(accountMoves.accountId))
      .limit(most)
      .all(),
  );

/** Corrects how an account stands, if it still stands so: a move that has begun since counts a higher try. */
export const correct = (
  db: Database,
  { accountId, stage, attempt }: Between,
  to: MoveStage,
): Promise<Stored<unknown>> => stored(() => goesOn(db, accountId, stage, to, attempt));

/**
 * Deletes what the account has left, page by page.
 *
 * @param number that of the database; in the directory, which is the first, the account keeps its place
 * @param take whether one more call to D1 may be made
 * @returns how many rows were deleted, those of indexes not counted
 */
export async function removeLeft(
  db: Database,
  number: number,
  left: Between,
  take: () => boolean,
): Promise<Stored<number>> {
  let deleted = 0;
  for (const table of MOVED) {
    for (;;) {
      if (!take()) return ok(deleted);
      const page = await stored(() => db.all<object>(deletePage(table, left)));
      if (!page.ok) return page;
      deleted += page.value.length;
      if (page.value.length < PAGE_SIZE) break;
    }
  }
  if (!take()) return ok(deleted);
  const last = goesOn(db, left.accountId, "left", "gone", left.attempt);
  const gone = await stored(async () => {
    if (number !== 0) await leavePlace(db, left);
    await last;
  });
  return gone.ok ? ok(deleted) : gone;
}

const hasLeft = ({ accountId, attempt }: Between): SQL =>
  sql`EXISTS (SELECT 1 FROM ${accountMoves} WHERE ${and(
    eq(accountMoves.accountId, accountId),
    eq(accountMoves.stage, "left"),
    eq(accountMoves.attempt, attempt),
  )})`;

/** The account's row in a database beside the directory. */
const leavePlace = (db: Database, left: Between) =>
  db.delete(accounts).where(and(eq(accounts.id, left.accountId), hasLeft(left)));

/** Nothing, once the account comes back: its rows are then being copied to here. */
function deletePage({ table, key }: MovedTable, left: Between): SQL {
  const names = sql.join([sql`account_id`, ...key.map(({ name }) => sql`${sql.identifier(name)}`)], sql`, `);
  return sql`DELETE FROM ${table} WHERE (${names}) IN (SELECT ${names} FROM ${table} WHERE account_id = ${left.accountId} LIMIT ${PAGE_SIZE})
    AND ${hasLeft(left)} RETURNING 1 AS one`;
}
