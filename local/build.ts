// A built service: the Worker's bundle in a folder, and beside it what its configuration says, as far as the embedded server
// and the database need it. The package brings one along; a clone makes one at every start, and needs wrangler for that.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { nameOfDatabase } from "../src/domain/databases.ts";

export interface Description {
  /** Objects are kept under it, by `wrangler dev` too. */
  readonly name: string;
  readonly compatibilityDate: string;
  readonly vars: Record<string, string>;
  readonly rateLimits: readonly { readonly name: string; readonly limit: number; readonly period: number }[];
  /** The databases' ids in the state folder, by their bindings: `DB`, and `DB_1` to `DB_99` if there are more. */
  readonly databases: Record<string, string>;
  /** Miniflare's options of the Worker, without its modules. */
  readonly worker: Record<string, unknown>;
  readonly migrations: readonly { readonly name: string; readonly statements: readonly string[] }[];
}

export interface Build {
  /** Path of the Worker's main module; the files that it imports are beside it. */
  readonly bundle: string;
  readonly description: Description;
}

const DESCRIPTION = "service.json";

export function readBuild(folder: string): Build {
  const description: Description = JSON.parse(readFileSync(join(folder, DESCRIPTION), "utf8"));
  return { bundle: join(folder, "index.js"), description };
}

export const descriptionFile = (bundle: string): string => join(dirname(bundle), DESCRIPTION);

/** The same service with as many databases at least. */
export function withDatabases(description: Description, count: number): Description {
  const names = Array.from({ length: count }, (_, number) => nameOfDatabase(number));
  const wanted = Object.fromEntries(names.map((name) => [name, name]));
  return { ...description, databases: { ...wanted, ...description.databases } };
}

/** The same service, which refuses no request because of its rate. */
export function unlimited({ bundle, description }: Build): Build {
  const rateLimits = description.rateLimits.map((limit) => ({ ...limit, limit: Number.MAX_SAFE_INTEGER }));
  return { bundle, description: { ...description, rateLimits } };
}
