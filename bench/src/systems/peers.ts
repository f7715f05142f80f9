// The peers, each with a store, a front and a runner of its own.

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Kind, lacks, startStore } from "../../peers/stores.ts";
import { type Call, sendAll } from "../load.ts";
import { freePort, HOST, startModule, stop } from "../processes.ts";
import { momentOf, NO_TARGET, PAYLOAD, plainId, type System } from "./system.ts";

export interface Peer extends System {
  /** Makes many that are due tomorrow, or now, straight through the library. Nobody is told of them. */
  fill(count: number, due: number): Promise<void>;
  /** With fifty jobs at a time, unless told otherwise. */
  startRunner(concurrency?: number): Promise<void>;
  stopRunner(): Promise<void>;
  /** How many jobs the present runner has had. */
  handled(): Promise<number>;
}

interface Setup {
  readonly name: string;
  readonly adapter: string;
  readonly store: Kind;
  readonly storeSettings: readonly string[];
  readonly note: string;
}

export const PEERS: readonly Setup[] = [
  {
    name: "BullMQ",
    adapter: "bullmq",
    store: "redis",
    storeSettings: [],
    note: "Redis 7, its default: memory, a snapshot now and then. A crash loses up to a minute or more",
  },
  {
    name: "BullMQ, fsync always",
    adapter: "bullmq",
    store: "redis",
    storeSettings: ["appendonly yes", "appendfsync always"],
    note: "Redis 7, append-only file, each write synced",
  },
  {
    name: "pg-boss",
    adapter: "pg-boss",
    store: "postgres",
    storeSettings: [],
    note: "PostgreSQL, its default: each commit synced. Polls every 0.5 s, its least",
  },
  {
    name: "Graphile Worker",
    adapter: "graphile",
    store: "postgres",
    storeSettings: [],
    note: "PostgreSQL, its default: each commit synced. Polls every 0.5 s",
  },
];

const CONCURRENCY = 50;
const BULK = 1_000;

/** Those that can be started here; a line for each that cannot. */
export function availablePeers(): { peers: readonly Setup[]; missing: readonly string[] } {
  const missing = PEERS.filter(({ store }) => lacks(store));
  return {
    peers: PEERS.filter(({ store }) => !lacks(store)),
    missing: missing.map(({ name, store }) => `${name} is left out: ${lacks(store)}`),
  };
}

export async function startPeer({ name, adapter, store, storeSettings, note }: Setup, folder: string): Promise<Peer> {
  const own = join(folder, name.replaceAll(/\W+/g, "-"));
  const { url, pid, stop: stopStore } = await startStore(store, own, storeSettings);
  const port = await freePort();
  const front = await startModule("peers/front.ts", [adapter, url, String(port)], own); // first: it makes the schema
  let runner: ChildProcess | undefined;
  const startRunner = async (concurrency = CONCURRENCY) => {
    runner = await startModule("peers/runner.ts", [adapter, url, String(concurrency)], own);
  };
  await startRunner();
  const call = (path: string, body: object): Call => ({
    url: `http://${HOST}:${port}${path}`,
    headers: {},
    body: JSON.stringify(body),
  });
  const jobOf = (due: number, target: string) => ({ name: "bench", payload: PAYLOAD, due, url: target });
  return {
    name,
    note,
    /** Without the front: it is our addition. */
    get pids() {
      return [pid, ...(runner?.pid === undefined ? [] : [runner.pid])];
    },
    create: (when, target) => call("/v1/jobs", jobOf(momentOf(when), target)),
    createMany: (when, count) =>
      call("/v1/jobs/batch", { jobs: Array.from({ length: count }, () => jobOf(momentOf(when), NO_TARGET)) }),
    idOf: plainId,
    ready: async () => {},
    async fill(count, due) {
      const parts = Array.from({ length: Math.ceil(count / BULK) }, (_, i) => Math.min(BULK, count - i * BULK));
      await sendAll(
        parts.map((part) => call("/bulk", { count: part, job: jobOf(due, "") })),
        1,
      );
    },
    startRunner,
    async stopRunner() {
      await stop(runner);
      runner = undefined;
    },
    async handled() {
      if (!runner) return 0;
      const told = once(runner, "message");
      runner.send("how many?");
      const [{ handled }] = (await told) as [{ handled: number }];
      return handled;
    },
    async stop() {
      await stop(runner);
      await stop(front);
      await stopStore();
    },
  };
}
