// What an account leaves when it is deleted: nothing, once the hourly walk has passed. All others are as they were.

import type { World } from "../world.ts";
import { countIn, TABLES } from "./databases.ts";

const MINUTE = 60_000;

/** A walk begins once an hour, and takes minutes. */
const WALKED_AFTER_MS = 70 * MINUTE;

export async function checkGoodbyes(world: World): Promise<void> {
  const { climate, ledger, platform } = world;
  const gone = ledger.tenants.filter(({ deletedAt }) => deletedAt !== null);
  if (gone.length === 0) return;
  await world.sleep(WALKED_AFTER_MS);
  for (const { id, name } of gone) {
    const count = (from: string, column: string) =>
      platform.databases.reduce((sum, { db }) => sum + countIn(db, from, column, id), 0);
    for (const table of TABLES)
      if (count(table, "account_id") > 0)
        ledger.violated("a deleted account leaves nothing", `${name}: ${count(table, "account_id")} rows in ${table}`);
    if (count("accounts", "id") > 0 || count("api_keys", "account_id") > 0)
      ledger.violated("a deleted account leaves nothing", `${name} is there`);
    // An owner whose alarm is lost when its row is gone stays as it is: nobody asks for it again.
    if (climate.has("lost-alarms")) continue;
    for (const [object] of platform.objects.stored())
      if (/^(Job|Schedule|Flow)Object /.test(object) && object.includes(` ${id}/`))
        ledger.violated("a deleted account leaves nothing", `${name}: ${object}`);
  }
}
