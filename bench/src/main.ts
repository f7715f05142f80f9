// `npm run bench`: measures the service, its floors and its peers in one go on one machine, in ten minutes at most.
// `-- --quick` goes through the same code in about a minute; its figures mean nothing. `-- --only create,bill` takes parts;
// `-- --only memory` watches it for half an hour, `-- --only ceilings` finds the ceilings on a simulated Cloudflare.

import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { fillBacklogs, MEMORY, type Past, startFilledService } from "./filling.ts";
import { sendAll } from "./load.ts";
import { ceilingTables } from "./output/ceilings.ts";
import { plotsOf } from "./output/plots.ts";
import { summaryOf } from "./output/summary.ts";
import { type Results, tablesOf } from "./output/tables.ts";
import { measureAge } from "./parts/age.ts";
import { measureBill, TARGET_MS } from "./parts/bill.ts";
import { measureBeside, measureCeilings } from "./parts/ceilings.ts";
import { creating, creatingMany, FLOOR_OF_BATCHES, measureCreate } from "./parts/create.ts";
import { measureCrowd } from "./parts/crowd.ts";
import { BATCH, type Drain, drainFloor, drainPeer, drainService } from "./parts/drain.ts";
import { measureFlow } from "./parts/flow.ts";
import { measureIdle } from "./parts/idle.ts";
import { measureInsight, measureLists } from "./parts/lists.ts";
import { HEADER_BYTES, measureMemory } from "./parts/memory.ts";
import { measurePunctuality, pulled, pushed } from "./parts/punctuality.ts";
import { measureSustained, pulling, pushing } from "./parts/sustained.ts";
import { BENCH, stopAll } from "./processes.ts";
import { type Receiver, startReceiver } from "./receiving.ts";
import { FULL, fitted, LONG_CEILINGS, LONG_MEMORY, PARTS, type Part, QUICK } from "./sizes.ts";
import { type Floor, startFloor } from "./systems/floor.ts";
import { availablePeers, type Peer, startPeer } from "./systems/peers.ts";
import { type Service, startService } from "./systems/service.ts";
import type { Ahead, System } from "./systems/system.ts";
import type { Tenant } from "./systems/tenant.ts";

const options = { quick: { type: "boolean" }, only: { type: "string" } } as const;
const { quick = false, only } = parseArgs({ options }).values;
const alone: Readonly<Record<string, typeof FULL>> = { memory: LONG_MEMORY, ceilings: LONG_CEILINGS };
let size = quick ? QUICK : (alone[only ?? ""] ?? FULL);
const wanted = (only?.split(",") ?? size.parts) as readonly Part[];
const unknown = wanted.filter((part) => !PARTS.includes(part));
if (unknown.length > 0) throw new Error(`no part ${unknown}; there are ${PARTS.join(", ")}`);

/** On a disk like any other: BENCH_FOLDER says which. Memory would hide what durability costs. */
const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "chronos-bench-"));
chmodSync(folder, 0o711); // PostgreSQL runs as a user of its own and has to pass
/** The same in memory: what the disk's part in a drain is. */
const memoryFolder = existsSync(MEMORY) ? mkdtempSync(join(MEMORY, "chronos-bench-")) : undefined;
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
  /** Of each system, where its pushes arrive. */
  readonly receivers: ReadonlyMap<System, Receiver>;
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
  const systems = [service, floor, ...peers];
  for (const { name, note } of systems) results.systems[name] = note;
  const receivers = new Map<System, Receiver>();
  for (const system of systems) receivers.set(system, await startReceiver(folder));
  return { service, fresh: another ?? service, floor, peers, receivers };
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

async function measureStage(stage: Stage): Promise<void> {
  const { service, fresh, floor } = stage;
  await fitTo(floor);
  if (wanted.includes("create")) await timed("create", () => measureCreation(stage));
  if (fresh !== service) await fresh.stop();
  if (wanted.includes("punctuality")) await timed("punctuality", () => measureLateness(stage));
  if (wanted.includes("age"))
    await timed("age", async () => {
      results.age = await measureAge(service, size.age);
    });
  if (wanted.includes("flow"))
    await timed("flow", async () => {
      results.flow = await measureFlow(service, receiverOf(stage.receivers, service), size.flow);
    });
  if (wanted.includes("sustained")) await timed("sustained", () => measureAllSustained(stage));
  if (wanted.includes("drain")) await timed("drain", () => measureDrains(stage));
}

async function measureCreation({ fresh, floor, peers }: Stage): Promise<void> {
  const { ready } = floor;
  const runs = size.fewerRuns;
  const noop = { name: "floor: a route that does nothing", next: floor.noop, ready, runs };
  const row = { name: "floor: one row", next: floor.row, ready, runs };
  const ours = AHEADS.map((when) => creating(fresh, when));
  const others = peers.map((peer) => ({ ...creating(peer), runs }));
  results.create = await measureCreate([...ours, creating(floor), row, noop, ...others], size.create);
  const many = [creatingMany(floor, FLOOR_OF_BATCHES), ...peers.map((peer) => creatingMany(peer))];
  if (await fresh.takesBatches()) many.unshift(creatingMany(fresh));
  else results.notes.push("batches of the service are left out: it has no POST /v1/jobs/batch");
  results.createMany = await measureCreate(many, size.createMany);
}

async function measureLateness({ service, floor, peers, receivers }: Stage): Promise<void> {
  const pushedBy = (system: System) => pushed(system, receiverOf(receivers, system));
  const [own, others] = [[service, floor].map(pushedBy), peers.map(pushedBy)];
  const pull = pulled(service, tenantOf(service, 0));
  const { spread, burst, pullBurst, crowd } = size;
  results.punctuality = [];
  for (const beside of [[...own, pull], others])
    results.punctuality.push(...(await measurePunctuality(beside, spread, { runs: spread.slices, order: "together" })));
  results.punctuality.push(
    ...(await measurePunctuality(own, burst, { runs: burst.runs.own, order: "turns" })),
    ...(await measurePunctuality(others, burst, { runs: burst.runs.peers, order: "turns" })),
    ...(await measurePunctuality([pull], pullBurst, { runs: pullBurst.runs, order: "turns" })),
  );
  results.crowd = await measureCrowd(pushedBy(service), tenantOf(service, 1), crowd, crowd.runs);
}

async function measureAllSustained({ service, floor, peers, receivers }: Stage): Promise<void> {
  results.sustained = [];
  for (const candidate of [
    pushing(service, receiverOf(receivers, service), service.makers),
    pulling(service),
    ...[floor, ...peers].map((system) => pushing(system, receiverOf(receivers, system))),
  ])
    results.sustained.push(await measureSustained(candidate, size.sustained));
}

/** Where a drain takes place: the service and its floor with their state on the same medium. */
interface Place {
  readonly medium: Drain["medium"];
  readonly service: Service;
  readonly floor: Floor;
}

/** On disk and in memory, where no disk is waited for: all backlogs are made before any is drained. */
async function measureDrains({ service, floor, peers }: Stage): Promise<void> {
  const singly = { handler: "bench-singly", jobs: size.drain.singly, atOnce: 1 };
  const batches = { handler: "bench-batches", jobs: size.drain.batches, atOnce: BATCH };
  const filled = async (place: Place) => {
    await fillBacklogs(place.service, [singly, batches]);
    return { ...place, names: await place.floor.makeBacklog(batches.jobs) };
  };
  const places = await Promise.all([
    filled({ medium: "disk", service, floor }),
    quick ? undefined : startInMemory().then((place) => place && filled(place)),
  ]);
  await sleep(size.drain.coldMs);
  results.drain = [];
  for (const place of places) {
    if (!place) continue;
    const drained = [
      await drainService(place.service, singly),
      await drainService(place.service, batches),
      await drainFloor(place.floor, place.names),
    ];
    results.drain.push(...drained.map((drain) => ({ ...drain, medium: place.medium })));
  }
  await places[1]?.service.stop();
  await places[1]?.floor.stop();
  for (const peer of peers) results.drain.push({ ...(await drainPeer(peer, size.drain.peers)), medium: "disk" });
}

async function startInMemory(): Promise<Place | undefined> {
  if (memoryFolder === undefined) {
    results.notes.push(`the drain in memory is left out: there is no ${MEMORY}`);
    return undefined;
  }
  const [service, floor] = await Promise.all([
    startService(join(memoryFolder, "service")),
    startFloor(join(memoryFolder, "floor")),
  ]);
  return { medium: "memory", service, floor };
}

/** What waits and what is filled beforehand. The memory of a busy service is watched while others idle. */
async function measureFilled(peers: readonly Peer[]): Promise<void> {
  const isFlatness = wanted.includes("flatness");
  const past = isFlatness ? size.past : { waiting: size.idle.waiting, ended: 0 };
  const [filled, empty] = await Promise.all([
    isFlatness || wanted.includes("idle")
      ? startFilledService(join(folder, "filled"), "Chronos, filled", past)
      : undefined,
    isFlatness ? startService(join(folder, "empty"), "Chronos, empty") : undefined,
  ]);
  await Promise.all([
    filled && wanted.includes("idle") ? timed("idle", () => measureIdling(filled, past.waiting, peers)) : undefined,
    wanted.includes("memory") ? timed("memory", measureRemembering) : undefined,
  ]);
  for (const peer of peers) await peer.stop();
  if (filled && empty) await timed("flatness", () => measureFlatness(filled, empty, past));
  await empty?.stop();
  await filled?.stop();
}

async function measureIdling(filled: Service, waiting: number, peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) {
    await peer.stopRunner();
    await peer.startRunner();
    await peer.fill(size.idle.waiting, Date.now() + 86_400_000);
  }
  const ours = { system: filled, waiting, requests: filled.requests };
  const others = peers.map((system) => ({ system, waiting: size.idle.waiting }));
  results.idle = await measureIdle([ours, ...others], size.idle);
}

async function measureRemembering(): Promise<void> {
  const receiver = await startReceiver(folder, { headerBytes: HEADER_BYTES });
  const service = await startService(join(folder, "memory"));
  Object.assign(results, await measureMemory(service, receiver, size.memory));
}

async function measureFlatness(filled: Service, empty: Service, { waiting, ended }: Past): Promise<void> {
  const { listRuns, flatCreate, flatSpread, flatBurst } = size;
  const create = await measureCreate([creating(empty), creating(filled)], flatCreate);
  const both = [pushed(empty, await startReceiver(folder)), pushed(filled, await startReceiver(folder))];
  const spread = await measurePunctuality(both, flatSpread, { runs: flatSpread.slices, order: "together" });
  const burst = await measurePunctuality(both, flatBurst, { runs: flatBurst.runs, order: "turns" });
  const lists = await measureLists(tenantOf(filled, 0), listRuns);
  const insight = await measureInsight(tenantOf(filled, 0), listRuns);
  results.flatness = { create, punctuality: [...spread, ...burst], lists, insight, waiting, ended };
}

/** A part is worth preparing for as long as there is time. */
function isWanted(parts: readonly Part[]): boolean {
  const some = parts.filter((part) => wanted.includes(part));
  if (some.length > 0 && isOver()) results.notes.push(`left out, because the time is over: ${some.join(", ")}`);
  return some.length > 0 && !isOver();
}

/** The bill counts and does not time: it runs beside what fills. */
async function measureAll(): Promise<void> {
  const bill = () => (wanted.includes("bill") ? measureTheBill() : Promise.resolve());
  const early = quick ? bill() : undefined;
  const stage = isWanted(STAGED) ? await startStage() : undefined;
  if (stage) await measureStage(stage);
  await stage?.service.stop();
  await stage?.floor.stop();
  const peers = stage?.peers ?? [];
  await Promise.all([early ?? bill(), isWanted(["idle", "flatness", "memory"]) ? measureFilled(peers) : undefined]);
  for (const peer of peers) await peer.stop();
  if (wanted.includes("ceilings")) await timed("ceilings", measureTheCeilings);
}

/** Simulated first, then the model beside a service of its own. */
async function measureTheCeilings(): Promise<void> {
  const ceilings = await measureCeilings(quick);
  const service = await startService(join(folder, "beside"));
  results.ceilings = { ...ceilings, ...(await measureBeside(service, await startReceiver(folder), size.beside)) };
  await service.stop();
}

/** The parts that all systems take side by side. */
const STAGED: readonly Part[] = ["create", "punctuality", "age", "flow", "sustained", "drain", "peers"];

const measureTheBill = (): Promise<void> =>
  timed("bill", async () => {
    results.bill = await measureBill(join(folder, "bill"));
    results.systems["the bill"] =
      `ten jobs of each shape, counted at the bindings; the target answers in ${TARGET_MS} ms`;
  });

function tenantOf({ tenants }: Service, nth: number): Tenant {
  const tenant = tenants[nth];
  if (!tenant) throw new Error(`there is no tenant ${nth}`);
  return tenant;
}

function receiverOf(receivers: Stage["receivers"], system: System): Receiver {
  const receiver = receivers.get(system);
  if (!receiver) throw new Error(`${system.name} has no receiver`);
  return receiver;
}

async function save(): Promise<void> {
  const target = join(BENCH, quick || only ? "results/partial" : "results");
  mkdirSync(target, { recursive: true });
  const tables = tablesOf(results);
  writeFileSync(join(target, "results.json"), `${JSON.stringify(results, null, 1)}\n`);
  writeFileSync(join(target, "tables.md"), tables);
  const summary = summaryOf(results);
  if (summary) writeFileSync(join(target, "summary.md"), summary);
  const plots = await plotsOf(results);
  for (const [name, svg] of plots) writeFileSync(join(target, name), `${svg}\n`);
  if (results.ceilings && !quick) keepCeilings(results.ceilings, plots);
  console.log(`\n${tables}\nIn ${target}; ${Math.round((Date.now() - began) / 1_000)} s in all.`);
}

/** They are the same on every machine, but for the comparison, and no part of the whole: their results stand beside the others. */
function keepCeilings(ceilings: NonNullable<Results["ceilings"]>, plots: readonly [string, string][]): void {
  const kept = (name: string) => join(BENCH, "results", name);
  writeFileSync(kept("ceilings.json"), `${JSON.stringify(ceilings, null, 1)}\n`);
  writeFileSync(kept("ceilings.md"), `${ceilingTables(ceilings).join("\n\n")}\n`);
  for (const [name, svg] of plots) if (name === "ceilings.svg") writeFileSync(kept(name), `${svg}\n`);
}

/** Whatever happens: nothing is left running, nothing is left lying. */
async function end(code: number): Promise<never> {
  await stopAll();
  for (const own of [folder, memoryFolder]) if (own !== undefined) rmSync(own, { recursive: true, force: true });
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
