// Two databases, and what of an account is in each.

import { env } from "cloudflare:workers";
import { boundDatabases } from "../../../src/store/databases.ts";
import { MOVED } from "../../../src/store/moved-tables.ts";

/** Those that accounts of these tests live in: `DB`, `DB_1` and `DB_2`. */
export const DATABASES = boundDatabases(env)
  .slice(0, 3)
  .map(({ binding }) => binding) as [D1Database, D1Database, D1Database];

/** Accounts that a test leaves on their way would hold up the counts of their database. */
export async function forgetMoves(): Promise<void> {
  for (const database of DATABASES) await database.prepare("DELETE FROM account_moves").run();
}

type Row = Record<string, unknown>;

/** All rows of an account, by their tables; the stamps of the counting are left out. */
export async function rowsIn(database: D1Database, accountId: string): Promise<Record<string, Row[]>> {
  const found = await database.batch<Row>(
    MOVED.map(({ name, key }) =>
      database
        .prepare(`SELECT * FROM ${name} WHERE account_id = ? ORDER BY ${key.map((column) => column.name).join(", ")}`)
        .bind(accountId),
    ),
  );
  return Object.fromEntries(
    MOVED.map(({ name }, i) => [name, (found[i]?.results ?? []).map(({ tally: _, ...row }) => row)]),
  );
}

/** How many rows an account has in a database. */
export async function countIn(database: D1Database, accountId: string): Promise<number> {
  return Object.values(await rowsIn(database, accountId)).flat().length;
}
