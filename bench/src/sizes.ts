// How much is measured: in full, ten minutes on two cores and a disk, and in quick, about a minute.

import type { Creating } from "./parts/create.ts";
import type { Idling } from "./parts/idle.ts";
import type { Shape } from "./parts/punctuality.ts";

export const PARTS = ["create", "punctuality", "bill", "drain", "peers", "idle", "flatness"] as const;
export type Part = (typeof PARTS)[number];

interface Size {
  readonly parts: readonly Part[];
  readonly runs: number;
  readonly create: Creating;
  readonly spread: Shape;
  readonly burst: Shape;
  readonly pullBurst: Shape;
  readonly drainJobs: number;
  readonly idle: Idling & { readonly waiting: number };
  readonly past: { readonly waiting: number; readonly ended: number; readonly limitMs: number };
  readonly flatCreate: Creating;
  readonly flatSpread: Shape;
  readonly flatBurst: Shape;
  /** After this no part is begun any more. */
  readonly budgetMs: number;
  /** After this everything is given up. */
  readonly limitMs: number;
}

const MINUTE = 60_000;

export const FULL: Size = {
  parts: PARTS,
  runs: 5,
  create: { runs: 5, seconds: 0.5, warmUp: 200 },
  // 600 jobs over 30 s, of which each fifth is a run.
  spread: { jobs: 120, spanMs: 6_000 },
  burst: { jobs: 1_000, spanMs: 0 },
  pullBurst: { jobs: 200, spanMs: 0 }, // a greater one is a backlog: see drain
  drainJobs: 5_000,
  // What start-up leaves behind is no idling: it settles first.
  idle: { settleMs: 5_000, runs: 5, seconds: 12, waiting: 10_000 },
  past: { waiting: 20_000, ended: 200_000, limitMs: MINUTE },
  flatCreate: { runs: 5, seconds: 0.5, warmUp: 100 },
  flatSpread: { jobs: 120, spanMs: 6_000 },
  flatBurst: { jobs: 200, spanMs: 0 },
  budgetMs: 9 * MINUTE,
  limitMs: 10 * MINUTE,
};

/** A machine whose floor makes fewer objects a second than this could not do it all in ten minutes. */
export const BRISK_PER_SECOND = 180;

/** For such a machine: the same runs of less. */
export const SMALLER: Size = {
  ...FULL,
  create: { runs: 5, seconds: 0.3, warmUp: 100 },
  burst: { jobs: 250, spanMs: 0 },
  pullBurst: { jobs: 50, spanMs: 0 },
  drainJobs: 1_500,
  past: { ...FULL.past, waiting: 10_000 },
  flatCreate: { runs: 5, seconds: 0.3, warmUp: 100 },
  flatSpread: { jobs: 60, spanMs: 3_000 },
  flatBurst: { jobs: 50, spanMs: 0 },
};

export const QUICK: Size = {
  parts: PARTS.filter((part) => part !== "flatness" && part !== "peers"),
  runs: 1,
  create: { runs: 1, seconds: 0.3, warmUp: 20 },
  spread: { jobs: 20, spanMs: 1_000 },
  burst: { jobs: 50, spanMs: 0 },
  pullBurst: { jobs: 50, spanMs: 0 },
  drainJobs: 100,
  idle: { settleMs: 500, runs: 1, seconds: 1, waiting: 100 },
  past: { waiting: 100, ended: 1_000, limitMs: MINUTE },
  flatCreate: { runs: 1, seconds: 0.3, warmUp: 20 },
  flatSpread: { jobs: 20, spanMs: 1_000 },
  flatBurst: { jobs: 50, spanMs: 0 },
  budgetMs: 2 * MINUTE,
  limitMs: 3 * MINUTE,
};
