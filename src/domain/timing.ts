// How a schedule recurs, and the moments it names. Pure: which of them makes a job is decided in schedule.ts.

import { nextCronTick } from "./cron.ts";
import { type Duration, durationMs } from "./schedule-time.ts";

/** How it recurs: by the calendar of a zone, or by a length of time from tick to tick. */
export type Timing =
  | { readonly type: "cron"; readonly expression: string; readonly timeZone: string }
  | { readonly type: "interval"; readonly every: Duration; readonly timeZone: string };

/** The moments a schedule fires, from the first after a moment; intervals count from the tick before, not the clock. */
export function tickAfter(timing: Timing, tick: number): number | undefined {
  return timing.type === "cron"
    ? nextCronTick(timing.expression, timing.timeZone, tick)
    : tick + durationMs(timing.every);
}

/** The newest tick up to the horizon, by halving: the later one asks, the later the tick that follows. */
export function newestUpTo(timing: Timing, known: number, horizon: number): number {
  let newest = known;
  let beyond = horizon;
  while (beyond - newest > 1) {
    const middle = Math.floor((newest + beyond) / 2);
    const tick = tickAfter(timing, middle);
    if (tick !== undefined && tick <= horizon) newest = tick;
    else beyond = middle;
  }
  return newest;
}

/**
 * The first tick after a moment.
 *
 * @param known a tick of this timing, where its intervals count from; null if there is none
 */
export function firstAfter(timing: Timing, known: number | null, now: number): number | undefined {
  if (known === null || timing.type === "cron") return tickAfter(timing, now);
  if (known > now) return known;
  const every = durationMs(timing.every);
  return known + (Math.floor((now - known) / every) + 1) * every;
}

/** Whether two timings have the same ticks; an interval's zone is for people only. */
export function isSameTiming(one: Timing, other: Timing): boolean {
  if (one.type === "interval") return other.type === "interval" && durationMs(one.every) === durationMs(other.every);
  return other.type === "cron" && one.expression === other.expression && one.timeZone === other.timeZone;
}
