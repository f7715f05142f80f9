// How much is done in a database.

import { and, eq, gte, ne, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { accounts, overview } from "./schema.ts";
import { type Database, ONE_OF_SEVERAL_MS, type Stored, stored } from "./store.ts";

export interface Load {
  /** Attempts that have started and are over, since the moment that was asked for. */
  readonly started: number;
  readonly accounts: number;
}

/** @param number that of the database: its accounts are those whose row has it */
export async function loadOf(db: Database, number: number, since: number): Promise<Stored<Load>> {
  const found = await stored(() => loadQuery(db, number, since), ONE_OF_SEVERAL_MS);
  return found.ok ? ok(found.value ?? { started: 0, accounts: 0 }) : found;
}

async function loadQuery(db: Database, number: number, since: number): Promise<Load | undefined> {
  return db
    .select({
      started: sql<number>`coalesce(sum(${overview.started}), 0)`,
      accounts: sql<number>`count(DISTINCT ${accounts.id})`,
    })
    .from(accounts)
    .leftJoin(overview, and(eq(overview.accountId, accounts.id), gte(overview.minute, since)))
    .where(and(eq(accounts.database, number), ne(accounts.status, "deleted")))
    .get();
}
