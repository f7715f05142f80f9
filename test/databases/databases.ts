// The databases as a test looks at them: which rows lie where.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { getTableColumns, getTableName, is } from "drizzle-orm";
import { SQLiteTable } from "drizzle-orm/sqlite-core";
import worker from "../../src/index.ts";
import * as schema from "../../src/store/schema.ts";

export const ALL = { DB: env.DB, DB_1: env.DB_1, DB_2: env.DB_2, DB_3: env.DB_3 };
export type Name = keyof typeof ALL;
export const NAMES = Object.keys(ALL) as Name[];

/** The tables that hold rows of accounts; the walks' places name one as well. */
const TABLES = Object.values(schema)
  .filter((one) => is(one, SQLiteTable))
  .filter((table) => "accountId" in getTableColumns(table))
  .map((table) => getTableName(table))
  .filter((name) => name !== "look_ahead" && !name.endsWith("_walk"));

/** Where an account has rows: the tables, by the databases. */
export async function traces(accountId: string): Promise<Partial<Record<Name, string[]>>> {
  const found: Partial<Record<Name, string[]>> = {};
  for (const name of NAMES) {
    const tables = [];
    for (const table of TABLES) {
      const rows = ALL[name].prepare(`SELECT count(*) AS n FROM ${table} WHERE account_id = ?`).bind(accountId);
      if (((await rows.first<number>("n")) ?? 0) > 0) tables.push(table);
    }
    const account = ALL[name].prepare("SELECT 1 AS one FROM accounts WHERE id = ?").bind(accountId);
    if (await account.first()) tables.push("accounts");
    if (tables.length > 0) found[name] = tables.sort();
  }
  return found;
}

export const cron = () => worker.scheduled(createScheduledController(), env);
