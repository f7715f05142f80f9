// Child processes of the benchmark: started, waited for, stopped, and what they cost read from /proc. Every one that is
// started here is ended here, whatever happens.

import { type ChildProcess, type ForkOptions, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export const HOST = "127.0.0.1";
export const BENCH = join(import.meta.dirname, "..");
export const PROJECT = join(BENCH, "..");

const READY_MS = 90_000;
const STOP_MS = 15_000;

const running = new Set<ChildProcess>();

/** Runs a module of ours in a Node of its own until it says "ready". */
export async function startModule(path: string, args: readonly string[], folder: string): Promise<ChildProcess> {
  const options: ForkOptions = { execArgv: ["--no-warnings"], env: { ...process.env, NODE_ENV: "production" } };
  const log = openLog(folder, path);
  const child = keep(fork(join(BENCH, path), args, { ...options, stdio: ["ignore", log, log, "ipc"] }));
  closeSync(log);
  const said = once(child, "message", { signal: AbortSignal.timeout(READY_MS) });
  const ended = once(child, "exit").then(() => Promise.reject(new Error(`${path} ended; its log is in ${folder}`)));
  await Promise.race([said, ended]);
  ended.catch(() => {});
  return child;
}

/** Runs a program; what it prints goes to a file. */
export function startProgram(
  command: string,
  args: readonly string[],
  folder: string,
  options: { env?: NodeJS.ProcessEnv; cwd?: string; uid?: number; gid?: number; logFile?: string } = {},
): ChildProcess {
  const { logFile, ...rest } = options;
  const log = logFile === undefined ? openLog(folder, command) : openSync(logFile, "a");
  const child = keep(spawn(command, args, { ...rest, stdio: ["ignore", log, log] }));
  closeSync(log);
  return child;
}

export async function stop(child: ChildProcess | undefined, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill(signal);
  const slow = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await gone;
  clearTimeout(slow);
}

/** For the end of the benchmark, however it comes. */
export const stopAll = (): Promise<unknown> => Promise.all([...running].map((child) => stop(child)));

/** Tries until it succeeds; throws what it threw last after `limitMs`. */
export async function until<T>(limitMs: number, attempt: () => Promise<T> | T): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(50);
    }
  }
}

export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, HOST);
  await once(probe, "listening");
  const address = probe.address();
  probe.close();
  await once(probe, "close");
  if (address === null || typeof address === "string") throw new Error("no port to be had");
  return address.port;
}

export interface Usage {
  readonly cpuSeconds: number;
  readonly residentMegabytes: number;
}

/** What a process and all it has started have used so far, and hold now. */
export function usageOf(pid: number): Usage {
  const family = familyOf(pid);
  const sum = (of: (pid: number) => number) => family.reduce((total, one) => total + of(one), 0);
  return { cpuSeconds: sum(cpuSecondsOf), residentMegabytes: sum(residentMegabytesOf) };
}

export interface MemoryOf {
  /** Of the program. */
  readonly name: string;
  /** Megabytes resident: what only this process has, and what is mapped from files or shared. */
  readonly own: number;
  readonly mapped: number;
}

/** What a process and each that it has started hold now. */
export const memoryOf = (pid: number): MemoryOf[] =>
  familyOf(pid).map((one) => {
    const status = read(`/proc/${one}/status`);
    const megabytes = (field: string) => Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0) / 1_024;
    const name = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? "";
    return { name, own: megabytes("RssAnon"), mapped: megabytes("RssFile") + megabytes("RssShmem") };
  });

/** CPU seconds of everything on this machine, this benchmark included: a check on a sample, not a result. */
export function machineCpuSeconds(): number {
  const [, user, nice, system] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").split(/\s+/).map(Number);
  return ((user ?? 0) + (nice ?? 0) + (system ?? 0)) / CLOCK_TICKS;
}

/** Linux's USER_HZ. */
const CLOCK_TICKS = 100;

function keep(child: ChildProcess): ChildProcess {
  running.add(child);
  child.once("exit", () => running.delete(child));
  return child;
}

function openLog(folder: string, name: string): number {
  mkdirSync(folder, { recursive: true });
  return openSync(join(folder, `${name.replaceAll(/[^a-z0-9]+/gi, "-")}.log`), "a");
}

function familyOf(root: number): number[] {
  const parents = new Map<number, number>();
  for (const entry of readdirSync("/proc")) {
    const stat = /^\d+$/.test(entry) ? read(`/proc/${entry}/stat`) : "";
    const parent = stat.split(") ").at(-1)?.split(" ")[1];
    if (stat) parents.set(Number(entry), Number(parent));
  }
  const family = [root];
  for (const pid of family) for (const [child, parent] of parents) if (parent === pid) family.push(child);
  return family;
}

/** The scheduler's own nanoseconds, thread by thread: clock ticks are too coarse for an idle process. */
function cpuSecondsOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`).map((thread) => read(`/proc/${pid}/task/${thread}/schedstat`));
    // Children that have ended, such as PostgreSQL's backends, are only in their parent's account, in ticks.
    const fields = read(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ").map(Number) ?? [];
    const reaped = ((fields[13] ?? 0) + (fields[14] ?? 0)) / CLOCK_TICKS;
    return reaped + threads.reduce((sum, line) => sum + Number(line.split(" ")[0]), 0) / 1e9;
  } catch {
    return 0; // gone meanwhile
  }
}

const residentMegabytesOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0) / 1_024;

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
