// The migrations of the local database: each is applied wholly or not at all, whenever the process dies. The record is
// wrangler's own, so that `wrangler d1 migrations apply --local` agrees.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Description } from "./build.ts";
import { miniflareOptions, openMiniflare, watchRuntime } from "./miniflare.ts";
import { StartError } from "./settings.ts";

const RECORD = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/**
 * Applies the migrations that the database has not had yet.
 * @param onRuntime a process that must not outlive us
 */
export async function migrate(
  stateFolder: string,
  { databaseId, migrations }: Description,
  onRuntime: (pid: number) => void,
): Promise<void> {
  const unwatch = watchRuntime(
    (_, pid) => onRuntime(pid),
    () => {},
  );
  const miniflare = openMiniflare(
    miniflareOptions(stateFolder, {
      handleStructuredLogs: () => {}, // a failure is told below, without the runtime's stack
      modules: true,
      script: "",
      d1Databases: { DB: databaseId },
    }),
  );
  try {
    const db = await miniflare.getD1Database("DB");
    await db.prepare(RECORD).run();
    const rows: unknown[][] = await db.prepare("SELECT name FROM d1_migrations").raw();
    const had = new Set(rows.flat());
    if (had.size === 0 && existsSync(join(stateFolder, "dev.json")))
      console.warn(`The database in ${stateFolder} is empty: the jobs, accounts and keys it held before are gone.`);
    for (const { name, statements } of migrations) {
      if (had.has(name)) continue;
      const record = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
      await db.batch([...statements.map((sql) => db.prepare(sql)), record]); // one transaction
    }
  } catch (error) {
    throw new StartError(`The database in ${join(stateFolder, "v3/d1")} cannot be used: ${messageOf(error)}`);
  } finally {
    await miniflare.dispose();
    unwatch();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
