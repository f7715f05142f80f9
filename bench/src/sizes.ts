// How much is measured: in full, ten minutes on two cores and a disk, and in quick, about a minute.

import type { Past } from "./filling.ts";
import type { Aging } from "./parts/age.ts";
import type { Comparing } from "./parts/ceilings.ts";
import type { Creating } from "./parts/create.ts";
import type { Flowing } from "./parts/flow.ts";
import type { Idling } from "./parts/idle.ts";
import type { Remembering } from "./parts/memory.ts";
import type { Shape } from "./parts/punctuality.ts";
import type { Sustaining } from "./parts/sustained.ts";

export const PARTS = [
  "create",
  "punctuality",
  "age",
  "flow",
  "sustained",
  "drain",
  "bill",
  "peers",
  "idle",
  "flatness",
  "memory",
  "ceilings",
] as const;
export type Part = (typeof PARTS)[number];

/** How often something is measured, for a median. What hardly varies needs fewer. */
interface Runs {
  /** The service and its floor: their ratio is what counts. */
  readonly own: number;
  readonly peers: number;
}

interface Size {
  readonly parts: readonly Part[];
  readonly create: Creating;
  /** Runs of the peers and of the floors that nothing is divided by. */
  readonly fewerRuns: number;
  readonly createMany: Creating;
  /** The runs of a spread are slices of one. */
  readonly spread: Shape & { readonly slices: number };
  readonly burst: Shape & { readonly runs: Runs };
  /** Bursts during which another account asks for lists. */
  readonly crowd: Shape & { readonly runs: number };
  readonly pullBurst: Shape & { readonly runs: number };
  readonly age: Aging;
  readonly flow: Flowing;
  readonly sustained: Sustaining;
  /** Objects are let go after ten seconds: a backlog's owners have not been spoken to for as long. */
  readonly drain: {
    readonly singly: number;
    readonly batches: number;
    readonly peers: number;
    readonly coldMs: number;
  };
  readonly idle: Idling & { readonly waiting: number };
  readonly past: Past;
  readonly flatCreate: Creating;
  readonly flatSpread: Shape & { readonly slices: number };
  readonly flatBurst: Shape & { readonly runs: number };
  readonly listRuns: number;
  readonly memory: Remembering;
  /** How the ceilings' model is held beside the embedded service. */
  readonly beside: Comparing;
  /** After this no part is begun any more. */
  readonly budgetMs: number;
  /** After this everything is given up. */
  readonly limitMs: number;
}

const MINUTE = 60_000;

/** By themselves only: the ceilings are simulated, in five minutes of one core, and the same on every machine. */
const TOGETHER = PARTS.filter((part) => part !== "ceilings");

export const FULL: Size = {
  parts: TOGETHER,
  create: { connections: [1, 16], runs: 5, seconds: 0.5, warmUp: 200 },
  fewerRuns: 3,
  createMany: { connections: [1, 4], runs: 2, seconds: 0.5, warmUp: 4 },
  // 400 jobs over 20 s, of which each quarter is a run.
  spread: { jobs: 100, spanMs: 5_000, slices: 4 },
  burst: { jobs: 1_000, spanMs: 0, runs: { own: 3, peers: 1 } },
  crowd: { jobs: 1_000, spanMs: 0, runs: 2 },
  pullBurst: { jobs: 200, spanMs: 0, runs: 2 }, // a greater one is a backlog: see drain
  age: { jobs: 240, perSecond: 20 },
  flow: { jobs: 1_000, concurrency: [5, 50, 1_000] },
  sustained: { seconds: 4, steps: 3 },
  drain: { singly: 600, batches: 2_400, peers: 5_000, coldMs: 6_000 },
  // What start-up leaves behind is no idling: it settles first.
  idle: { settleMs: 5_000, runs: 5, seconds: 12, waiting: 10_000 },
  past: { waiting: 20_000, ended: 200_000 },
  flatCreate: { connections: [1, 16], runs: 5, seconds: 0.5, warmUp: 100 },
  flatSpread: { jobs: 60, spanMs: 3_000, slices: 3 },
  flatBurst: { jobs: 200, spanMs: 0, runs: 2 },
  listRuns: 5,
  memory: { perSecond: 30, seconds: 60, everySeconds: 5 },
  beside: { paces: [10, 40], seconds: 8, burst: 200 },
  budgetMs: 9.5 * MINUTE,
  limitMs: 10 * MINUTE,
};

/** How many objects a second the floor makes on a machine that does all of it in ten minutes. */
const FULL_PER_SECOND = 500;

/** On a slower machine the same runs of less: making jobs is what takes the time. */
export function fitted(perSecond: number): Size {
  const share = perSecond / FULL_PER_SECOND;
  if (share >= 1) return FULL;
  const part = (of: number, step: number) => Math.max(step, step * Math.round((share * of) / step));
  const { create, flatCreate, burst, crowd, pullBurst, drain, idle, past, flatBurst } = FULL;
  return {
    ...FULL,
    create: { ...create, seconds: 0.4, warmUp: 100 },
    burst: { ...burst, jobs: part(burst.jobs, 50) },
    crowd: { ...crowd, jobs: part(crowd.jobs, 50) },
    pullBurst: { ...pullBurst, jobs: part(pullBurst.jobs, 10) },
    drain: { ...drain, batches: part(drain.batches, 200), peers: part(drain.peers, 500) },
    idle: { ...idle, waiting: part(idle.waiting, 1_000) },
    past: { ...past, waiting: part(past.waiting, 1_000) },
    flatCreate: { ...flatCreate, runs: 3, seconds: 0.4 },
    flatBurst: { ...flatBurst, jobs: part(flatBurst.jobs, 10) },
  };
}

export const QUICK: Size = {
  parts: TOGETHER.filter((part) => part !== "flatness" && part !== "peers"),
  create: { connections: [1, 16], runs: 1, seconds: 0.3, warmUp: 20 },
  fewerRuns: 1,
  createMany: { connections: [1, 4], runs: 1, seconds: 0.3, warmUp: 1 },
  spread: { jobs: 20, spanMs: 1_000, slices: 1 },
  burst: { jobs: 50, spanMs: 0, runs: { own: 1, peers: 1 } },
  crowd: { jobs: 50, spanMs: 0, runs: 1 },
  pullBurst: { jobs: 50, spanMs: 0, runs: 1 },
  age: { jobs: 20, perSecond: 20 },
  flow: { jobs: 100, concurrency: [5] },
  sustained: { seconds: 1, steps: 2 },
  drain: { singly: 50, batches: 200, peers: 100, coldMs: 0 },
  idle: { settleMs: 500, runs: 1, seconds: 1, waiting: 100 },
  past: { waiting: 100, ended: 1_000 },
  flatCreate: { connections: [1, 16], runs: 1, seconds: 0.3, warmUp: 20 },
  flatSpread: { jobs: 20, spanMs: 1_000, slices: 1 },
  flatBurst: { jobs: 50, spanMs: 0, runs: 1 },
  listRuns: 1,
  memory: { perSecond: 30, seconds: 3, everySeconds: 1 },
  beside: { paces: [10], seconds: 2, burst: 50 },
  budgetMs: 2 * MINUTE,
  limitMs: 3 * MINUTE,
};

/** `--only memory`: half an hour of it. */
export const LONG_MEMORY: Size = {
  ...FULL,
  memory: { ...FULL.memory, seconds: 1_800, everySeconds: 60 },
  budgetMs: 35 * MINUTE,
  limitMs: 36 * MINUTE,
};

/** `--only ceilings`: a busy machine takes longer for the same figures. */
export const LONG_CEILINGS: Size = { ...FULL, budgetMs: 25 * MINUTE, limitMs: 30 * MINUTE };
