// The embedded server: the built Worker on Miniflare's own API, its user port served by workerd directly. On the
// ordinary entry every request passes a proxy Worker first (6,000 no-op requests/s there, 20,000 here).
import type { ChildProcess } from "node:child_process";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Miniflare } from "miniflare";
import { originOf } from "./addresses.ts";
import type { Build, Description } from "./build.ts";
import { CRON, RING_LIMIT_MS } from "./cron.ts";
import { miniflareOptions, openMiniflare, watchRuntime } from "./miniflare.ts";
import { outboundTo } from "./outbound.ts";
import { ownModule } from "./own-module.ts";
import { type Settings, StartError } from "./settings.ts";

const RATE_LIMITS = "rate-limits";

export interface ServerOptions {
  /** The IP address to listen at. */
  host: string;
  port: number;
  /** The targets that pushes may reach. */
  targets: Settings["targets"];
  /** The folder of D1, the objects and their alarms, in the layout of `wrangler --persist-to`. */
  stateFolder: string;
  build: Build;
  /** Variables and secrets beside those of wrangler.toml. */
  bindings: Record<string, string>;
  /** One message of the Worker, or of workerd itself; `at` in milliseconds. */
  onLog(message: string, at: number): void;
  /** A workerd has been started: the first one, or another after a crash. */
  onRuntime(pid: number): void;
  /** workerd ended by itself. It comes back on the same port within about 0.2 s, with everything that was stored. */
  onCrash(reason: string): void;
}

export interface Server {
  url: string;
  /** Delivers the scheduled event of the full minute `at`. */
  ring(at: number): Promise<void>;
  /** Kills workerd. Another one comes up as after a crash, with everything that was stored. */
  renew(): void;
  /** Ends workerd and waits until it is gone. */
  stop(): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<Server> {
  const { host, port, targets } = options;
  const { bundle, description } = options.build;
  const { name, compatibilityDate, vars, rateLimits, databases, worker } = description;
  const { outbound, workers } = outboundTo(targets, compatibilityDate);
  const secret = randomBytes(32).toString("base64url");
  const embedding = miniflareOptions(options.stateFolder, {
    handleStructuredLogs({ message, timestamp }) {
      if (!isOfRuntimeAlone(message)) options.onLog(message, timestamp);
    },
    workers: [
      {
        name: "cron", // the first one is what answers at Miniflare's own port
        compatibilityDate,
        compatibilityFlags: ["service_binding_extra_handlers"],
        ...ownModule("cron.worker.js"),
        bindings: { SECRET: secret },
        serviceBindings: { SERVICE: name },
      },
      {
        ...worker,
        name,
        bindings: { ...vars, ...options.bindings },
        d1Databases: databases,
        serviceBindings: Object.assign({}, worker.serviceBindings, inMemory(rateLimits)),
        ...outbound,
        modulesRoot: dirname(bundle),
        modules: [{ type: "ESModule", path: bundle }, ...filesBeside(bundle)],
        unsafeDirectSockets: [{ host, port }],
      },
      {
        name: RATE_LIMITS,
        compatibilityDate,
        ...ownModule("rate-limits.worker.js"),
      },
      ...workers,
    ],
  });

  let stopping = false;
  let recovering = true; // a first start that fails is not tried again
  let runtime: ChildProcess | undefined;
  const begun = (child: ChildProcess, pid: number) => {
    runtime = child;
    options.onRuntime(pid);
  };
  const unwatch = watchRuntime(begun, async (reason) => {
    if (stopping || recovering) return;
    recovering = true;
    options.onCrash(reason);
    // Miniflare starts another workerd, but gives up for good if that one dies while starting.
    while (!stopping && !(await fulfilled(miniflare.ready))) {
      await sleep(1_000);
      if (!stopping) await fulfilled(miniflare.setOptions(embedding));
    }
    recovering = false;
  });

  const miniflare = openMiniflare(embedding);
  await miniflare.ready.catch((error: Error) => {
    throw new StartError(error.message);
  });
  recovering = false;
  return {
    url: originOf(host, port),
    ring: (at) => ring(miniflare, secret, at),
    renew: () => void runtime?.kill("SIGKILL"),
    async stop() {
      stopping = true;
      await miniflare.dispose();
      unwatch();
    },
  };
}

const OF_RUNTIME_ALONE = [
  // On each `CONNECT`, which workerd answers with 500 by itself. There is no better answer to be had: a handler for it could
  // only accept, and a 200 would say that this is an open proxy.
  "export a connect() function",
  // With a stack, on each push to a host that has no address. The line of that execution says `network`.
  "failed to lookup address information",
];

/** workerd's own words on what the Worker has answered or logs as well. */
function isOfRuntimeAlone(message: string): boolean {
  return !message.startsWith("{") && OF_RUNTIME_ALONE.some((words) => message.includes(words));
}

/**
 * By a request like any other. Miniflare's `getWorker` would wait with the whole process standing still: workerd, whose log then
 * nobody reads, would stop as soon as its pipe is full, and never answer.
 */
async function ring(miniflare: Miniflare, secret: string, at: number): Promise<void> {
  const answer = await miniflare.dispatchFetch("http://cron", {
    method: "POST",
    headers: { Authorization: secret },
    body: JSON.stringify({ scheduledTime: at, cron: CRON }),
    signal: AbortSignal.timeout(RING_LIMIT_MS),
  });
  const { outcome } = (await answer.json()) as { outcome?: string };
  if (outcome !== "ok") throw new Error(`the scheduled handler ended with ${outcome}`);
}

/** The bindings of the rate limits, answered by our own. */
function inMemory(limits: Description["rateLimits"]) {
  return Object.fromEntries(
    limits.map((limit) => [limit.name, { name: RATE_LIMITS, entrypoint: "RateLimiter", props: limit }]),
  );
}

/** Files that wrangler has put beside the bundle, which imports them as data. */
function filesBeside(bundle: string): { type: "Data"; path: string }[] {
  const folder = dirname(bundle);
  const files = readdirSync(folder).filter((name) => name.endsWith(".gz"));
  return files.map((name) => ({ type: "Data", path: join(folder, name) }));
}

async function fulfilled(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => true,
    () => false,
  );
}
