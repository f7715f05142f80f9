// How much is measured: in full, some twenty minutes of one core and 8 GB; in quick, twenty seconds. A minute of 100, 1,000 and 5,000 jobs a second that
// all come at once is 6,000, 60,000 and 300,000.

import type { Delivery, Search, Size } from "./ceilings.ts";
import { OTHER_WRITES_MS } from "./parameters.ts";

/** How long jobs that have not come, or not ended in the lists, are waited for. */
export const PATIENCE_MS = 600_000;

/** About what a pace's search begins with: jobs a second of one database. */
const BEGINNINGS = { "push singly": 270, "push in batches": 560, "pull singly": 290, "pull in batches": 560 };

const search = (delivery: Delivery, making: Search["making"], databases: number, seconds: number): Search => ({
  ...{ delivery, making, databases, seconds },
  from: databases * BEGINNINGS[`${delivery} ${making}`],
});

const [cheapMs = 0, dearMs = 0] = OTHER_WRITES_MS;

/** As many databases as carry it by the searches, and the rest of one pace. */
const pace = (delivery: Delivery, databases: number, perSecond: number, seconds: number) => ({
  ...{ delivery, databases, perSecond, seconds },
});

const burst = (delivery: Delivery, databases: number, jobs: number) => ({ delivery, databases, jobs });

export function fullSize(databases: readonly number[]): Size {
  const [, several, many] = databases;
  return {
    seed: 1,
    searches: [
      search("push", "singly", 1, 8),
      search("push", "in batches", 1, 6),
      search("pull", "singly", 1, 8),
      search("pull", "in batches", 1, 6),
      { ...search("pull", "in batches", 1, 6), accounts: 1, from: 250 },
      { ...search("push", "singly", 1, 6), from: 590, writeMs: cheapMs },
      { ...search("push", "singly", 1, 6), from: 170, writeMs: dearMs },
      ...(several ? [search("push", "singly", several, 4)] : []),
      ...(many ? [search("push", "singly", many, 2.5)] : []),
    ],
    paces: (["push", "pull"] as const).flatMap((delivery) => [
      pace(delivery, 1, 100, 5),
      pace(delivery, 1, 1_000, 3),
      pace(delivery, 1, 5_000, 2.5),
      ...(several
        ? [pace(delivery, several, 100, 5), pace(delivery, several, 1_000, 4), pace(delivery, several, 5_000, 2.5)]
        : []),
      ...(many ? [pace(delivery, many, 100, 5), pace(delivery, many, 1_000, 4), pace(delivery, many, 5_000, 2.5)] : []),
    ]),
    bursts: [
      burst("push", 1, 600),
      burst("push", 1, 6_000),
      burst("push", 1, 60_000),
      burst("pull", 1, 6_000),
      ...(several
        ? [burst("push", several, 6_000), burst("push", several, 60_000), burst("pull", several, 60_000)]
        : []),
      ...(many ? [burst("push", many, 60_000), burst("pull", many, 60_000), burst("push", many, 300_000)] : []),
    ],
    flows: [5, 50, 1_000].map((concurrency) => ({ jobs: 1_000 + 2 * concurrency, concurrency })),
    pullQueueJobs: 3_000,
  };
}

export const QUICK: Size = {
  seed: 1,
  searches: [{ ...search("push", "singly", 1, 4), from: 290 }],
  paces: [pace("push", 1, 100, 4)],
  bursts: [burst("push", 1, 500)],
  flows: [{ jobs: 300, concurrency: 50 }],
  pullQueueJobs: 300,
};

const NOTHING: Omit<Size, "seed"> = { searches: [], paces: [], bursts: [], flows: [], pullQueueJobs: null };

/** @param part what is measured alone; undefined: all of it */
export function onlyPart(size: Size, part: string | undefined): Size {
  const { seed, searches, paces, bursts, flows, pullQueueJobs } = size;
  const parts: Readonly<Record<string, Partial<Size>>> = {
    searches: { searches },
    paces: { paces },
    bursts: { bursts },
    objects: { flows, pullQueueJobs },
  };
  return part === undefined ? size : { ...NOTHING, seed, ...parts[part] };
}
