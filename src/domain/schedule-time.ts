// When a job is to run: now, after a delay, or at a moment (contract §2).

import { err, ok, type Result } from "./result.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNIT_MS = { second: SECOND, minute: MINUTE, hour: HOUR, day: DAY, week: 7 * DAY } as const;

export type Unit = keyof typeof UNIT_MS;
export const UNITS = ["second", "minute", "hour", "day", "week"] as const satisfies readonly Unit[];

export interface Duration {
  readonly value: number;
  readonly unit: Unit;
}

export const durationMs = ({ value, unit }: Duration): number => value * UNIT_MS[unit];

/** How far ahead a job may lie, in years of the calendar. */
const MAX_YEARS_AHEAD = 5;

export interface MomentRefusal {
  readonly field: "delay" | "scheduled_for";
  readonly message: string;
}

/**
 * The nominal time of a job.
 *
 * @param asked at most one of the two; neither means as soon as possible
 * @returns epoch milliseconds
 */
export function nominalTime(
  asked: { readonly delay?: Duration | undefined; readonly scheduledFor?: number | undefined },
  now: number,
): Result<number, MomentRefusal> {
  const { delay, scheduledFor } = asked;
  if (delay && scheduledFor !== undefined)
    return err({ field: "scheduled_for", message: "Give either `delay` or `scheduled_for`, not both." });
  if (delay) {
    const at = now + durationMs(delay);
    return at <= farthest(now) ? ok(at) : err({ field: "delay", message: tooFar });
  }
  if (scheduledFor === undefined) return ok(now);
  if (scheduledFor <= now) return err({ field: "scheduled_for", message: "Must lie in the future." });
  return scheduledFor <= farthest(now) ? ok(scheduledFor) : err({ field: "scheduled_for", message: tooFar });
}

const tooFar = `Must lie at most ${MAX_YEARS_AHEAD} years ahead.`;

function farthest(now: number): number {
  const date = new Date(now);
  return date.setUTCFullYear(date.getUTCFullYear() + MAX_YEARS_AHEAD);
}

/** In the largest unit that holds it whole. */
export function durationOf(ms: number): Duration {
  const unit = UNITS.findLast((one) => ms % UNIT_MS[one] === 0) ?? "second";
  return { value: ms / UNIT_MS[unit], unit };
}
