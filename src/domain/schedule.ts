// A schedule and its ticks: when it fires next, what a tick does to it, when it is over. Pure: `now` is an argument.

import type { ScheduleNews } from "./event.ts";
import type { Work } from "./job.ts";
import { durationMs } from "./schedule-time.ts";
import { REPORT_AFTER_MS } from "./timer.ts";
import { firstAfter, isSameTiming, newestUpTo, type Timing, tickAfter } from "./timing.ts";

/** What a tick does whose predecessor's job has not ended: it makes its job all the same, or none. */
export const OVERLAPS = ["allow", "skip"] as const;
export type Overlap = (typeof OVERLAPS)[number];

/** What its owner may change; takes effect from the next tick. */
export interface ScheduleSpec extends Work {
  readonly description: string | null;
  readonly timing: Timing;
  readonly overlap: Overlap;
  /** How many jobs it makes at most. */
  readonly runs: number | null;
  /** No tick at or after this moment, epoch milliseconds. */
  readonly stopAt: number | null;
}

export const SCHEDULE_STATUSES = ["active", "paused", "completed", "archived"] as const;
export type ScheduleStatus = (typeof SCHEDULE_STATUSES)[number];

/** A schedule as its owner stores it. */
export interface Schedule extends ScheduleSpec {
  readonly v: 1;
  readonly accountId: string;
  readonly id: string;
  readonly idempotencyKey: string | null;
  readonly status: ScheduleStatus;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Counts the changes; the read model keeps the highest it has seen. 0: nobody has heard of it yet. */
  readonly revision: number;
  /** When it fires next; null once it is over. While it is paused, the tick from which its intervals go on counting. */
  readonly nextRunAt: number | null;
  /** The last tick that has a job. */
  readonly lastRunAt: number | null;
  readonly runCount: number;
  readonly missedRuns: number;
  /** Ticks without a job, because the job before had not ended. */
  readonly skippedRuns: number;
  /** A tick that began and whose job does not certainly exist yet: nothing else happens before it does. */
  readonly held: number | null;
  /** Set while the account is suspended or D1 cannot answer: look again then. */
  readonly heldUntil: number | null;
  /** Archived, and its pending jobs may not all be cancelled yet. */
  readonly clearing: boolean;
  /** What those who asked may not have been told yet. */
  readonly news: readonly ScheduleNews[];
  /** When this revision is reported to the read model (again); null when the read model holds it. */
  readonly reportAt: number | null;
  /** How many reports of this revision have failed. */
  readonly failedReports: number;
}

/** A new schedule. It is over before it began when no tick lies before `stopAt`. */
export function plan(
  spec: ScheduleSpec,
  { accountId, id, idempotencyKey, now }: { accountId: string; id: string; idempotencyKey: string | null; now: number },
): Schedule {
  return following(
    {
      ...spec,
      v: 1,
      accountId,
      id,
      idempotencyKey,
      status: "active",
      createdAt: now,
      updatedAt: now,
      revision: 0,
      nextRunAt: null,
      lastRunAt: null,
      runCount: 0,
      missedRuns: 0,
      skippedRuns: 0,
      held: null,
      heldUntil: null,
      clearing: false,
      news: [],
      reportAt: null,
      failedReports: 0,
    },
    tickAfter(spec.timing, now),
  );
}

/** The next fire times of a schedule, as far as `runs` and `stopAt` let it go. */
export function preview(schedule: Schedule, count: number): number[] {
  const { timing, nextRunAt, held, runs, runCount, stopAt } = schedule;
  const ticks = held === null || held === nextRunAt ? [] : [held];
  const left = Math.min(count, runs === null ? count : runs - runCount);
  let at = nextRunAt ?? undefined;
  while (at !== undefined && ticks.length < left && (stopAt === null || at < stopAt)) {
    ticks.push(at);
    at = tickAfter(timing, at);
  }
  return ticks.slice(0, left);
}

/** A tick whose turn it is, how many others are skipped for it, and which one follows. */
export interface Due {
  readonly tick: number;
  readonly missed: number;
  readonly next: number | undefined;
}

/** Ticks counted one by one at most; of a longer outage the rest counts as one. */
const MAX_COUNTED = 10_000;

/**
 * The tick to run now; undefined when none is due. Of several that fell into an outage the newest; a tick that was begun
 * and held up keeps its turn, and what fell due meanwhile is missed. A paused schedule has a tick only if it was begun before.
 */
export function dueAt(schedule: Schedule, now: number): Due | undefined {
  const { status, nextRunAt, held } = schedule;
  if (hasEnded(schedule)) return undefined;
  if (status === "paused") return held === null ? undefined : { tick: held, missed: 0, next: nextRunAt ?? undefined };
  if (held !== null) return { tick: held, ...behindHeld(schedule, now) };
  return nextRunAt === null || nextRunAt > now ? undefined : newestDue(schedule, nextRunAt, now);
}

function behindHeld(schedule: Schedule, now: number): Omit<Due, "tick"> {
  const { held, nextRunAt } = schedule;
  if (nextRunAt === null || nextRunAt > now) return { missed: 0, next: nextRunAt ?? undefined };
  const { missed, next } = newestDue(schedule, nextRunAt, now);
  return { missed: nextRunAt === held ? missed : missed + 1, next };
}

function newestDue({ timing, stopAt }: Schedule, first: number, now: number): Due {
  const horizon = stopAt === null ? now : Math.min(now, stopAt - 1);
  if (timing.type === "interval") {
    const every = durationMs(timing.every);
    const missed = Math.floor((horizon - first) / every);
    const tick = first + missed * every;
    return { tick, missed, next: tick + every };
  }
  let due: Due = { tick: first, missed: 0, next: tickAfter(timing, first) };
  while (due.next !== undefined && due.next <= horizon) {
    const tick: number = due.missed < MAX_COUNTED ? due.next : newestUpTo(timing, due.next, horizon);
    due = { tick, missed: due.missed + 1, next: tickAfter(timing, tick) };
  }
  return due;
}

/** Goes straight to the newest tick due. Written before its job is made, so that no later look can miss that job. */
export function skipTo(schedule: Schedule, { tick, missed }: Due, now: number): Schedule {
  return changed(schedule, now, { nextRunAt: tick, missedRuns: schedule.missedRuns + missed, heldUntil: null });
}

/** The job of a tick exists: it is counted, once, and the schedule goes on to the next one or is over. */
export function ran(schedule: Schedule, tick: number, now: number): Schedule {
  const { lastRunAt, runCount } = schedule;
  if (lastRunAt !== null && lastRunAt >= tick) return schedule;
  return past(schedule, tick, { lastRunAt: tick, runCount: runCount + 1 }, now);
}

/** The job before has not ended: the tick makes none, and the schedule goes on to the next one. */
export const skipTick = (schedule: Schedule, tick: number, now: number): Schedule =>
  past(schedule, tick, { skippedRuns: schedule.skippedRuns + 1 }, now);

function past(schedule: Schedule, tick: number, counts: Partial<Schedule>, now: number): Schedule {
  const { status, timing, held, nextRunAt, missedRuns } = schedule;
  const counted = { ...counts, held: null, heldUntil: null };
  if (hasEnded(schedule)) return changed(schedule, now, counted);
  if (status === "paused") return following(changed(schedule, now, counted), nextRunAt ?? undefined);
  const { missed, next } = held === null ? { missed: 0, next: tickAfter(timing, tick) } : behindHeld(schedule, now);
  return following(changed(schedule, now, { ...counted, missedRuns: missedRuns + missed }), next);
}

/** The tick could not be made now: it is repeated, and what falls due meanwhile counts as missed. */
export function holdTick(schedule: Schedule, tick: number, until: number, now: number): Schedule {
  return changed(schedule, now, { held: tick, heldUntil: until });
}

/** Ticks wait as a whole: which of them runs is decided when the account is served again. */
export function holdAll(schedule: Schedule, until: number, now: number): Schedule {
  return changed(schedule, now, { heldUntil: until });
}

/** Changes what its owner may change. A new timing counts from now; a tick that is due or under way stays. */
export function amend(schedule: Schedule, spec: ScheduleSpec, now: number): Schedule {
  const { timing, nextRunAt, missedRuns } = schedule;
  if (isSameTiming(spec.timing, timing))
    return following(changed(schedule, now, spec), nextRunAt ?? tickAfter(timing, now));
  const due = dueAt(schedule, now);
  const begun = due && { held: due.tick, missedRuns: missedRuns + due.missed };
  return following(changed(schedule, now, { ...spec, ...begun }), tickAfter(spec.timing, now));
}

/**
 * No tick that falls due from now on makes a job. One that was due before keeps its turn: its job may exist already. A paused
 * schedule stays as it is.
 */
export function pause(schedule: Schedule, now: number): Schedule {
  if (schedule.status !== "active") return schedule;
  const due = dueAt(schedule, now);
  const begun = due && {
    held: due.tick,
    missedRuns: schedule.missedRuns + due.missed,
    nextRunAt: due.next ?? null,
  };
  return changed(schedule, now, { ...begun, status: "paused" });
}

/**
 * Goes on with the first tick from now, as if those before had never been: an interval keeps its grid. It is over if none is
 * left before `stopAt`. An active schedule stays as it is.
 */
export function resume(schedule: Schedule, now: number): Schedule {
  const { status, timing, nextRunAt } = schedule;
  if (status !== "paused") return schedule;
  return following(changed(schedule, now, { status: "active" }), firstAfter(timing, nextRunAt, now));
}

export function archive(schedule: Schedule, now: number): Schedule {
  const over = { nextRunAt: null, held: null, heldUntil: null } as const;
  return changed(schedule, now, { ...over, status: "archived", clearing: true });
}

/** An archived schedule has no pending job left. No news to the read model. */
export const cleared = (schedule: Schedule): Schedule => ({ ...schedule, clearing: false });

/** Not all of them could be reached: again then. */
export const clearAgain = (schedule: Schedule, at: number): Schedule => ({ ...schedule, heldUntil: at });

/** The read model holds this revision: who asked for its news has been told. */
export const confirmed = (schedule: Schedule): Schedule => ({
  ...schedule,
  news: [],
  reportAt: null,
  failedReports: 0,
});

/** This news has its jobs; what came since is left. No news to the read model. */
export const announced = (schedule: Schedule, told: readonly ScheduleNews[]): Schedule => ({
  ...schedule,
  news: schedule.news.filter((one) => !told.some(({ type, at }) => type === one.type && at === one.at)),
});

/** Whether it is completed or archived: neither can be undone. */
export const hasEnded = <S extends { readonly status: ScheduleStatus }>(
  schedule: S,
): schedule is S & { readonly status: "completed" | "archived" } =>
  schedule.status === "completed" || schedule.status === "archived";

/** Whether nothing is left to do, ever: the read model's row is the whole truth. */
export const isOver = (schedule: Schedule): boolean =>
  hasEnded(schedule) && !schedule.clearing && schedule.reportAt === null;

/** When the next tick, or the clearing up after the last one, is due; null when neither is. */
export function tickDueAt({ status, nextRunAt, held, heldUntil, clearing, updatedAt }: Schedule): number | null {
  switch (status) {
    case "active":
      return Math.max(held ?? nextRunAt ?? 0, heldUntil ?? 0);
    case "paused":
      return held === null ? null : Math.max(held, heldUntil ?? 0);
    case "completed":
    case "archived":
      return clearing ? Math.max(updatedAt, heldUntil ?? 0) : null;
  }
}

/** When its owner wakes; null when the schedule is over, or paused with nothing left to do. */
export function scheduleWakeAt(schedule: Schedule): number | null {
  const due = tickDueAt(schedule);
  const { reportAt } = schedule;
  return due === null || reportAt === null ? (due ?? reportAt) : Math.min(due, reportAt);
}

/**
 * Goes on to a tick, unless it would be one too many or too late: then the schedule is over, or will be with a held one.
 * Whether a paused one has a tick left shows when it is resumed.
 */
function following(schedule: Schedule, next: number | undefined): Schedule {
  const { status, runs, runCount, stopAt, held } = schedule;
  const spent = runs !== null && runCount >= runs;
  if (!spent && status === "paused") return { ...schedule, nextRunAt: next ?? null };
  const tooLate = next === undefined || (stopAt !== null && next >= stopAt);
  if (!spent && !tooLate) return { ...schedule, nextRunAt: next };
  if (!spent && held !== null) return { ...schedule, nextRunAt: null };
  const news = [...schedule.news, { type: "schedule.completed", at: schedule.updatedAt } as const];
  return { ...schedule, nextRunAt: null, held: null, heldUntil: null, status: "completed", news };
}

const changed = (schedule: Schedule, now: number, patch: Partial<Schedule>): Schedule => ({
  ...schedule,
  reportAt: now + REPORT_AFTER_MS,
  failedReports: 0,
  ...patch,
  news:
    (patch.missedRuns ?? 0) > schedule.missedRuns
      ? [...schedule.news, { type: "schedule.missed", at: now }]
      : schedule.news,
  updatedAt: now,
  revision: schedule.revision + 1,
});
