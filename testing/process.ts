// The throw-away service as a process: started on a folder and a port of its own, ended with the test.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync } from "node:fs";
import { Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

/** What the service writes into its folder for people and tests. */
export interface DevAccount {
  url: string;
  api_key: string;
  signing_secret: string;
  admin_token: string;
}

export interface Started {
  account: DevAccount;
  stop(): Promise<void>;
}

const RUNNING = "Chronos is running.";
const LOOK_EVERY_MS = 25;

/** Settings of a service and of Node that must not reach it from the test's environment. */
const NOT_INHERITED = [
  ...["HOST", "PORT", "MASTER_KEY", "MASTER_KEY_PREVIOUS", "ADMIN_TOKEN", "PUBLIC_HOSTS", "RETENTION_DAYS"],
  ...["MAX_WAITING_JOBS", "MAX_SCHEDULES", "MAX_OPEN_POLLS"],
  ...["CHRONOS_TARGETS", "CHRONOS_LOG", "CHRONOS_STATE", "CHRONOS_DATABASES", "CHRONOS_RATE_LIMITS"],
  ...["NODE_OPTIONS", "NODE_V8_COVERAGE", "NODE_TEST_CONTEXT"],
];

export async function startProcess(timeoutMs: number): Promise<Started> {
  const folder = mkdtempSync(join(tmpdir(), "chronos-test-"));
  const logFile = join(folder, "log");
  const log = openSync(logFile, "w");
  const here = dirname(fileURLToPath(import.meta.url));
  const [guard, launcher] = [join(here, "guard.js"), join(here, "../bin/chronos-edge.js")];
  const inherited = Object.entries(process.env).filter(([name]) => !NOT_INHERITED.includes(name));
  const settings = [
    ["CHRONOS_STATE", join(folder, "state")],
    ["PORT", "0"],
    ["CHRONOS_LOG", "json"],
    ["CHRONOS_RATE_LIMITS", "off"],
  ];
  const child = spawn(process.execPath, [guard, folder, launcher], {
    // Ctrl-C reaches the test alone, and the guard notices that it is gone.
    detached: true,
    stdio: ["pipe", log, log],
    env: Object.fromEntries([...inherited, ...settings]),
  });
  closeSync(log);
  const stop = stopper(child);
  try {
    await running(child, logFile, timeoutMs);
  } catch (error) {
    await stop();
    throw error;
  }
  // A test that forgets to stop it ends all the same.
  child.unref();
  if (child.stdin instanceof Socket) child.stdin.unref();
  return { account: JSON.parse(readFileSync(join(folder, "state/dev.json"), "utf8")), stop };
}

/** The guard removes the folder as it ends, so the log is read before. */
async function running(child: ChildProcess, logFile: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  let log = "";
  while (!log.includes(RUNNING)) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`The test service did not start: ${log.trim() || "it said nothing"}`);
    }
    if (performance.now() > deadline) throw new Error(`The test service did not start within ${timeoutMs} ms:\n${log}`);
    await sleep(LOOK_EVERY_MS);
    log = textOf(logFile) ?? log;
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Resolves once the service and its folder are gone; more than one call is harmless. */
function stopper(child: ChildProcess): () => Promise<void> {
  const ended = once(child, "exit");
  return async () => {
    child.ref();
    child.stdin?.end();
    await ended;
  };
}
