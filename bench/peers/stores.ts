// Debian's Redis and PostgreSQL with their defaults, on loopback, in a folder that goes away. One that is not installed is
// no error: its peers are left out, with a line that says how to have them.

import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { freePort, HOST, startProgram, stop, until } from "../src/processes.ts";

export interface Store {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export type Kind = "redis" | "postgres";

const START_MS = 20_000;
const REDIS = "/usr/bin/redis-server";
const POSTGRES_VERSIONS = "/usr/lib/postgresql";

/** @returns why it cannot be started; undefined when it can */
export function lacks(kind: Kind): string | undefined {
  if (kind === "redis")
    return existsSync(REDIS) ? undefined : "redis-server is not installed: apt-get install redis-server";
  if (postgresFolder() === undefined) return "PostgreSQL is not installed: apt-get install postgresql";
  return process.getuid?.() === 0 && userId() === undefined
    ? "there is no user postgres to run PostgreSQL as"
    : undefined;
}

/** @param settings more than the defaults, as `name value` lines of redis.conf */
export async function startStore(kind: Kind, folder: string, settings: readonly string[] = []): Promise<Store> {
  return kind === "redis" ? startRedis(folder, settings) : startPostgres(folder);
}

async function startRedis(folder: string, settings: readonly string[]): Promise<Store> {
  const dir = join(folder, "redis");
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  // What Debian's redis.conf has beside its paths: bind, save 3600 1 300 100 60 10000 and no append-only file, as built in.
  const place = ["--bind", HOST, "--port", String(port), "--dir", dir, "--daemonize", "no"];
  const child = startProgram(REDIS, [...place, ...settings.flatMap((line) => `--${line}`.split(" "))], folder);
  await until(START_MS, () => execFileSync("redis-cli", ["-p", String(port), "ping"], { stdio: "ignore" }));
  return { url: `redis://${HOST}:${port}`, pid: child.pid ?? 0, stop: () => stop(child) };
}

async function startPostgres(folder: string): Promise<Store> {
  const dir = join(folder, "postgres");
  mkdirSync(dir, { recursive: true });
  const port = await freePort();
  const uid = process.getuid?.() === 0 ? userId() : undefined; // it refuses to run as root
  const as = uid === undefined ? {} : { uid: uid.user, gid: uid.group };
  if (uid) chownSync(dir, uid.user, uid.group);
  const program = (name: string) => join(postgresFolder() ?? "", name);
  const initdb = ["-D", dir, "-U", "postgres", "-A", "trust", "--locale=C.UTF-8"];
  execFileSync(program("initdb"), initdb, { ...as, cwd: dir, stdio: "ignore" });
  const place = ["-D", dir, "-p", String(port), "-c", `listen_addresses=${HOST}`, "-k", dir];
  const child = startProgram(program("postgres"), place, folder, { ...as, cwd: dir });
  const psql = ["-h", HOST, "-p", String(port), "-U", "postgres", "-qc", "create database bench"];
  await until(START_MS, () => execFileSync(program("psql"), psql, { stdio: "ignore" }));
  return {
    url: `postgres://postgres@${HOST}:${port}/bench`,
    pid: child.pid ?? 0,
    stop: () => stop(child, "SIGINT"), // "fast": it does not wait for its clients
  };
}

function postgresFolder(): string | undefined {
  const versions = existsSync(POSTGRES_VERSIONS) ? readdirSync(POSTGRES_VERSIONS) : [];
  const folders = versions.map((version) => join(POSTGRES_VERSIONS, version, "bin"));
  return folders.findLast((folder) => existsSync(join(folder, "postgres")));
}

function userId(): { user: number; group: number } | undefined {
  try {
    const of = (flag: string) =>
      Number(execFileSync("id", [flag, "postgres"], { stdio: ["ignore", "pipe", "ignore"] }));
    return { user: of("-u"), group: of("-g") };
  } catch {
    return undefined;
  }
}
