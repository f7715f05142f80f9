// One of the databases, for a run of the cron.

import { boundDatabases } from "../store/databases.ts";
import type { Database } from "../store/store.ts";

export interface Here {
  readonly env: Cloudflare.Env;
  readonly db: Database;
  /** Accounts live here whose row has this number. */
  readonly number: number;
  /** The database in a line of the log, once there are several. */
  readonly label: { readonly database?: string };
}

/** All that are bound: each is worked on for itself. */
export function everywhere(env: Cloudflare.Env): Here[] {
  const all = boundDatabases(env);
  return all.map(({ db, number, name }) => ({ env, db, number, label: all.length > 1 ? { database: name } : {} }));
}
