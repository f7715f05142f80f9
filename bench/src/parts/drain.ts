// How fast a backlog goes: due jobs that wait, and four workers that come. One backlog in five slices, whose median counts.

import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "../load.ts";
import { startPollers } from "../pollers.ts";
import { median } from "../stats.ts";
import type { Floor } from "../systems/floor.ts";
import type { Peer } from "../systems/peers.ts";
import type { Service } from "../systems/service.ts";

export interface Drain extends Drained {
  /** Where its state is. */
  readonly medium: "disk" | "memory";
}

export interface Drained {
  readonly system: string;
  readonly jobs: number;
  readonly jobsPerSecond: number;
  readonly slices: readonly number[];
  /** What the workers asked for; null where a library decides that. */
  readonly claimsPerSecond: number | null;
}

export const WORKERS = 4;

/** Jobs of a claim, and of a report. */
export const BATCH = 25;

export const DRAIN_FLOOR = `floor: an object opened, written twice, emptied; batches of ${BATCH}`;

const SLICES = 5;
const LIMIT_MS = 120_000;

/** @param atOnce jobs of a claim */
export async function drainService(
  service: Service,
  { handler, jobs, atOnce }: { handler: string; jobs: number; atOnce: number },
): Promise<Drained> {
  const pollers = startPollers(service.tenants.slice(0, 1), { handler, workers: WORKERS, atOnce });
  const began = Date.now();
  try {
    const marks = await watch(jobs, () => pollers.count());
    const claimsPerSecond = (1_000 * pollers.claims()) / (Date.now() - began);
    const name = atOnce === 1 ? service.name : `${service.name}, batches of ${atOnce}`;
    return { ...drained(name, jobs, marks), claimsPerSecond };
  } finally {
    await pollers.stop();
  }
}

/** The least that claiming and reporting in batches can cost: no queue, no lease, no row. */
export async function drainFloor(floor: Floor, names: readonly string[]): Promise<Drained> {
  const left = Array.from({ length: Math.ceil(names.length / BATCH) }, (_, i) =>
    names.slice(i * BATCH, (i + 1) * BATCH),
  );
  let done = 0;
  const work = async () => {
    for (let batch = left.shift(); batch; batch = left.shift()) {
      await sendAll([floor.lease(batch), floor.settle(batch)], 1);
      done += batch.length;
    }
  };
  const began = Date.now();
  const working = Promise.all(Array.from({ length: WORKERS }, work));
  const [marks] = await Promise.all([watch(names.length, () => done), working]);
  const claimsPerSecond = (1_000 * names.length) / BATCH / (Date.now() - began);
  return { ...drained(DRAIN_FLOOR, names.length, marks), claimsPerSecond };
}

/** Nobody is told of these jobs: what counts is how fast a library finds and settles them. */
export async function drainPeer(peer: Peer, jobs: number): Promise<Drained> {
  await peer.stopRunner();
  await peer.fill(jobs, Date.now());
  await peer.startRunner(WORKERS);
  const marks = await watch(jobs, () => peer.handled());
  return { ...drained(peer.name, jobs, marks), claimsPerSecond: null };
}

/** When each slice was done, beginning with the first job seen, or with the call where all were seen at once. */
async function watch(jobs: number, count: () => number | Promise<number>): Promise<{ at: number; done: number }[]> {
  const marks: { at: number; done: number }[] = [];
  const beginning = { at: performance.now(), done: 0 };
  const deadline = Date.now() + LIMIT_MS;
  while (Date.now() < deadline) {
    const done = await count();
    const last = marks.at(-1);
    if ((!last && done > 0) || (last && done >= Math.min(jobs, last.done + jobs / SLICES)))
      marks.push({ at: performance.now(), done });
    if (done >= jobs) return marks.length > 1 ? marks : [beginning, ...marks];
    await sleep(5);
  }
  throw new Error(`a backlog of ${jobs} jobs was not gone after ${LIMIT_MS / 1_000} s`);
}

function drained(system: string, jobs: number, marks: readonly { at: number; done: number }[]) {
  const slices = marks.slice(1).map(({ at, done }, i) => {
    const before = marks[i] ?? { at: 0, done: 0 };
    return (1_000 * (done - before.done)) / (at - before.at);
  });
  return { system, jobs, slices, jobsPerSecond: median(slices) };
}
