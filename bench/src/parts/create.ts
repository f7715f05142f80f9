// How fast jobs are taken: jobs a second and the times of requests, at few and at many connections. Systems take turns within a
// run, so that what else this machine does meets all of them.

import { type Call, hammer, type Rate, sendAll } from "../load.ts";
import { median } from "../stats.ts";
import { type Ahead, NO_TARGET, type System } from "../systems/system.ts";

export interface CreateFigure extends Rate {
  readonly system: string;
  readonly connections: number;
  readonly runs: readonly Rate[];
}

/** What is hammered: a system's create, or a route that does nothing. */
export interface Candidate {
  readonly name: string;
  readonly next: () => Call;
  readonly ready: (requests: number) => Promise<void>;
  /** Jobs of one request; 1 unless it says otherwise. */
  readonly jobs?: number;
  /** In how many runs it takes part; in all unless it says otherwise. */
  readonly runs?: number;
}

export const creating = (system: System, when: Ahead = "tomorrow"): Candidate => ({
  name: when === "tomorrow" ? system.name : `${system.name}, due ${when}`,
  next: () => system.create(when, NO_TARGET),
  ready: system.ready,
});

/** Jobs of one request. */
export const BATCH = 100;

/** The floor of a batch makes rows alone. */
export const FLOOR_OF_BATCHES = "floor: rows in one statement";

export const batchesOf = (name: string): string => `${name}, batches of ${BATCH}`;

export const creatingMany = (system: System, name = system.name): Candidate => ({
  name: batchesOf(name),
  next: () => system.createMany("tomorrow", BATCH),
  ready: system.ready,
  jobs: BATCH,
});

const READY_FOR = 2_000;

export interface Creating {
  readonly connections: readonly number[];
  readonly runs: number;
  readonly seconds: number;
  /** Requests before anything counts. */
  readonly warmUp: number;
}

export async function measureCreate(
  candidates: readonly Candidate[],
  { connections: widths, runs, seconds, warmUp }: Creating,
): Promise<CreateFigure[]> {
  for (const { next } of candidates) await sendAll(Array.from({ length: warmUp }, next), 4);
  const taken = new Map<string, Rate[]>();
  for (let run = 0; run < runs; run++)
    for (const connections of widths)
      for (const { name, next, ready, jobs = 1, runs: most = runs } of candidates) {
        if (run >= most) continue;
        await ready(READY_FOR);
        const key = `${name} ${connections}`;
        const rate = await hammer(connections, seconds, next);
        taken.set(key, [...(taken.get(key) ?? []), { ...rate, perSecond: jobs * rate.perSecond }]);
      }
  return candidates.flatMap(({ name }) =>
    widths.map((connections) => {
      const rates = taken.get(`${name} ${connections}`) ?? [];
      const of = (field: keyof Rate) => median(rates.map((rate) => rate[field]));
      return { system: name, connections, runs: rates, perSecond: of("perSecond"), p50: of("p50"), p99: of("p99") };
    }),
  );
}
