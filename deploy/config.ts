// wrangler.toml and the copy of it that is deployed. The committed file holds no ids: the copy does, beside it (`.env` and
// relative paths stay the same), and is made anew each time.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "smol-toml";
import { numberOfDatabase } from "../src/domain/databases.ts";
import { DeployError } from "./deploy-error.ts";

interface Database {
  binding: string;
  database_name?: string;
  database_id?: string;
}

interface Queue {
  queue: string;
  binding?: string;
}

interface Route {
  pattern: string;
  custom_domain?: boolean;
}

/** The parts of a configuration that we read or change. Everything else is passed on unchanged. */
export interface WranglerConfig {
  name: string;
  vars: Record<string, string>;
  d1_databases: Database[];
  queues?: { producers?: Queue[]; consumers?: Queue[] };
  routes?: (Route | string)[];
  [more: string]: unknown;
}

/** The binding of the first database, which is the directory as well. */
export const DATABASE = "DB";

/** @param name of the Worker, if it is not the file's own */
export function readConfig(project: string, name: string | null): WranglerConfig {
  const path = join(project, "wrangler.toml");
  let config: WranglerConfig;
  try {
    config = parse(readFileSync(path, "utf8")) as WranglerConfig;
  } catch (error) {
    throw new DeployError(`wrangler.toml cannot be read: ${(error as Error).message}`);
  }
  if (!config.name) throw new DeployError("wrangler.toml has no name.");
  databasesOf(config);
  const consuming = followingProducer(config);
  return name === null || name === config.name ? consuming : renamed(consuming, name);
}

/** The service consumes the queue that it produces for, whatever that was renamed to (Cloudflare's button lets you). */
function followingProducer(config: WranglerConfig): WranglerConfig {
  const { producers = [], consumers = [] } = config.queues ?? {};
  const queue = producers.find(({ binding }) => binding === "EXECUTIONS")?.queue;
  if (queue === undefined) return config;
  return { ...config, queues: { producers, consumers: consumers.map((consumer) => ({ ...consumer, queue })) } };
}

/** The same service under another name, with a database and queues of its own. Names that are not ours are left alone. */
function renamed(config: WranglerConfig, name: string): WranglerConfig {
  const own = (text: string) =>
    text === config.name || text.startsWith(`${config.name}-`) ? name + text.slice(config.name.length) : text;
  const ofQueue = <T extends Queue>(queue: T): T => ({ ...queue, queue: own(queue.queue) });
  return {
    ...config,
    name,
    d1_databases: config.d1_databases.map(({ database_id: _, ...database }) => ({
      ...database,
      ...(database.database_name !== undefined && { database_name: own(database.database_name) }),
    })),
    queues: {
      ...config.queues,
      producers: (config.queues?.producers ?? []).map(ofQueue),
      consumers: (config.queues?.consumers ?? []).map(ofQueue),
    },
  };
}

export interface Named {
  binding: string;
  name: string;
  /** If wrangler.toml has one (Cloudflare's button writes it there). */
  id: string | null;
}

/** The databases of the service, the directory first. */
export function databasesOf(config: WranglerConfig): [Named, ...Named[]] {
  const all = (config.d1_databases ?? []).flatMap(({ binding, database_name, database_id }) => {
    const number = numberOfDatabase(binding);
    if (number === undefined) return [];
    const name = database_name ?? (number === 0 ? config.name : `${config.name}-${number}`);
    return [{ number, binding, name, id: database_id || null }];
  });
  const [first, ...others] = all.toSorted((a, b) => a.number - b.number).map(({ number: _, ...named }) => named);
  if (first?.binding !== DATABASE)
    throw new DeployError(`wrangler.toml has no [[d1_databases]] with binding = "${DATABASE}".`);
  const twice = all.find(({ name }, i) => all.findIndex((other) => other.name === name) !== i);
  if (twice) throw new DeployError(`wrangler.toml names the database ${twice.name} twice: each needs one of its own.`);
  return [first, ...others];
}

/** Every queue that is named, once. */
export function queuesOf({ queues = {} }: WranglerConfig): string[] {
  const named = [...(queues.producers ?? []), ...(queues.consumers ?? [])].map(({ queue }) => queue);
  return [...new Set(named)];
}

/** The hosts of its custom domains. */
export function domainsOf({ routes = [] }: WranglerConfig): string[] {
  return routes.flatMap((route) => (typeof route === "object" && route.custom_domain ? [route.pattern] : []));
}

export interface Resolved {
  /** The ids of the databases, by their bindings. */
  databaseIds: Record<string, string>;
  vars: Record<string, string>;
  domain: string | null;
}

/** Writes the configuration that is deployed. @returns its path */
export function writeDeployed(project: string, config: WranglerConfig, resolved: Resolved): string {
  const { databaseIds, vars, domain } = resolved;
  const isNew = domain !== null && !domainsOf(config).includes(domain);
  const deployed: WranglerConfig = {
    ...config,
    vars: { ...config.vars, ...vars },
    d1_databases: config.d1_databases.map((database) => {
      const id = databaseIds[database.binding];
      return id === undefined ? database : { ...database, database_id: id };
    }),
    ...(isNew ? { routes: [...(config.routes ?? []), { pattern: domain, custom_domain: true }] } : {}),
  };
  const path = join(project, `wrangler.${config.name}.deploy.json`);
  writeFileSync(path, `${JSON.stringify(deployed, null, 2)}\n`);
  return path;
}
