// The databases that are bound: `DB`, which is also the directory of all accounts and keys, and `DB_1` to `DB_99`. An account lives in one
// of them. No other file touches these bindings.

import { drizzle } from "drizzle-orm/d1";
import { numberOfDatabase } from "../domain/databases.ts";
import type { Database } from "./store.ts";

/** A database that is bound. */
export interface Bound {
  readonly number: number;
  /** The name of its binding. */
  readonly name: string;
  readonly binding: D1Database;
  /** What is stored there, whoever lives there: for those who work for all accounts of a database. */
  readonly db: Database;
}

const known = new WeakMap<object, readonly Bound[]>();

/** Databases that are the only one: no account moves from or to them. */
const alone = new WeakSet<Database>();

/** All that are bound, by their numbers; some in between may be missing. */
export function boundDatabases(env: Cloudflare.Env): readonly Bound[] {
  const before = known.get(env);
  if (before) return before;
  const bound = Object.entries(env).flatMap(([name, binding]): Bound[] => {
    const number = numberOfDatabase(name);
    return number === undefined ? [] : [{ number, name, binding, db: drizzle(binding) }];
  });
  bound.sort((a, b) => a.number - b.number);
  known.set(env, bound);
  const [first, ...others] = bound;
  if (first && others.length === 0) alone.add(first.db);
  return bound;
}

/** True while all accounts live in `DB`. */
export const isOneDatabase = (env: Cloudflare.Env): boolean => boundDatabases(env).length === 1;

/** True if no account can be on its way from or to this database: then its statements have nothing to look for. */
export const isAlone = (db: Database): boolean => alone.has(db);

export const databaseAt = (env: Cloudflare.Env, number: number): Bound | undefined =>
  boundDatabases(env).find((one) => one.number === number);

/** Accounts, API keys, and who lives where. */
export const directoryOf = (env: Cloudflare.Env): Database => databaseAt(env, 0)?.db ?? drizzle(env.DB);
