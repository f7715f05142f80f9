// Where an account lives: in one of the databases that are bound. As long as there is one, nobody asks.

import { nameOfDatabase } from "../domain/databases.ts";
import { ok } from "../domain/result.ts";
import { databaseAt, directoryOf, isOneDatabase } from "../store/databases.ts";
import { guarded } from "../store/guarded.ts";
import type { Database, Stored } from "../store/store.ts";
import { rememberedAccount, renewAccount } from "./standing.ts";

/**
 * The number of the database that an account lives in. One that is not there any more has left nothing that is worth a search, and lives
 * in the directory. Known from memory for a minute, and for an hour while the directory does not answer.
 */
export async function homeOf(env: Cloudflare.Env, accountId: string): Promise<Stored<number>> {
  if (isOneDatabase(env)) return ok(0);
  const found = await rememberedAccount(env, accountId, Date.now);
  return found.ok ? ok(found.value?.database ?? 0) : found;
}

/**
 * The database that an account lives in. It is looked for by the first query: while nobody can tell, queries fail as if it were down. One
 * that the account has left says so, and the account is looked for again.
 */
export function databaseOf(env: Cloudflare.Env, accountId: string): Database {
  if (isOneDatabase(env)) return directoryOf(env);
  return guarded({ accountId, find: () => bindingOf(env, accountId), renew: () => renewAccount(env, accountId) });
}

async function bindingOf(env: Cloudflare.Env, accountId: string): Promise<D1Database> {
  const home = await homeOf(env, accountId);
  if (!home.ok) throw new Error("the directory does not answer");
  const bound = databaseAt(env, home.value);
  if (!bound) throw new Error(`${nameOfDatabase(home.value)} is not bound`);
  return bound.binding;
}
