// The migrations of the local database: each is applied wholly or not at all, whenever the process dies. The record is
// wrangler's own, so that `wrangler d1 migrations apply --local` agrees.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Miniflare } from "miniflare";
import { nameOfDatabase } from "../src/domain/databases.ts";
import type { Description } from "./build.ts";
import { miniflareOptions, openMiniflare, watchRuntime } from "./miniflare.ts";
import { StartError } from "./settings.ts";

const RECORD = `CREATE TABLE IF NOT EXISTS d1_migrations(
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
)`;

/**
 * Applies the migrations that the databases have not had yet.
 * @throws StartError if an account lives in a database that is not among them
 * @param onRuntime a process that must not outlive us
 */
export async function migrate(
  stateFolder: string,
  { databases, migrations }: Description,
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
      d1Databases: databases,
    }),
  );
  try {
    for (const name of Object.keys(databases)) {
      const wasEmpty = await bringUpToDate(await miniflare.getD1Database(name), migrations);
      if (name === "DB" && wasEmpty && existsSync(join(stateFolder, "dev.json")))
        console.warn(`The database in ${stateFolder} is empty: the jobs, accounts and keys it held before are gone.`);
    }
    await mustHoldAll(await miniflare.getD1Database("DB"), databases);
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`The database in ${join(stateFolder, "v3/d1")} cannot be used: ${messageOf(error)}`);
  } finally {
    await miniflare.dispose();
    unwatch();
  }
}

type Local = Awaited<ReturnType<Miniflare["getD1Database"]>>;

/** @returns true if nothing was there before */
async function bringUpToDate(db: Local, migrations: Description["migrations"]): Promise<boolean> {
  await db.prepare(RECORD).run();
  const rows: unknown[][] = await db.prepare("SELECT name FROM d1_migrations").raw();
  const had = new Set(rows.flat());
  for (const { name, statements } of migrations) {
    if (had.has(name)) continue;
    const record = db.prepare("INSERT INTO d1_migrations (name) VALUES (?)").bind(name);
    await db.batch([...statements.map((sql) => db.prepare(sql)), record]); // one transaction
  }
  return had.size === 0;
}

/** Accounts whose database is left out would wait for it for ever. */
async function mustHoldAll(directory: Local, databases: Description["databases"]): Promise<void> {
  const rows: unknown[][] = await directory.prepare("SELECT DISTINCT database FROM accounts").raw();
  const missing = rows.map(([number]) => Number(number)).filter((number) => !(nameOfDatabase(number) in databases));
  if (missing.length === 0) return;
  const needed = Math.max(...missing) + 1;
  throw new StartError(
    `Accounts live in ${missing.map(nameOfDatabase).join(", ")}: set CHRONOS_DATABASES to ${needed} at least.`,
  );
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
