// `npm run bench`: measures the service, its floors and its peers in one go on one machine, in ten minutes at most.
// `-- --quick` goes through the same code in about a minute; its figures mean nothing. `-- --only create,bill` takes parts.

import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { startFilledService } from "./filling.ts";
import { sendAll } from "./load.ts";
import { plotsOf } from "./output/plots.ts";
import { summaryOf } from "./output/summary.ts";
import { type Results, tablesOf } from "./output/tables.ts";
import { measureBill, TARGET_MS } from "./parts/bill.ts";
import { creating, measureCreate } from "./parts/create.ts";
import { drainPeer, drainService } from "./parts/drain.ts";
import { measureIdle } from "./parts/idle.ts";
import { measureLists } from "./parts/lists.ts";
import { measurePunctuality, pulled, pushed } from "./parts/punctuality.ts";
import { BENCH, stopAll } from "./processes.ts";
import { startReceiver } from "./receiving.ts";
import { FULL, fitted, PARTS, type Part, QUICK } from "./sizes.ts";
import { type Floor, startFloor } from "./systems/floor.ts";
import { availablePeers, type Peer, startPeer } from "./systems/peers.ts";
import { type Service, startService } from "./systems/service.ts";
import type { Ahead, System } from "./systems/system.ts";

const options = { quick: { type: "boolean" }, only: { type: "string" } } as const;
const { quick = false, only } = parseArgs({ options }).values;
let size = quick ? QUICK : FULL;
const wanted = (only?.split(",") ?? size.parts) as readonly Part[];
const unknown = wanted.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) throw new Error(`no part ${unknown}; there are ${PARTS.join(", ")}`);

/** On a disk like any other: BENCH_FOLDER says which. Memory would hide what durability costs. */
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "chronos-bench-"));
chmodSync(folder, 0o711); // PostgreSQL runs as a user of its own and has to pass
const began = Date.now();

const results: Results = {
  machine: {
    date: new Date().toISOString(),
    mode: quick ? "quick: its figures mean nothing" : "full",
    processors: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`,
    node: process.version,
    "state in": process.env.BENCH_FOLDER ?? "the system's folder for temporary files",
    "load at the start": readFileSync("/proc/loadavg", "utf8").split(" ").slice(0, 3).join(" "),
  },
  notes: [],
  systems: {},
  seconds: {},
};

/** A row, and a row with its object. */
const AHEADS = ["tomorrow", "in four minutes"] as const satisfies Ahead[];

const isOver = () => Date.now() - began > size.budgetMs;

async function timed(part: string, measure: () => Promise<void>): Promise<void> {
  const from = Date.now();
  if (isOver()) {
    results.notes.push(`${part} is left out: the time is over. \`--only\` takes it alone`);
    return;
  }
  await measure();
  results.seconds[part] = Math.round((Date.now() - from) / 1_000);
  console.log(`${String(Math.round((Date.now() - began) / 1_000)).padStart(4)} s  ${part}`);
}

interface Stage {
  readonly service: Service;
  /** For what is due in four minutes: it must not ring into what is measured next. */
  readonly fresh: Service;
  readonly floor: Floor;
  readonly peers: readonly Peer[];
}

/** Every system is up all the time, and takes its turns with the others. */
async function startStage(): Promise<Stage> {
  const { peers: setups, missing } = wanted.includes("peers") ? availablePeers() : { peers: [], missing: [] };
  for (const line of missing) {
    results.notes.push(line);
    console.log(`        ${line}`);
  }
  const [service, another, floor, peers] = await Promise.all([
    startService(join(folder, "service")),
    quick || !wanted.includes("create") ? undefined : startService(join(folder, "create")),
    startFloor(join(folder, "floor")),
    Promise.all(setups.map((setup) => startPeer(setup, folder))),
  ]);
  for (const { name, note } of [service, floor, ...peers]) results.systems[name] = note;
  return { service, fresh: another ?? service, floor, peers };
}

const PROBE_JOBS = 200;

/** A slow machine is given less, so that the ten minutes are enough for all of it. */
async function fitTo(floor: Floor): Promise<void> {
  if (quick) return;
  const probe = () => floor.create("tomorrow", "");
  await sendAll(Array.from({ length: PROBE_JOBS }, probe), 16);
  const from = Date.now();
  await sendAll(Array.from({ length: PROBE_JOBS }, probe), 16);
  const perSecond = Math.round((PROBE_JOBS * 1_000) / (Date.now() - from));
  size = fitted(perSecond);
  if (size !== FULL) results.notes.push(`the floor makes ${perSecond} objects/s here: bursts and backlogs are smaller`);
}

async function measureStage({ service, fresh, floor, peers }: Stage): Promise<void> {
  await fitTo(floor);
  if (wanted.includes("create"))
    await timed("create", async () => {
      const { ready } = floor;
      const noop = { name: "floor: a route that does nothing", next: floor.noop, ready };
      const row = { name: "floor: one row", next: floor.row, ready };
      const ours = AHEADS.map((when) => creating(fresh, when));
      const others = peers.map((peer) => creating(peer));
      results.create = await measureCreate([...ours, creating(floor), row, noop, ...others], size.create);
    });
  if (fresh !== service) await fresh.stop();
  const toReceivers = (systems: readonly System[]) =>
    Promise.all(systems.map(async (system) => pushed(system, await startReceiver(folder))));
  if (wanted.includes("punctuality"))
    await timed("punctuality", async () => {
      const [own, others, pull] = [await toReceivers([service, floor]), await toReceivers(peers), [pulled(service)]];
      const { runs } = size;
      results.punctuality = [];
      for (const beside of [[...own, ...pull], others])
        results.punctuality.push(...(await measurePunctuality(beside, size.spread, { runs, order: "together" })));
      results.punctuality.push(
        ...(await measurePunctuality([...own, ...others], size.burst, { runs, order: "turns" })),
      );
      results.punctuality.push(...(await measurePunctuality(pull, size.pullBurst, { runs, order: "turns" })));
    });
  if (wanted.includes("drain"))
    await timed("drain", async () => {
      results.drain = [await drainService(service, size.drainJobs)];
      for (const peer of peers) results.drain.push(await drainPeer(peer, size.drainJobs));
    });
}

async function measureFilled(peers: readonly Peer[]): Promise<void> {
  const isFlatness = wanted.includes("flatness");
  const past = isFlatness ? size.past : { ...size.past, waiting: size.idle.waiting, ended: 0 };
  const [{ service, waiting }, empty] = await Promise.all([
    startFilledService(join(folder, "filled"), "Chronos, filled", past),
    isFlatness ? startService(join(folder, "empty"), "Chronos, empty") : undefined,
  ]);
  if (wanted.includes("idle"))
    await timed("idle", async () => {
      for (const peer of peers) {
        await peer.stopRunner();
        await peer.startRunner();
        await peer.fill(size.idle.waiting, Date.now() + 86_400_000);
      }
      const ours = { system: service, waiting, requests: service.requests };
      const others = peers.map((system) => ({ system, waiting: size.idle.waiting }));
      results.idle = await measureIdle([ours, ...others], size.idle);
    });
  for (const peer of peers) await peer.stop();
  if (empty)
    await timed("flatness", async () => {
      const create = await measureCreate([creating(empty), creating(service)], size.flatCreate);
      const both = [pushed(empty, await startReceiver(folder)), pushed(service, await startReceiver(folder))];
      const { runs } = size;
      const spread = await measurePunctuality(both, size.flatSpread, { runs, order: "together" });
      const burst = await measurePunctuality(both, size.flatBurst, { runs, order: "turns" });
      const lists = await measureLists(service, runs);
      const { ended } = past;
      results.flatness = { create, punctuality: [...spread, ...burst], lists, waiting, ended };
    });
  await empty?.stop();
  await service.stop();
}

function fillingIsWorthIt(): boolean {
  const parts = (["idle", "flatness"] as const).filter((part) => wanted.includes(part));
  if (parts.length > 0 && isOver()) results.notes.push(`${parts.join(" and ")} are left out: the time is over`);
  return parts.length > 0 && !isOver();
}

/** The bill counts and does not time: it runs beside what waits or fills. */
async function measureAll(): Promise<void> {
  const bill = () => (wanted.includes("bill") ? measureTheBill() : Promise.resolve());
  const early = quick ? bill() : undefined;
  const staged = (["create", "punctuality", "drain", "peers"] as const).some((part) => wanted.includes(part));
  const stage = staged ? await startStage() : undefined;
  if (stage) await measureStage(stage);
  await stage?.service.stop();
  await stage?.floor.stop();
  const peers = stage?.peers ?? [];
  await Promise.all([early ?? bill(), fillingIsWorthIt() ? measureFilled(peers) : undefined]);
  for (const peer of peers) await peer.stop();
}

const measureTheBill = (): Promise<void> =>
  timed("bill", async () => {
    results.bill = await measureBill(join(folder, "bill"), quick ? "short" : "full");
    results.systems["the bill"] =
      `ten jobs of each shape, counted at the bindings; the target answers in ${TARGET_MS} ms`;
  });

async function save(): Promise<void> {
  const target = join(BENCH, quick || only ? "results/partial" : "results");
  mkdirSync(target, { recursive: true });
  const tables = tablesOf(results);
  writeFileSync(join(target, "results.json"), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(target, "tables.md"), tables);
  const summary = summaryOf(results);
  if (summary) writeFileSync(join(target, "summary.md"), summary);
  for (const [name, svg] of await plotsOf(results)) writeFileSync(join(target, name), `${svg}\n`);
  console.log(`\n${tables}\nIn ${target}; ${Math.round((Date.now() - began) / 1_000)} s in all.`);
}

/** Whatever happens: nothing is left running, nothing is left lying. */
async function end(code: number): Promise<never> {
  await stopAll();
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}

/** What was measured until then is kept. */
const breakOff = (code: number) => save().finally(() => end(code));

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => void breakOff(130));
setTimeout(() => {
  console.error(`Not done after ${size.limitMs / 60_000} minutes: given up.`);
  void breakOff(1);
}, size.limitMs).unref();

try {
  await measureAll();
  await save();
  await end(0);
} catch (error) {
  console.error(error);
  await end(1);
}
