// The files of the embedded service's databases, as SQLite sees them from another process.

import { readdirSync } from "node:fs";
import { join } from "node:path";

/** In no order: which is which, their rows tell. */
export function databaseFiles(state: string): string[] {
  const folder = join(state, "v3/d1/miniflare-D1DatabaseObject");
  const names = readdirSync(folder).filter((name) => /^[0-9a-f]+\.sqlite$/.test(name));
  return names.map((name) => join(folder, name));
}
