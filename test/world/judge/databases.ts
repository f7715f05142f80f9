// Several databases: an account's rows are in one of them, and one that is not well holds up its own accounts and no others.

import type { DatabaseSync } from "node:sqlite";
import { nameOfDatabase } from "../../../src/domain/databases.ts";
import type { Answer } from "../platform/platform.ts";
import type { World } from "../world.ts";
import type { Tenant } from "./ledger.ts";

const SECOND = 1_000;

/** What has rows of an account, beside the directory's own. */
export const TABLES = [
  "jobs",
  "executions",
  "schedules",
  "webhooks",
  "bulk_actions",
  "handlers",
  "flows",
  "overview",
  "failures",
];

/** Of a request that waits for nothing. */
const SERVED_WITHIN_MS = 5 * SECOND;

/** These strike one database, for a time; the others disturb none. */
const OF_ONE_DATABASE = new Set(["d1-away", "d1-hangs", "d1-slow", "d1-overloaded", "clocks-differ", "requests-lost"]);

/** Whether nothing has gone wrong by now but with databases that the tenant has nothing to do with. */
export function usesNoBadDatabase({ climate, weather, databases }: World, { database, moves }: Tenant): boolean {
  if (moves || databases === 1 || ![...climate.keys()].every((fault) => OF_ONE_DATABASE.has(fault))) return false;
  return ![0, database].some((number) => weather.hasSuffered(nameOfDatabase(number)));
}

/** @param what was asked, by the tenant itself */
export function checkServed(world: World, tenant: Tenant, answer: Answer | null, what: string, tookMs: number): void {
  if (answer === null || !usesNoBadDatabase(world, tenant)) return;
  const isLong = what.includes("/v1/worker/jobs/claim");
  if (answer.status !== 503 && (isLong || tookMs <= SERVED_WITHIN_MS)) return;
  world.ledger.violated(
    "a database that is not well holds up its own accounts alone",
    `${tenant.name} in ${nameOfDatabase(tenant.database)}: ${what} is answered ${answer.status} after ${tookMs} ms`,
  );
}

export const countIn = (db: DatabaseSync, table: string, column: string, id: string): number =>
  Number(db.prepare(`SELECT count(*) AS n FROM ${table} WHERE ${column} = ?`).get(id)?.n);

/** All that an account has is where it lives. */
export function checkHome({ platform, ledger }: World, { id, name }: Tenant): void {
  const place = platform.databases[0]?.db.prepare("SELECT database, moving_to FROM accounts WHERE id = ?").get(id);
  const database = Number(place?.database ?? 0);
  if (typeof place?.moving_to === "number")
    ledger.violated("a move comes to its end", `${name} is still on its way to ${nameOfDatabase(place.moving_to)}`);
  for (const [number, { db }] of platform.databases.entries()) {
    if (number === database) continue;
    for (const table of TABLES) {
      const count = countIn(db, table, "account_id", id);
      if (count > 0)
        ledger.violated(
          "an account lives in one database",
          `${name} of ${nameOfDatabase(database)} has ${count} rows of ${table} in ${nameOfDatabase(number)}`,
        );
    }
  }
}
