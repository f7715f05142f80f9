// How fast a backlog goes: due jobs that wait, and four workers that come. One backlog in five slices, whose median counts.

import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "../load.ts";
import { startPollers } from "../pollers.ts";
import { median } from "../stats.ts";
import type { Peer } from "../systems/peers.ts";
import type { Service } from "../systems/service.ts";

export interface Drain {
  readonly system: string;
  readonly jobs: number;
  readonly jobsPerSecond: number;
  readonly slices: readonly number[];
  /** What the workers asked for; null where a library decides that. */
  readonly claimsPerSecond: number | null;
}

export const WORKERS = 4;

const SLICES = 5;
const SETTLE_MS = 3_000;
const LIMIT_MS = 180_000;
const WIDTH = 16;

/** All belong to one account, which may make 1,000 requests in ten seconds: 83 a second, in portions of a tenth. */
const SLICE = 100;
const PACE_MS = 12;

export async function drainService(service: Service, jobs: number): Promise<Drain> {
  const handler = "bench-drain";
  for (let made = 0; made < jobs; made += SLICE) {
    const calls = Array.from({ length: Math.min(SLICE, jobs - made) }, () => service.createPull("now", handler));
    await Promise.all([sendAll(calls, WIDTH), sleep(calls.length * PACE_MS)]);
  }
  await sleep(SETTLE_MS);
  const pollers = startPollers(service, handler, WORKERS);
  const began = Date.now();
  const marks = await watch(jobs, () => pollers.count());
  const claims = pollers.claims();
  const seconds = (Date.now() - began) / 1_000;
  await pollers.stop();
  return { ...drained(service.name, jobs, marks), claimsPerSecond: claims / seconds };
}

/** Nobody is told of these jobs: what counts is how fast a library finds and settles them. */
export async function drainPeer(peer: Peer, jobs: number): Promise<Drain> {
  await peer.stopRunner();
  await peer.fill(jobs, Date.now());
  await peer.startRunner(WORKERS);
  const marks = await watch(jobs, () => peer.handled());
  return { ...drained(peer.name, jobs, marks), claimsPerSecond: null };
}

/** When each slice was done, beginning with the first job seen. */
async function watch(jobs: number, count: () => number | Promise<number>): Promise<{ at: number; done: number }[]> {
  const marks: { at: number; done: number }[] = [];
  const deadline = Date.now() + LIMIT_MS;
  while (Date.now() < deadline) {
    const done = await count();
    const last = marks.at(-1);
    if ((!last && done > 0) || (last && done >= Math.min(jobs, last.done + jobs / SLICES)))
      marks.push({ at: performance.now(), done });
    if (done >= jobs) return marks;
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
