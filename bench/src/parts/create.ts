// How fast a job is taken: requests a second and their times, at 1 and at 16 connections. Systems take turns within a run,
// so that what else this machine does meets all of them.

import { type Call, hammer, type Rate, sendAll } from "../load.ts";
import { median } from "../stats.ts";
import type { Ahead, System } from "../systems/system.ts";

export const CONNECTIONS = [1, 16] as const;

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
}

/** Nobody listens here: none of these jobs comes due while we look. */
const NO_TARGET = "http://127.0.0.1:9/hook";

export const creating = (system: System, when: Ahead = "tomorrow"): Candidate => ({
  name: when === "tomorrow" ? system.name : `${system.name}, due ${when}`,
  next: () => system.create(when, NO_TARGET),
  ready: system.ready,
});

const READY_FOR = 2_000;

export interface Creating {
  readonly runs: number;
  readonly seconds: number;
  /** Requests before anything counts. */
  readonly warmUp: number;
}

export async function measureCreate(
  candidates: readonly Candidate[],
  { runs, seconds, warmUp }: Creating,
): Promise<CreateFigure[]> {
  for (const { next } of candidates) await sendAll(Array.from({ length: warmUp }, next), 4);
  const taken = new Map<string, Rate[]>();
  for (let run = 0; run < runs; run++)
    for (const connections of CONNECTIONS)
      for (const { name, next, ready } of candidates) {
        await ready(READY_FOR);
        const key = `${name} ${connections}`;
        taken.set(key, [...(taken.get(key) ?? []), await hammer(connections, seconds, next)]);
      }
  return candidates.flatMap(({ name }) =>
    CONNECTIONS.map((connections) => {
      const rates = taken.get(`${name} ${connections}`) ?? [];
      const of = (field: keyof Rate) => median(rates.map((rate) => rate[field]));
      return { system: name, connections, runs: rates, perSecond: of("perSecond"), p50: of("p50"), p99: of("p99") };
    }),
  );
}
