// Reads wrangler.toml and the migrations, as wrangler itself understands them. Only a clone can do this.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type Unstable_Config,
  unstable_getMiniflareWorkerOptions,
  unstable_readConfig,
  unstable_splitSqlQuery,
} from "wrangler";
import { type Description, withDatabases } from "./build.ts";
import { PROJECT } from "./packed.ts";
import { configFor } from "./wrangler.ts";

const MIGRATIONS = join(PROJECT, "migrations");

const limitsOf = ({ ratelimits }: Unstable_Config): Description["rateLimits"] =>
  ratelimits.map(({ name, simple }) => ({ name, ...simple }));

/** Lines of a configuration that binds as many databases as are wanted, beside those that wrangler.toml binds already. */
export function moreDatabases(stateFolder: string, count: number): string {
  const known = describeService(stateFolder);
  const names = Object.keys(withDatabases(known, count).databases).filter((name) => !(name in known.databases));
  return names.map((name) => `\n[[d1_databases]]\nbinding = "${name}"\ndatabase_id = "${name}"\n`).join("");
}

export function describeService(stateFolder: string): Description {
  const config = unstable_readConfig({ config: configFor(stateFolder) });
  const { workerOptions } = unstable_getMiniflareWorkerOptions({ ...config, ratelimits: [] });
  // Paths and modules are those of whoever serves it; the rest survives as JSON.
  const { modulesRules: _, rootPath: __, bindings: ___, d1Databases: ____, ...worker } = workerOptions;
  return {
    name: config.name ?? "chronos",
    compatibilityDate: config.compatibility_date ?? "",
    vars: config.vars as Record<string, string>,
    rateLimits: limitsOf(config),
    databases: Object.fromEntries(
      config.d1_databases.map((one: { binding: string; database_id?: string }) => [
        one.binding,
        one.database_id ?? one.binding,
      ]),
    ),
    worker: JSON.parse(JSON.stringify(worker)),
    migrations: readdirSync(MIGRATIONS)
      .filter((name) => name.endsWith(".sql"))
      .sort()
      .map((name) => ({ name, statements: unstable_splitSqlQuery(readFileSync(join(MIGRATIONS, name), "utf8")) })),
  };
}
