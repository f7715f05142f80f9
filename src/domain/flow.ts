// The rules of a flow: how many attempts may start at a moment, and when its breaker opens and closes. FlowObject keeps the line and the
// slots.

import type { FlowNews } from "./event.ts";
import {
  ARRIVES_WITHIN_MS,
  counted,
  counting,
  moved,
  type Rate,
  type RateWindow,
  roomAt,
  roomIn,
  stillCounts,
} from "./rate-window.ts";
import { type Duration, durationMs } from "./schedule-time.ts";

/** After so many counted failures in a row the flow pauses itself for so long, and then lets one attempt try. */
export interface Breaker {
  readonly failures: number;
  readonly pause: Duration;
}

/** The limits that an account sets. null: no limit. */
export interface FlowSpec {
  readonly concurrency: number | null;
  readonly rate: Rate | null;
  readonly breaker: Breaker | null;
  /** Nothing starts until somebody resumes it. */
  readonly paused: boolean;
}

/** The same as a request gives it. `paused` undefined: keep the present value. */
export type AskedFlow = Omit<FlowSpec, "paused"> & { readonly paused: boolean | undefined };

/** One attempt of a job. Its number distinguishes it from earlier attempts of the same job. */
export interface Ticket {
  readonly jobId: string;
  readonly attempt: number;
  /** When it was due, epoch milliseconds: first due, first served. */
  readonly dueAt: number;
  /** How long the attempt may take. */
  readonly timeoutSeconds: number;
}

/** The result of an attempt, as the breaker counts it. */
export type SlotEnd = "completed" | "failed" | "neither";

/** How a job uses the slot of an attempt: until when, as far as its owner knows, or how the attempt ended. */
export type SlotUse =
  | { readonly until: number }
  | { readonly until: null; readonly end: SlotEnd; readonly startedAt: number | null };

/** A flow as its object stores it. */
export interface Flow extends FlowSpec {
  readonly v: 1;
  readonly accountId: string;
  readonly key: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Grows with every change that people make, and begins above that of a deleted flow of the same key. */
  readonly revision: number;
  /** The same for its row, which is told of its breaker's pauses as well. */
  readonly rowRevision: number;
  /** Counted failures since the last attempt that completed. */
  readonly failures: number;
  /** Set once the breaker has paused it: from then on one attempt may try. */
  readonly openUntil: number | null;
  /** The attempt that tries. */
  readonly probe: { readonly jobId: string; readonly attempt: number } | null;
  /** The starts that the rate still counts. */
  readonly window: RateWindow;
  /** What those who asked may not have been told yet. */
  readonly news: readonly FlowNews[];
  /** When its row is written (again); null when the row says the same. */
  readonly reportAt: number | null;
  readonly failedReports: number;
  /** Deleted: what waits goes on without limits, and then nothing is left of it. */
  readonly isDeleted: boolean;
}

/** How a flow stands at a moment. */
export interface FlowView extends FlowSpec {
  readonly key: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly revision: number;
  /** When the breaker lets an attempt try; null unless it has paused the flow. */
  readonly pausedUntil: number | null;
  readonly waiting: number;
  readonly running: number;
  readonly oldestWaitingSince: number | null;
}

/** The first repetition of a failed report. */
const SOON_MS = 5_000;
const MAX_REPEAT_MS = 60_000;

/** A flow with these limits, made or changed. */
export function put(
  flow: Flow | undefined,
  spec: FlowSpec,
  { accountId, key }: { readonly accountId: string; readonly key: string },
  now: number,
): Flow {
  const fresh = { failures: 0, openUntil: null, probe: null };
  const kept = flow && spec.breaker ? flow : { ...fresh, window: flow?.window ?? [], news: flow?.news ?? [] };
  return {
    v: 1,
    accountId,
    key,
    createdAt: flow && !flow.isDeleted ? flow.createdAt : now,
    updatedAt: now,
    revision: flow ? flow.revision + 1 : now,
    rowRevision: flow ? flow.rowRevision + 1 : now,
    concurrency: spec.concurrency,
    rate: spec.rate,
    breaker: spec.breaker,
    paused: spec.paused,
    failures: kept.failures,
    openUntil: kept.openUntil,
    probe: kept.probe,
    window: kept.window,
    news: kept.news,
    reportAt: now + SOON_MS,
    failedReports: 0,
    isDeleted: false,
  };
}

/** Nothing starts from now on. Idempotent. */
export const pause = (flow: Flow, now: number): Flow => (flow.paused ? flow : changed(flow, now, { paused: true }));

/** Ends a pause by a person and one by the breaker. */
export const resume = (flow: Flow, now: number): Flow =>
  flow.paused || flow.openUntil !== null
    ? changed(flow, now, { paused: false, failures: 0, openUntil: null, probe: null })
    : flow;

/** Its breaker ends with it: a flow that is made again begins anew. */
export const remove = (flow: Flow, now: number): Flow =>
  changed(flow, now, { isDeleted: true, news: [], failures: 0, openUntil: null, probe: null });

const changed = (flow: Flow, now: number, patch: Partial<Flow>): Flow => ({
  ...flow,
  reportAt: now + SOON_MS,
  failedReports: 0,
  ...patch,
  updatedAt: now,
  revision: flow.revision + 1,
  rowRevision: flow.rowRevision + 1,
});

/** How many attempts more may start at this moment. */
export function room(flow: Flow, running: number, now: number): number {
  if (flow.isDeleted) return Number.POSITIVE_INFINITY;
  if (flow.paused) return 0;
  const slots = flow.concurrency === null ? Number.POSITIVE_INFINITY : Math.max(0, flow.concurrency - running);
  const starts = flow.rate === null ? Number.POSITIVE_INFINITY : roomIn(flow.window, flow.rate, now);
  return Math.min(slots, starts, throughBreaker(flow, now));
}

function throughBreaker({ openUntil, probe }: Flow, now: number): number {
  if (openUntil === null) return Number.POSITIVE_INFINITY;
  return now >= openUntil && probe === null ? 1 : 0;
}

/** When the passing of time alone lets more attempts start; null if it never does. */
export function roomMoreAt(flow: Flow, running: number, now: number): number | null {
  if (flow.paused || (flow.concurrency !== null && running >= flow.concurrency)) return null;
  if (flow.openUntil !== null && flow.probe !== null) return null;
  const rate = flow.rate === null ? null : roomAt(flow.window, flow.rate, now);
  const open = flow.openUntil !== null && flow.openUntil > now ? flow.openUntil : null;
  if (rate === null || open === null) return rate ?? open;
  return Math.max(rate, open);
}

/** Counts attempts that received a slot. @returns the same flow when nothing of it changes */
export function granted(flow: Flow, tickets: readonly Ticket[], now: number): Flow {
  const [first] = tickets;
  if (!first || flow.isDeleted) return flow;
  const window = flow.rate === null ? flow.window : counted(flow.window, flow.rate, tickets.length, now);
  const tries = flow.openUntil !== null && flow.probe === null;
  const probe = tries ? { jobId: first.jobId, attempt: first.attempt } : flow.probe;
  return window === flow.window && probe === flow.probe ? flow : { ...flow, window, probe };
}

/**
 * Whether an attempt that has had its slot since a moment may start only now: as far as the rate goes, which may have let others start
 * meanwhile.
 */
export const mayStartStill = ({ rate, window }: Flow, grantedAt: number, now: number): boolean =>
  rate === null || stillCounts(window, rate, grantedAt, now) || roomIn(window, rate, now) > 0;

/** An attempt that was counted when it received its slot may start only now. @returns the same flow when nothing of it changes */
export function startsAt(flow: Flow, grantedAt: number, at: number): Flow {
  if (flow.rate === null || flow.isDeleted) return flow;
  const window = moved(flow.window, flow.rate, grantedAt, at);
  return window === flow.window ? flow : { ...flow, window };
}

/** An attempt is at its target within this of its start. */
const WAY_MS = ARRIVES_WITHIN_MS / 2;

/** The same of one that has started, and is over now: it arrived in between. */
export function startedAt(flow: Flow, grantedAt: number, at: number, now: number): Flow {
  if (flow.rate === null || flow.isDeleted) return flow;
  const arrivedAt = Math.min(at + WAY_MS, now);
  const window = moved(flow.window, flow.rate, grantedAt, arrivedAt - ARRIVES_WITHIN_MS);
  return window === flow.window ? flow : { ...flow, window: counting(window, flow.rate, now) };
}

/** Counts the result of an attempt whose slot was released. @returns the same flow when nothing of it changes */
export function released(flow: Flow, ticket: Pick<Ticket, "jobId" | "attempt">, end: SlotEnd, now: number): Flow {
  const { breaker, probe } = flow;
  if (breaker === null || flow.isDeleted) return flow;
  if (flow.openUntil !== null) {
    const hasTried = probe !== null && probe.jobId === ticket.jobId && probe.attempt === ticket.attempt;
    if (!hasTried) return flow; // it had started before the pause
    if (end === "neither") return { ...flow, probe: null };
    if (end === "failed") return { ...flow, probe: null, openUntil: now + durationMs(breaker.pause) };
    return telling({ ...flow, failures: 0, openUntil: null, probe: null }, "flow.resumed", now);
  }
  if (end === "completed") return flow.failures === 0 ? flow : { ...flow, failures: 0 };
  if (end === "neither") return flow;
  const failures = flow.failures + 1;
  if (failures < breaker.failures) return { ...flow, failures };
  return telling({ ...flow, failures, openUntil: now + durationMs(breaker.pause) }, "flow.paused", now);
}

/** Undelivered news is bounded: the oldest is dropped. */
const MAX_NEWS = 20;

const telling = (flow: Flow, type: FlowNews["type"], now: number): Flow => ({
  ...flow,
  rowRevision: flow.rowRevision + 1,
  news: [...flow.news, { type, at: now }].slice(-MAX_NEWS),
  reportAt: now,
  failedReports: 0,
});

/** Removes the news that was announced. News since then stays. */
export const announced = (flow: Flow, told: readonly FlowNews[]): Flow => ({
  ...flow,
  news: flow.news.filter((one) => !told.some(({ type, at }) => type === one.type && at === one.at)),
});

/** The row holds this. */
export const confirmed = (flow: Flow, rowRevision: number, now: number): Flow =>
  flow.rowRevision === rowRevision ? { ...flow, reportAt: flow.news.length > 0 ? now : null, failedReports: 0 } : flow;

/** The row or the events could not be written: repeat after five seconds, doubling to a minute. */
export function again(flow: Flow, now: number): Flow {
  const failedReports = flow.failedReports + 1;
  return { ...flow, failedReports, reportAt: now + Math.min(SOON_MS * 2 ** (failedReports - 1), MAX_REPEAT_MS) };
}

/** @param counts attempts that wait and run, and when the first in line was due */
export const viewOfFlow = (
  flow: Flow,
  counts: Pick<FlowView, "waiting" | "running" | "oldestWaitingSince">,
): FlowView => ({
  key: flow.key,
  concurrency: flow.concurrency,
  rate: flow.rate,
  breaker: flow.breaker,
  paused: flow.paused,
  createdAt: flow.createdAt,
  updatedAt: flow.updatedAt,
  revision: flow.revision,
  pausedUntil: flow.openUntil,
  ...counts,
});
