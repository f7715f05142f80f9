// How late jobs are: from the moment they were due to the moment the target, or the worker, has them. Spread over time,
// and all in one instant.

import { setTimeout as sleep } from "node:timers/promises";
import { sendAll } from "../load.ts";
import { startPollers } from "../pollers.ts";
import type { Arrival, Receiver } from "../receiving.ts";
import { median, type Spread, spreadOf } from "../stats.ts";
import type { Service } from "../systems/service.ts";
import type { System } from "../systems/system.ts";
import type { Tenant } from "../systems/tenant.ts";

export interface Punctuality extends Spread {
  readonly system: string;
  readonly shape: "spread" | "burst";
  readonly runs: readonly Round[];
}

interface Round extends Spread {
  readonly jobs: number;
  readonly missing: number;
  readonly duplicates: number;
  readonly early: number;
}

export interface Shape {
  readonly jobs: number;
  /** 0: all are due in one instant. */
  readonly spanMs: number;
}

/** How long the slowest may take. */
const PATIENCE_MS = 60_000;
const MARGIN_MS = 500;

/** Reports and confirmations of the last jobs. */
const AFTERMATH_MS = 500;

export interface Candidate {
  readonly name: string;
  /** Jobs that are armed and not due for long, to see how fast they are made. */
  readonly warmUp: (jobs: number) => Promise<unknown>;
  /** Makes jobs due at these moments and answers what arrived of them. */
  readonly run: (dues: readonly number[]) => Promise<readonly Arrival[]>;
}

const WIDTH = 16;

export function pushed(system: System, receiver: Receiver): Candidate {
  return {
    name: system.name,
    warmUp: (jobs) =>
      sendAll(
        times(jobs, () => system.create("in half an hour", receiver.hook)),
        WIDTH,
      ),
    async run(dues) {
      await receiver.forget();
      await system.ready(dues.length);
      const calls = dues.map((due) => system.create(due, receiver.hook));
      const ids = new Set((await sendAll(calls, WIDTH)).map(system.idOf));
      refuseIfDue(dues);
      const arrivals = await receiver.arrivals(ids.size, lastOf(dues) + PATIENCE_MS);
      return arrivals.filter(({ id }) => ids.has(id));
    },
  };
}

/** Sixteen workers poll; an arrival is the answer to a claim. Each completes its job before it polls again. */
export function pulled(service: Service, tenant: Tenant): Candidate {
  const handler = "bench-pull";
  return {
    name: `${service.name}, pull`,
    warmUp: (jobs) =>
      sendAll(
        times(jobs, () => tenant.create("in half an hour", "bench-later")),
        WIDTH,
      ),
    async run(dues) {
      const pollers = startPollers([tenant], { handler, workers: WIDTH, atOnce: 1 });
      try {
        const calls = dues.map((due) => tenant.create(due, handler));
        const ids = new Set((await sendAll(calls, WIDTH)).map(service.idOf));
        refuseIfDue(dues);
        return await pollers.arrivals(ids, lastOf(dues) + PATIENCE_MS);
      } finally {
        await pollers.stop();
      }
    },
  };
}

/**
 * Systems take turns, run by run; `together` they are measured beside each other, as far as a few jobs a second let them be
 * alone, and the runs are slices of one.
 */
export async function measurePunctuality(
  candidates: readonly Candidate[],
  shape: Shape,
  { runs, order }: { runs: number; order: "turns" | "together" },
): Promise<Punctuality[]> {
  const rounds = new Map<Candidate, Round[]>(candidates.map((candidate) => [candidate, []]));
  const run = async (beside: readonly Candidate[], slices: number) => {
    for (const [candidate, own] of await roundsWithin(TRIES, beside, shape, slices))
      rounds.get(candidate)?.push(...own);
    await sleep(AFTERMATH_MS);
  };
  if (order === "together") await run(candidates, runs);
  else for (let i = 0; i < runs; i++) for (const candidate of candidates) await run([candidate], 1);
  return candidates.map((candidate) => {
    const own = rounds.get(candidate) ?? [];
    const of = (field: keyof Spread) => median(own.map((round) => round[field]));
    const { name } = candidate;
    const kind = shape.spanMs === 0 ? "burst" : "spread";
    return { system: name, shape: kind, runs: own, p50: of("p50"), p95: of("p95"), p99: of("p99"), max: of("max") };
  });
}

/** How far ahead the first job must be due is measured on a few; a disk that turns slow meanwhile costs another try. */
async function roundsWithin(
  tries: number,
  candidates: readonly Candidate[],
  shape: Shape,
  slices: number,
  patience = 1,
): Promise<[Candidate, Round[]][]> {
  const jobs = shape.jobs * slices;
  const began = Date.now();
  await Promise.all(candidates.map((candidate) => candidate.warmUp(PROBE_JOBS)));
  const leadMs = 1.3 * patience * ((Date.now() - began) / PROBE_JOBS) * jobs;
  const first = Date.now() + MARGIN_MS + leadMs;
  const pauseMs = shape.spanMs / shape.jobs;
  // Beside each other, and not in the same instants.
  const duesOf = candidates.map((_, nth) => {
    const phaseMs = (nth * pauseMs) / candidates.length;
    return Array.from({ length: jobs }, (_, i) => Math.round(first + phaseMs + i * pauseMs));
  });
  try {
    const runs = candidates.map((candidate, nth) => candidate.run(duesOf[nth] ?? []));
    await Promise.allSettled(runs); // none goes on into another try
    const arrivals = await Promise.all(runs);
    return candidates.map((candidate, nth) => [candidate, sliced(arrivals[nth] ?? [], duesOf[nth] ?? [], shape.jobs)]);
  } catch (error) {
    if (tries <= 1 || Date.now() < first) throw error;
    await sleep(MARGIN_MS);
    return roundsWithin(tries - 1, candidates, shape, slices, 2 * patience);
  }
}

/** A round for each so many of the moments. */
function sliced(arrivals: readonly Arrival[], dues: readonly number[], jobs: number): Round[] {
  return Array.from({ length: dues.length / jobs }, (_, i) => {
    const begins = dues[i * jobs] ?? 0;
    const ends = dues[(i + 1) * jobs] ?? Number.POSITIVE_INFINITY;
    return roundOf(
      jobs,
      arrivals.filter(({ due }) => due >= begins && due < ends),
    );
  });
}

const TRIES = 3;
const PROBE_JOBS = 32;

/** A job that was made after it was due would be late through no fault of the system. */
function refuseIfDue([first = 0]: readonly number[]): void {
  if (Date.now() > first) throw new Error("making the jobs took longer than foreseen");
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function roundOf(jobs: number, arrivals: readonly Arrival[]): Round {
  const first = new Map<string, Arrival>();
  for (const arrival of arrivals) if (!first.has(arrival.id)) first.set(arrival.id, arrival);
  const lateness = [...first.values()].map(({ at, due }) => at - due);
  return {
    jobs,
    missing: jobs - first.size,
    duplicates: arrivals.length - first.size,
    early: lateness.filter((ms) => ms < 0).length,
    ...spreadOf(lateness),
  };
}

const lastOf = (dues: readonly number[]): number => dues.at(-1) ?? 0;
