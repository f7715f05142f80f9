// Reads and creates resources in the Cloudflare account, each with one wrangler command. Every function may be called again.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DeployError } from "./deploy-error.ts";
import type { Location } from "./location.ts";
import { type Wrangler, WranglerError } from "./wrangler.ts";

export interface Account {
  id: string;
  name: string;
}

/** The accounts that you are signed in to. */
export async function accountsOf(wrangler: Wrangler): Promise<Account[]> {
  try {
    return (await wrangler.json<{ accounts: Account[] }>(["whoami", "--json"])).accounts;
  } catch (error) {
    if (!(error instanceof WranglerError) || !/loggedIn|not authenticated|Not logged in/i.test(error.message))
      throw error;
    throw new DeployError("You are not signed in. Run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.");
  }
}

/** A Worker as it is deployed. */
export interface Worker {
  vars: Record<string, string>;
  /** The names of its secrets. */
  secrets: string[];
  /** The bindings of its databases. */
  databases: string[];
  /** False for a Worker of somebody else's that happens to have the name. Null: nothing is deployed to it yet. */
  isChronos: boolean | null;
}

type Binding = { type: string; name: string; text?: string };

/** Null when there is no Worker of this name. */
export async function findWorker(wrangler: Wrangler, name: string): Promise<Worker | null> {
  const named = ["--name", name];
  const secrets = await unless<{ name: string }[]>(
    /Worker ".*" not found/,
    wrangler.json(["secret", "list", ...named]),
  );
  if (secrets === null) return null;
  const worker: Worker = { vars: {}, secrets: secrets.map((secret) => secret.name), databases: [], isChronos: null };
  type Deployment = { versions: { version_id: string; percentage: number }[] };
  const status = wrangler.json<Deployment>(["deployments", "status", "--json", ...named]);
  const deployment = await unless(/has no deployments|\[code: 10007\]/, status);
  const version = deployment?.versions.toSorted((a, b) => b.percentage - a.percentage)[0];
  if (version === undefined) return worker;
  const { resources } = await wrangler.json<{ resources: { bindings: Binding[] } }>([
    ...["versions", "view", version.version_id, "--json"],
    ...named,
  ]);
  for (const { type, name, text } of resources.bindings) if (type === "plain_text" && text) worker.vars[name] = text;
  worker.databases = resources.bindings.flatMap(({ type, name }) => (type === "d1" ? [name] : []));
  worker.isChronos = resources.bindings.some(
    ({ type, name }) => type === "durable_object_namespace" && name === "JOBS",
  );
  return worker;
}

/** @returns the ids of all databases by their names */
export async function findDatabases(wrangler: Wrangler): Promise<Map<string, string>> {
  const databases = await wrangler.json<{ uuid: string; name: string }[]>(["d1", "list", "--json"]);
  return new Map(databases.map(({ name, uuid }) => [name, uuid]));
}

export interface MadeDatabase {
  id: string;
  /** Where it really is, as D1 names it; empty if that was not said. */
  region: string;
}

export async function makeDatabase(wrangler: Wrangler, name: string, location: Location | null): Promise<MadeDatabase> {
  const where = location === null ? [] : ["--location", location];
  let failure: unknown = new DeployError(`The database ${name} was made and is not in the list.`);
  try {
    const printed = await wrangler.run(["d1", "create", name, ...where, "--update-config=false"]);
    const id = /database_id"?\s*[:=]\s*"([0-9a-f-]{36})"/.exec(printed)?.[1];
    if (id !== undefined) return { id, region: / in region (\w+)/.exec(printed)?.[1] ?? "" };
  } catch (error) {
    failure = error;
  }
  // The database counts, not the answer: it may have been created although an error came back.
  const id = (await findDatabases(wrangler)).get(name);
  if (id === undefined) throw failure;
  return { id, region: "" };
}

export async function hasQueue(wrangler: Wrangler, name: string): Promise<boolean> {
  return (await unless(/Queue ".*" does not exist/, wrangler.run(["queues", "info", name]))) !== null;
}

export async function makeQueue(wrangler: Wrangler, name: string): Promise<void> {
  await wrangler.run(["queues", "create", name]).catch(async (error) => {
    if (!(await hasQueue(wrangler, name))) throw error;
  });
}

/** Asks the database itself. @param database its name, or its binding in the configuration that is given */
export async function query<Row>(wrangler: Wrangler, database: string, sql: string, config?: string) {
  type Answer = { results: Row[]; meta?: { served_by_region?: string } };
  const given = config === undefined ? [] : ["--config", config];
  const args = ["d1", "execute", database, "--remote", "--json", "--yes", "--command", sql, ...given];
  const [answer] = await wrangler.json<Answer[]>(args);
  return { rows: answer?.results ?? [], region: answer?.meta?.served_by_region ?? "" };
}

export type Content = "nothing" | "our tables" | "accounts" | "something else";

/** Content of an existing database. Accounts matter because their signing secrets depend on a master key. */
export async function contentOf(wrangler: Wrangler, database: string): Promise<Content> {
  const own = "name NOT LIKE 'sqlite_%' AND name NOT LIKE '_cf_%' AND name <> 'd1_migrations'";
  const { rows } = await query<{ name: string }>(
    wrangler,
    database,
    `SELECT name FROM sqlite_master WHERE type = 'table' AND ${own}`,
  );
  if (rows.length === 0) return "nothing";
  const names = rows.map(({ name }) => name);
  if (!["accounts", "jobs", "executions"].every((name) => names.includes(name))) return "something else";
  const accounts = await query(wrangler, database, "SELECT id FROM accounts WHERE status <> 'deleted' LIMIT 1");
  return accounts.rows.length > 0 ? "accounts" : "our tables";
}

/** @returns whether there were any to apply */
export async function migrate(wrangler: Wrangler, binding: string, config: string): Promise<boolean> {
  const printed = await wrangler.run(["d1", "migrations", "apply", binding, "--remote", "--config", config]);
  return !printed.includes("No migrations to apply");
}

export interface Release {
  /** The hosts it is reached under, its custom domains first. */
  hosts: string[];
  gzipBytes: number | null;
}

export async function release(wrangler: Wrangler, config: string, secretsFile: string | null): Promise<Release> {
  const folder = mkdtempSync(join(tmpdir(), "chronos-deploy-"));
  const report = join(folder, "report.ndjson");
  try {
    const secrets = secretsFile === null ? [] : ["--secrets-file", secretsFile];
    await wrangler.run(["deploy", "--config", config, ...secrets], { WRANGLER_OUTPUT_FILE_PATH: report });
    return readReport(readFileSync(report, "utf8"));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Lines of JSON; that of `deploy` lists what the Worker is reached by, and what reaches it: schedules and queues, too. */
function readReport(text: string): Release {
  type Entry = { type: string; targets?: string[]; bundle_size?: { gzip_bytes: number } };
  const entries: Entry[] = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const deployed = entries.findLast(({ type }) => type === "deploy");
  const hosts = (deployed?.targets ?? []).flatMap((target) => {
    const host = /^(?:https?:\/\/)?((?:[a-z0-9-]+\.)+[a-z]{2,})(?:[/* (].*)?$/i.exec(target)?.[1];
    return host === undefined ? [] : [host.toLowerCase()];
  });
  const isOwn = (host: string) => !host.endsWith(".workers.dev");
  return {
    hosts: [...hosts.filter(isOwn), ...hosts.filter((host) => !isOwn(host))],
    gzipBytes: deployed?.bundle_size?.gzip_bytes ?? null,
  };
}

/** Null when it fails for want of the thing it asked for. */
async function unless<T>(missing: RegExp, asked: Promise<T>): Promise<T | null> {
  return asked.catch((error) => {
    if (error instanceof WranglerError && missing.test(error.message)) return null;
    throw error;
  });
}
