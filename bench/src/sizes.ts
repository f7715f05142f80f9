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

/** How many objects a second the floor makes on a machine that does all of it in ten minutes. */
const FULL_PER_SECOND = 400;

/** On a slower machine the same runs of less: making jobs is what takes the time. */
export function fitted(perSecond: number): Size {
  const share = perSecond / FULL_PER_SECOND;
  if (share >= 1) return FULL;
  const part = (of: number, step: number) => Math.max(step, step * Math.round((share * of) / step));
  const create = { ...FULL.create, seconds: 0.3, warmUp: 100 };
  return {
    ...FULL,
    create,
    burst: { jobs: part(FULL.burst.jobs, 50), spanMs: 0 },
    pullBurst: { jobs: part(FULL.pullBurst.jobs, 10), spanMs: 0 },
    drainJobs: part(FULL.drainJobs, 500),
    past: { ...FULL.past, waiting: part(FULL.past.waiting, 1_000) },
    flatCreate: create,
    flatSpread: { jobs: 60, spanMs: 3_000 },
    flatBurst: { jobs: part(FULL.flatBurst.jobs, 10), spanMs: 0 },
  };
}

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
