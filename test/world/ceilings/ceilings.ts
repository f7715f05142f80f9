// The ceilings: the highest steady pace that a number of databases carries, and what becomes of given paces and bursts. All of it
// follows from the seed.

import { type Bundle, bundle } from "../platform/bundle.ts";
import { FIGURES, type Figures } from "./parameters.ts";
import { type Outcome, type Plan, run } from "./run.ts";
import type { Load } from "./stations.ts";

/** A pace is sustained if hardly a creation is refused, attempts are on time, and no station falls behind by more than a share of the time. */
const MOST_REFUSED = 0.01;
const MOST_LATE_MS = 5_000;
const MOST_BEHIND = 0.03;

/** From one pace that is tried to the next. */
const STEP = 1.1;
const MOST_TRIES = 6;

export type Delivery = Plan["delivery"];

/** How jobs come: one by one, or a hundred in a request. */
export type Making = "singly" | "in batches";

export interface Shape {
  readonly delivery: Delivery;
  readonly making: Making;
  readonly databases: number;
  /** Of each database; each has one handler. */
  readonly accounts?: number;
}

/** Jobs of a database are made for so many accounts, with one handler each. */
const ACCOUNTS = 4;

/** Of each database, for its pull jobs. */
const WORKERS = 40;

/** A station at its busiest. */
export type Busy = Pick<Load, "utilisation" | "perSecond"> & { readonly station: Station };
export const STATIONS = ["database", "projector", "pullQueue", "flow", "queue"] as const;
export type Station = (typeof STATIONS)[number];

export interface Cell extends Shape {
  /** Jobs a second; null: all in one instant. */
  readonly perSecond: number | null;
  readonly jobs: number;
  readonly createdPerSecond: number;
  readonly createMs: Outcome["createMs"];
  readonly refusedShare: number;
  readonly lateMs: Outcome["lateMs"];
  /** Were made, and had not come when patience was over. */
  readonly missing: number;
  readonly listedAfterMs: number | null;
  readonly objectsMade: number;
  readonly busiest: Busy;
  readonly utilisation: Readonly<Record<Station, number>>;
  readonly isSustained: boolean;
}

/** The highest pace that was sustained, and the lowest above it that was not. */
export interface Ceiling extends Shape {
  readonly writeMs: number;
  readonly perSecond: number;
  readonly failsAt: number | null;
  readonly at: Cell;
}

/** Of one object: its pace when there is more work than it can do. */
export interface OneObject {
  readonly what: "flow" | "pullQueue";
  readonly concurrency: number | null;
  readonly jobs: number;
  readonly startsPerSecond: number;
  readonly utilisation: number;
}

export interface Ceilings {
  readonly seed: number;
  readonly ceilings: readonly Ceiling[];
  readonly paces: readonly Cell[];
  readonly bursts: readonly Cell[];
  readonly oneObject: readonly OneObject[];
}

/** A pace is tried for so long; it begins with `from`. */
export interface Search extends Shape {
  readonly from: number;
  readonly seconds: number;
  /** How long D1 takes to write, where it is other than in the model. */
  readonly writeMs?: number;
  /** From one pace that is tried to the next, where it is unknown how far the ceiling is from the beginning. */
  readonly step?: number;
}

export interface Size {
  readonly seed: number;
  /** Where they are other than Cloudflare's. */
  readonly figures?: Partial<Figures>;
  readonly searches: readonly Search[];
  readonly paces: readonly (Omit<Shape, "making"> & { readonly perSecond: number; readonly seconds: number })[];
  readonly bursts: readonly (Omit<Shape, "making"> & { readonly jobs: number })[];
  readonly flows: readonly { readonly jobs: number; readonly concurrency: number }[];
  readonly pullQueueJobs: number | null;
}

export type Tell = (line: string) => void;

/** Another platform than Cloudflare, to be held beside one that can be measured. */
export interface Beside {
  readonly figures: Partial<Figures>;
  readonly paces: readonly number[];
  readonly seconds: number;
  readonly burst: number;
  /** Where the search for its ceiling begins. */
  readonly from: number;
}

export interface BesideFigures {
  readonly paces: readonly Cell[];
  readonly burst: Cell;
  readonly ceiling: Ceiling;
}

export async function measureBeside(beside: Beside, seed: number, tell: Tell): Promise<BesideFigures> {
  const measure = new Measure(seed, await bundle("present"), tell, { ...FIGURES, ...beside.figures });
  const { seconds } = beside;
  const shape: Shape = { delivery: "push", making: "singly", databases: 1 };
  return {
    paces: await inTurn(beside.paces, (perSecond) => measure.pace(shape, { perSecond, seconds })),
    burst: await measure.burst({ ...shape, making: "in batches" }, beside.burst),
    ceiling: await measure.ceiling({ ...shape, from: beside.from, seconds, step: 1.4 }),
  };
}

export async function measureCeilings(size: Size, tell: Tell): Promise<Ceilings> {
  const measure = new Measure(size.seed, await bundle("present"), tell, { ...FIGURES, ...size.figures });
  return {
    seed: size.seed,
    ceilings: await inTurn(size.searches, (search) => measure.ceiling(search)),
    paces: await inTurn(size.paces, (pace) => measure.pace({ ...pace, making: "singly" }, pace)),
    bursts: await inTurn(size.bursts, (burst) => measure.burst({ ...burst, making: "in batches" }, burst.jobs)),
    oneObject: [
      ...(await inTurn(size.flows, (flow) => measure.flow(flow.jobs, flow.concurrency))),
      ...(size.pullQueueJobs === null ? [] : [await measure.pullQueue(size.pullQueueJobs)]),
    ],
  };
}

class Measure {
  readonly #seed: number;
  readonly #bundle: Bundle;
  readonly #tell: Tell;
  readonly #figures: Figures;

  constructor(seed: number, present: Bundle, tell: Tell, figures: Figures) {
    this.#figures = figures;
    this.#seed = seed;
    this.#bundle = present;
    this.#tell = tell;
  }

  async ceiling(search: Search): Promise<Ceiling> {
    const { from, seconds, writeMs = this.#figures.d1WriteMs, step = STEP, ...shape } = search;
    const figures = { ...this.#figures, d1WriteMs: writeMs };
    let best: Cell | null = null;
    let failsAt: number | null = null;
    let perSecond = from;
    for (let tries = 0; tries < MOST_TRIES && !(best && failsAt); tries++) {
      const cell = await this.pace(shape, { perSecond, seconds }, figures);
      if (cell.isSustained) {
        best = cell;
        perSecond = Math.round(perSecond * step);
      } else {
        failsAt = perSecond;
        perSecond = Math.round(perSecond / step);
      }
    }
    if (!best) throw new Error(`${JSON.stringify(shape)} sustains no pace down to ${perSecond}`);
    return { ...shape, writeMs, perSecond: best.perSecond ?? 0, failsAt, at: best };
  }

  async pace(shape: Shape, jobs: { perSecond: number; seconds: number }, figures = this.#figures): Promise<Cell> {
    const { perSecond, seconds } = jobs;
    return this.#cell(shape, perSecond, await run({ ...this.#plan(shape, figures), jobs: { perSecond, seconds } }));
  }

  async burst(shape: Shape, jobs: number): Promise<Cell> {
    return this.#cell(shape, null, await run({ ...this.#plan(shape), jobs: { burst: jobs } }));
  }

  async flow(jobs: number, concurrency: number): Promise<OneObject> {
    const shape: Shape = { delivery: "push", making: "in batches", databases: 1 };
    const plan = { ...this.#plan({ ...shape, accounts: 1 }), jobs: { burst: jobs }, flow: { concurrency } };
    const { startsPerSecond, flow } = await run(plan);
    this.#tell(`a flow of ${concurrency}: ${Math.round(startsPerSecond)} starts a second`);
    return { what: "flow", concurrency, jobs, startsPerSecond, utilisation: flow.utilisation };
  }

  async pullQueue(jobs: number): Promise<OneObject> {
    const shape: Shape = { delivery: "pull", making: "in batches", databases: 1 };
    const plan = { ...this.#plan({ ...shape, accounts: 1 }), jobs: { burst: jobs } };
    const { startsPerSecond, pullQueue } = await run(plan);
    this.#tell(`a PullQueue: ${Math.round(startsPerSecond)} starts a second`);
    return { what: "pullQueue", concurrency: null, jobs, startsPerSecond, utilisation: pullQueue.utilisation };
  }

  #plan({ delivery, making, databases, accounts = ACCOUNTS }: Shape, figures = this.#figures): Omit<Plan, "jobs"> {
    return {
      ...{ seed: this.#seed, bundle: this.#bundle, figures, databases, delivery },
      perRequest: making === "singly" ? null : 100,
      ...{ accounts, workers: WORKERS / accounts },
    };
  }

  #cell(shape: Shape, perSecond: number | null, outcome: Outcome): Cell {
    const { asked, refused, missing, createdPerSecond, createMs, lateMs, listedAfterMs, objectsMade } = outcome;
    const busy = STATIONS.map((station) => ({ station, ...outcome[station] }));
    const busiest = busy.reduce((most, one) => (one.utilisation > most.utilisation ? one : most));
    const refusedShare = refused / asked;
    const isBehind = busy.some(({ behindMs }) => behindMs > MOST_BEHIND * outcome.watchedMs);
    const cell: Cell = {
      ...{ delivery: shape.delivery, making: shape.making, databases: shape.databases, perSecond, jobs: asked },
      ...(shape.accounts !== undefined && { accounts: shape.accounts }),
      ...{ createdPerSecond, createMs, refusedShare, lateMs, missing, listedAfterMs, objectsMade },
      busiest: { station: busiest.station, utilisation: busiest.utilisation, perSecond: busiest.perSecond },
      utilisation: Object.fromEntries(
        busy.map(({ station, utilisation }) => [station, utilisation]),
      ) as Cell["utilisation"],
      isSustained: refusedShare <= MOST_REFUSED && missing === 0 && lateMs.p99 < MOST_LATE_MS && !isBehind,
    };
    this.#tell(lineOf(cell));
    return cell;
  }
}

function lineOf(cell: Cell): string {
  const { delivery, making, databases, perSecond, jobs, lateMs, refusedShare, busiest, isSustained } = cell;
  const pace = perSecond === null ? `${jobs} in one instant` : `${perSecond} a second`;
  const busy = `${busiest.station} at ${Math.round(100 * busiest.utilisation)} %`;
  const late = `late by ${Math.round(lateMs.p50)}, ${Math.round(lateMs.p99)} ms`;
  return `${delivery} ${making}, ${databases} databases, ${pace}: ${late}, ${(100 * refusedShare).toFixed(1)} % refused, ${busy}${isSustained ? "" : ", not sustained"}`;
}

async function inTurn<T, R>(items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const item of items) results.push(await call(item));
  return results;
}
