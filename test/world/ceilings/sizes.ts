// How much is measured: all of it takes some five minutes of one core, the quick form twenty seconds.

import type { Size } from "./ceilings.ts";

const ONE = { databases: 1 } as const;

export const QUICK: Size = {
  seed: 1,
  searches: [{ ...ONE, delivery: "push", making: "singly", from: 290, seconds: 4 }],
  paces: [{ ...ONE, delivery: "push", perSecond: 100, seconds: 4 }],
  bursts: [{ ...ONE, delivery: "push", jobs: 500 }],
  flows: [{ jobs: 300, concurrency: 50 }],
  pullQueueJobs: 300,
};
