// The databases that a move is about, as they are: a move sees both sides, whoever lives there.

import type { AccountMove } from "../../domain/account-move.ts";
import { err, ok } from "../../domain/result.ts";
import { log } from "../../log.ts";
import { databaseAt, directoryOf } from "../../store/databases.ts";
import type { Database, Stored } from "../../store/store.ts";

export interface Databases {
  readonly directory: Database;
  readonly source: Database;
  readonly target: Database;
}

/** Neither of them may be unbound while the account moves: the move waits until it is bound again. */
export function databasesOf(env: Cloudflare.Env, { accountId, from, to }: AccountMove): Stored<Databases> {
  const [source, target] = [databaseAt(env, from), databaseAt(env, to)];
  if (source && target) return ok({ directory: directoryOf(env), source: source.db, target: target.db });
  log("error", "database_not_bound", { account_id: accountId, from, to });
  return err({ code: "unavailable", retryAfterSeconds: 60 });
}
