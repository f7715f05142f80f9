// What a system can do for long: jobs are made without a pause and due a second later, while those before them are delivered,
// end and are listed. Of the rates at which no more than one job in a hundred is a second late, the greatest that was found.

import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { type Call, post } from "../load.ts";
import { startPollers } from "../pollers.ts";
import type { Arrival, Receiver } from "../receiving.ts";
import { type Spread, spreadOf } from "../stats.ts";
import type { Service } from "../systems/service.ts";
import type { System } from "../systems/system.ts";
import type { Tenant } from "../systems/tenant.ts";

export interface Sustained {
  readonly system: string;
  /** null: at none of the rates tried were all on time. */
  readonly perSecond: number | null;
  /** Lateness at that rate. */
  readonly late: Spread | null;
  /** Time from the last delivery until all jobs are listed as completed; null for systems without lists. */
  readonly listedAfterMs: number | null;
  readonly steps: readonly Step[];
}

interface Step {
  /** null: as fast as sixteen connections make them. */
  readonly offered: number | null;
  readonly jobs: number;
  /** Their moment had passed before they were made. */
  readonly refused: number;
  readonly madePerSecond: number;
  readonly deliveredPerSecond: number;
  readonly late: Spread;
  readonly listedAfterMs: number | null;
  readonly isSustained: boolean;
}

export interface Sustaining {
  readonly seconds: number;
  readonly steps: number;
}

export interface Candidate {
  readonly name: string;
  ready(): Promise<void>;
  /** The request for a job that is due then. */
  next(due: number): Call;
  /** Until so many have been delivered and have ended, or the deadline. */
  delivered(count: number, deadline: number): Promise<void>;
  arrivals(): Promise<readonly Arrival[]>;
  /** How many completed jobs since then are listed. */
  listed?(since: number): Promise<number>;
  end(): Promise<void>;
}

const WIDTH = 16;
const AHEAD_MS = 1_000;
const MOST_LATE_MS = 1_000;

/** How long after the last delivery the list may take. */
const LISTED_WITHIN_MS = 2_000;
const PATIENCE_MS = 8_000;

/** Below what a step has made or delivered, whichever is less. */
const NEXT = 0.9;

export async function measureSustained(candidate: Candidate, { seconds, steps }: Sustaining): Promise<Sustained> {
  const taken: Step[] = [];
  let offered: number | null = null;
  for (let i = 0; i < steps; i++) {
    const step: Step = await stepAt(candidate, offered, seconds);
    taken.push(step);
    if (step.isSustained) break;
    offered = NEXT * Math.min(step.madePerSecond, step.deliveredPerSecond);
    await sleep(AHEAD_MS);
  }
  const best = taken.find((step) => step.isSustained);
  return {
    system: candidate.name,
    perSecond: best ? Math.min(best.madePerSecond, best.deliveredPerSecond) : null,
    late: best?.late ?? null,
    listedAfterMs: best?.listedAfterMs ?? null,
    steps: taken,
  };
}

async function stepAt(candidate: Candidate, offered: number | null, seconds: number): Promise<Step> {
  await candidate.ready();
  const began = Date.now();
  try {
    const { jobs, refused } = await make(candidate, offered, seconds);
    const madePerSecond = (1_000 * jobs) / (Date.now() - began);
    await candidate.delivered(jobs, Date.now() + AHEAD_MS + PATIENCE_MS);
    const listedAt = candidate.listed ? await untilListed(candidate.listed, jobs, began) : null;
    const arrivals = await candidate.arrivals();
    const at = arrivals.map((arrival) => arrival.at).sort((a, b) => a - b);
    const [first = 0, last = 0] = [at.at(0), at.at(-1)];
    const listedAfterMs = listedAt === null ? null : listedAt - last;
    const late = spreadOf(arrivals.map((arrival) => arrival.at - arrival.due));
    const deliveredPerSecond = (1_000 * arrivals.length) / (last - first);
    const keptUp = offered === null || madePerSecond >= NEXT * offered;
    const isComplete = arrivals.length >= jobs && (listedAfterMs === null || listedAfterMs <= LISTED_WITHIN_MS);
    const isOnTime = late.p99 < MOST_LATE_MS && refused <= jobs / 100;
    const isSustained = isComplete && keptUp && isOnTime;
    return { offered, jobs, refused, madePerSecond, deliveredPerSecond, late, listedAfterMs, isSustained };
  } finally {
    await candidate.end();
  }
}

async function make(
  { next }: Candidate,
  offered: number | null,
  seconds: number,
): Promise<{ jobs: number; refused: number }> {
  const agent = new Agent({ keepAlive: true, maxSockets: WIDTH });
  const began = performance.now();
  const until = began + 1_000 * seconds;
  let jobs = 0;
  let refused = 0;
  let begun = 0;
  const lane = async () => {
    for (;;) {
      if (offered !== null) await sleep(Math.max(0, began + (1_000 * begun++) / offered - performance.now()));
      if (performance.now() >= until) return;
      const due = Date.now() + AHEAD_MS;
      try {
        await post(next(due), agent);
        jobs++;
      } catch (error) {
        if (Date.now() < due) throw error;
        refused++;
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: WIDTH }, lane));
  } finally {
    agent.destroy();
  }
  return { jobs, refused };
}

/** @returns when it was so, or when we stopped waiting */
async function untilListed(listed: (since: number) => Promise<number>, jobs: number, since: number): Promise<number> {
  const deadline = Date.now() + PATIENCE_MS;
  while ((await listed(since)) < jobs && Date.now() < deadline) await sleep(50);
  return Date.now();
}

export const pushing = (system: System, receiver: Receiver, tenants: readonly Tenant[] = []): Candidate => ({
  name: system.name,
  async ready() {
    await receiver.forget();
    await system.ready(READY_FOR);
  },
  next: (due) => system.create(due, receiver.hook),
  delivered: (count, deadline) => receiver.arrived(count, deadline),
  arrivals: () => receiver.arrivals(0, 0),
  ...(tenants.length > 0 && { listed: (since) => listedOf(tenants, since) }),
  end: async () => {},
});

/** Two workers for each of the accounts, which make the jobs in turns. */
export function pulling({ name, tenants }: Service): Candidate {
  let nth = 0;
  let pollers: ReturnType<typeof startPollers> | undefined;
  return {
    name: `${name}, pull`,
    async ready() {
      pollers = startPollers(tenants, { handler: HANDLER, workers: 2, atOnce: CLAIM });
    },
    next: (due) => (tenants[nth++ % tenants.length] as Tenant).create(due, HANDLER),
    async delivered(count, deadline) {
      while ((pollers?.count() ?? 0) < count && Date.now() < deadline) await sleep(20);
    },
    arrivals: async () => pollers?.all() ?? [],
    listed: (since) => listedOf(tenants, since),
    async end() {
      await pollers?.stop();
    },
  };
}

const READY_FOR = 5_000;
const HANDLER = "bench-sustained";

/** Jobs a worker takes at once, as the SDK's does when it has so many free slots. */
const CLAIM = 25;

async function listedOf(tenants: readonly Tenant[], since: number): Promise<number> {
  const query = `status=completed&created_after=${new Date(since - 1).toISOString()}`;
  const counts = await Promise.all(tenants.map((tenant) => tenant.listed(query)));
  return counts.reduce((sum, count) => sum + count, 0);
}
