// Accounts that move: whoever moves them is woken, should it have died, and what they have left behind is removed.

import type { MoveStage } from "../domain/account-move.ts";
import type { Allowance } from "../domain/allowance.ts";
import { log } from "../log.ts";
import { accountMoveOf, ask } from "../objects/addresses.ts";
import { directoryOf } from "../store/databases.ts";
import { movingAccounts, type Residing, readResidence } from "../store/directory.ts";
import { type Between, correct, removeLeft, standingAt } from "../store/left-behind.ts";
import type { Database } from "../store/store.ts";
import type { Here } from "./here.ts";

/** Moves that are woken, and accounts that are looked at in a database, in one run. */
const PAGE_SIZE = 20;

/** The moves that the directory has announced. Each walks by itself: a healthy one is woken for nothing. */
export async function wakeMoves(env: Cloudflare.Env, allowance: Allowance): Promise<void> {
  if (!allowance.take(1)) return;
  const moving = await movingAccounts(directoryOf(env), "", PAGE_SIZE);
  if (!moving.ok) return log("warn", "moves_failed", {});
  for (const accountId of moving.value)
    if (allowance.take(1)) await ask(() => accountMoveOf(env, accountId).wake(accountId));
}

/** What moves have left in a database. */
export async function clearMoves({ env, db, number, label }: Here, allowance: Allowance): Promise<void> {
  if (!allowance.take(2)) return;
  const between = await standingAt(db, ["frozen", "closed", "arriving"], PAGE_SIZE);
  const left = await standingAt(db, ["left"], PAGE_SIZE);
  if (!between.ok || !left.ok) return log("warn", "moves_failed", label);
  for (const one of between.value) {
    if (!allowance.take(2)) return;
    await settle(directoryOf(env), db, one, number);
  }
  for (const one of left.value) {
    const removed = await removeLeft(db, number, one, () => allowance.take(1));
    if (!removed.ok) return log("warn", "moves_failed", label);
    if (removed.value > 0)
      log("info", "left_rows_removed", { ...label, account_id: one.accountId, rows: removed.value });
  }
}

/** A stage whose move is over, or has forgotten it. While the account moves it is left to the move. */
async function settle(directory: Database, db: Database, one: Between, database: number): Promise<void> {
  const residing = await readResidence(directory, one.accountId);
  if (!residing.ok) return;
  const stage = stageOver(residing.value, one, database);
  if (stage) await correct(db, one, stage);
}

/** How an account stands in a database when its move is over; undefined while it goes on. */
function stageOver(residing: Residing | undefined, { stage }: Between, database: number): MoveStage | undefined {
  if (!residing) return "left";
  if (residing.database === database) return residing.movingTo === null && stage !== "arriving" ? "here" : undefined;
  return residing.movingTo === database ? undefined : "left";
}
