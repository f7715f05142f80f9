// What was deleted a moment ago stays deleted. An insert whose answer was lost is sent again, and D1 may apply its first try when what the
// second has made is used and deleted: the row would be there once more, and a job would run again.

import { inArray, lt, type SQL, sql } from "drizzle-orm";
import { tombstones } from "./schema.ts";
import { type Database, stored } from "./store.ts";

/** Longer than a statement is on its way, and than anybody waits before he says once more that a job is to be made. */
export const BURIED_MS = 3_600_000;

/** So many are forgotten with one statement, in so many statements of an hour: 139 deletions a second leave nothing behind. */
const FORGOTTEN_AT_ONCE = 50_000;
const MAX_STATEMENTS = 10;

/** A condition of an insert: nothing of these ids was deleted a moment ago. Costs a look-up, and writes nothing. */
export const isNotDeleted = (...ids: readonly SQL[]): SQL =>
  sql`NOT EXISTS (SELECT 1 FROM ${tombstones} WHERE ${tombstones.id} IN (${sql.join([...ids], sql`, `)}))`;

/**
 * Remembers what the next statement of the batch deletes.
 *
 * @param ids a query of one column named `id`
 */
export const bury = (db: Database, ids: SQL, now: number) =>
  db.insert(tombstones).select(sql`SELECT buried.id, ${now} FROM (${ids}) AS buried WHERE true`).onConflictDoNothing();

/** Forgets what was deleted long ago. If that fails, the next hour's run does it. */
export async function forgetBuried(db: Database, now: number): Promise<void> {
  const isOld = lt(tombstones.deletedAt, now - BURIED_MS);
  const some = db.select({ id: tombstones.id }).from(tombstones).where(isOld).limit(FORGOTTEN_AT_ONCE);
  for (let sent = 0; sent < MAX_STATEMENTS; sent++) {
    const gone = await stored(() => db.delete(tombstones).where(inArray(tombstones.id, some)).run());
    if (!gone.ok || gone.value.meta.changes < FORGOTTEN_AT_ONCE) return;
  }
}
