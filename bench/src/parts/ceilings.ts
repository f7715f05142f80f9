// The ceilings on a simulated Cloudflare (test/world/ceilings), and how far that model is off: its figures replaced by this machine's, beside
// the embedded service itself.

import { execFile } from "node:child_process";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { Agent } from "node:http";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Beside, BesideFigures, Ceilings } from "../../../test/world/ceilings/ceilings.ts";
import { post, sendAll } from "../load.ts";
import { PROJECT } from "../processes.ts";
import type { Receiver } from "../receiving.ts";
import { ascending, percentile } from "../stats.ts";
import type { Service } from "../systems/service.ts";
import { callWith } from "../systems/tenant.ts";
import { measureSustained, pushing } from "./sustained.ts";

export interface CeilingsFound extends Ceilings {
  readonly beside: readonly BesideRow[];
  /** What the model was given of this machine, in ms. */
  readonly machine: Readonly<Record<string, number>>;
}

export interface BesideRow {
  readonly what: string;
  readonly unit: string;
  readonly model: number;
  readonly embedded: number;
}

export interface Comparing {
  /** Jobs a second at which model and service are held beside each other. */
  readonly paces: readonly number[];
  readonly seconds: number;
  readonly burst: number;
}

export async function measureCeilings(quick: boolean): Promise<Ceilings> {
  return (await inSimulation(quick ? ["--quick"] : [])) as Ceilings;
}

async function inSimulation(args: readonly string[]): Promise<unknown> {
  const main = join(PROJECT, "test/world/ceilings/main.ts");
  const flags = ["--no-warnings", "--always-sparkplug", "--max-semi-space-size=64", "--max-old-space-size=12288"];
  const running = promisify(execFile)(process.execPath, [...flags, main, ...args], { maxBuffer: 2 ** 26 });
  running.child.stderr?.pipe(process.stderr);
  return JSON.parse((await running).stdout);
}

export async function measureBeside(
  service: Service,
  receiver: Receiver,
  { paces, seconds, burst }: Comparing,
): Promise<Pick<CeilingsFound, "beside" | "machine">> {
  const machine = await thisMachine(service);
  const real: Awaited<ReturnType<typeof pace>>[] = [];
  for (const perSecond of paces) real.push(await pace(service, receiver, perSecond, seconds));
  const crowd = await burstOf(service, receiver, burst);
  const sustained = await measureSustained(pushing(service, receiver, service.makers), { seconds: 4, steps: 3 });
  const from = Math.round(sustained.perSecond ?? 50);
  const request: Beside = { figures: { ...ONE_MACHINE, ...machine }, paces, seconds, burst, from };
  const model = (await inSimulation(["--beside", JSON.stringify(request)])) as BesideFigures;
  const beside: BesideRow[] = paces.flatMap((perSecond, i) => {
    const [ours, theirs] = [model.paces[i], real[i]];
    if (!ours || !theirs) return [];
    return [
      row(`${perSecond} a second: to create one, p50`, ours.createMs.p50, theirs.create.p50),
      row(`${perSecond} a second: to create one, p99`, ours.createMs.p99, theirs.create.p99),
      row(`${perSecond} a second: lateness, p50`, ours.lateMs.p50, theirs.late.p50),
      row(`${perSecond} a second: lateness, p99`, ours.lateMs.p99, theirs.late.p99),
    ];
  });
  beside.push(
    row(`${burst} in one instant: lateness, p50`, model.burst.lateMs.p50, crowd.p50),
    row(`${burst} in one instant: lateness, p99`, model.burst.lateMs.p99, crowd.p99),
  );
  if (sustained.perSecond !== null)
    beside.push({
      what: `sustained (the model's next pace, ${model.ceiling.failsAt}, is not)`,
      ...{ unit: "jobs/s", model: model.ceiling.perSecond, embedded: sustained.perSecond },
    });
  return { beside, machine };
}

const row = (what: string, model: number, embedded: number): BesideRow => ({ what, unit: "ms", model, embedded });

/** One isolate, whose thread does all the work, syncs of the disk included; nothing is far away. */
const ONE_MACHINE = {
  ...{ isolates: 1, connections: 1_000_000, sharedThreadMs: 0 },
  ...{ d1WayMs: 0.05, callWayMs: 0.05, d1ReadMs: 0.1, commitMs: 0, alarmLateMs: 1, wakingMs: 0.5, targetMs: 1 },
};

const PROBES = 200;

/** From requests one after the other, and syncs of a file: nothing of what is compared later. */
async function thisMachine(service: Service): Promise<Record<string, number>> {
  const key = service.makers[0]?.keys[0] ?? "";
  await service.ready(3 * PROBES);
  const answerMs = await oneByOne(() => callWith(service.url, key, "/nothing-here", {}), true);
  const rowMs = await oneByOne(() => service.create("tomorrow", NOWHERE));
  const armedMs = await oneByOne(() => service.create("in four minutes", NOWHERE));
  const syncMs = syncOf(join(service.stateFolder, "..", "sync"));
  return {
    clientWayMs: answerMs / 2,
    d1WriteMs: rowMs - answerMs,
    objectCallMs: answerMs / 2,
    objectWriteMs: syncMs,
    makingMs: Math.max(0, armedMs - rowMs - answerMs / 2 - syncMs),
  };
}

const NOWHERE = "http://127.0.0.1:9/";

async function oneByOne(next: () => Parameters<typeof post>[0], isRefused = false): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  for (let i = 0; i < PROBES; i++) {
    const from = performance.now();
    await post(next(), agent).catch((thrown) => {
      if (!isRefused) throw thrown;
    });
    times.push(performance.now() - from);
  }
  agent.destroy();
  return percentile(ascending(times), 50);
}

function syncOf(path: string): number {
  const file = openSync(path, "w");
  const page = Buffer.alloc(4_096);
  const times = Array.from({ length: PROBES }, () => {
    const from = performance.now();
    writeSync(file, page);
    fdatasyncSync(file);
    return performance.now() - from;
  });
  closeSync(file);
  return percentile(ascending(times), 50);
}

const AHEAD_MS = 1_000;
const PATIENCE_MS = 30_000;
const SLOWEST_MS = 4_000;

/** Each job is made at its moment, whatever became of those before it. */
async function pace(service: Service, receiver: Receiver, perSecond: number, seconds: number) {
  await receiver.forget();
  await service.ready(perSecond * seconds);
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const times: number[] = [];
  const began = performance.now();
  const make = async (n: number) => {
    await sleep(began + (1_000 * n) / perSecond - performance.now());
    const from = performance.now();
    const due = Date.now() + AHEAD_MS;
    await post(service.create(due, receiver.hook), agent).catch((thrown) => {
      if (Date.now() < due) throw thrown; // refused, since its moment had passed: it was slow, and counts as that
    });
    times.push(performance.now() - from);
  };
  await Promise.all(Array.from({ length: perSecond * seconds }, (_, n) => make(n)));
  await sleep(AHEAD_MS);
  const arrivals = await receiver.arrivals(perSecond * seconds, Date.now() + SLOWEST_MS);
  agent.destroy();
  return { create: ends(times), late: ends(arrivals.map(({ at, due }) => at - due)) };
}

async function burstOf(service: Service, receiver: Receiver, jobs: number) {
  await receiver.forget();
  await service.ready(jobs);
  const due = Date.now() + 2_000 + 60 * jobs;
  await sendAll(
    Array.from({ length: jobs }, () => service.create(due, receiver.hook)),
    16,
  );
  const arrivals = await receiver.arrivals(jobs, due + PATIENCE_MS);
  return ends(arrivals.map(({ at }) => at - due));
}

function ends(values: readonly number[]) {
  const sorted = ascending(values);
  return { p50: percentile(sorted, 50), p99: percentile(sorted, 99) };
}
