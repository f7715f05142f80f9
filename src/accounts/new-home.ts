// Which database a new account is given.

import { boundDatabases, isOneDatabase } from "../store/databases.ts";
import { loadOf } from "../store/load.ts";

/** How far back jobs count. */
const LATELY_MS = 24 * 3_600_000;

/**
 * The database whose accounts have started the fewest attempts lately; of several, the one with the fewest accounts. One that does not
 * answer is given to nobody.
 */
export async function newHome(env: Cloudflare.Env, now: number): Promise<number> {
  if (isOneDatabase(env)) return 0;
  const loads = await Promise.all(
    boundDatabases(env).map(async ({ db, number }) => {
      const load = await loadOf(db, number, now - LATELY_MS);
      return load.ok ? [{ number, ...load.value }] : [];
    }),
  );
  const [least] = loads.flat().sort((a, b) => a.started - b.started || a.accounts - b.accounts || a.number - b.number);
  return least?.number ?? 0;
}
