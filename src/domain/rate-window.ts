// Counts the starts in a sliding period. It keeps one count for each hundredth of the period, so memory does not grow with the limit.

import { type Duration, durationMs } from "./schedule-time.ts";

/** So many starts in any period of this length. */
export interface Rate {
  readonly limit: number;
  readonly period: Duration;
}

/** The starts of one part of the period. */
export interface Part {
  /** Where the part begins, epoch milliseconds. */
  readonly at: number;
  readonly count: number;
}

/** The parts that still count, oldest first. */
export type RateWindow = readonly Part[];

const PARTS = 100;

const lengthOf = ({ period }: Rate): number => Math.ceil(durationMs(period) / PARTS);

/**
 * What a slot allows for between its grant and its attempt's arrival at the target. It is the same for all periods: a busy machine is not
 * quicker because the period is short.
 */
export const ARRIVES_WITHIN_MS = 1_000;

/**
 * A part counts as a whole until the last start that it let happen has left the period, so the limit is not exceeded at the target. Of a
 * minute 97 % are used. In a short period the delay would cost too much: there a start whose arrival is known counts from then.
 */
const leavesAt = (rate: Rate, { at }: Part): number =>
  at + lengthOf(rate) + ARRIVES_WITHIN_MS + durationMs(rate.period);

/** Whether it is worth a write to count a start from when it arrived. */
const isShort = (rate: Rate): boolean => ARRIVES_WITHIN_MS > 2 * lengthOf(rate);

/**
 * The parts that count at this moment. A clock that was set back takes nothing from them, so that nobody starts twice as many; one
 * that was set back by more than the period leaves none of them: they would hold all up for as long.
 */
export const counting = (window: RateWindow, rate: Rate, now: number): RateWindow =>
  window.filter((part) => leavesAt(rate, part) > now && part.at <= now + durationMs(rate.period));

/** How many may start now. */
export function roomIn(window: RateWindow, rate: Rate, now: number): number {
  const seen = counting(window, rate, now).reduce((sum, { count }) => sum + count, 0);
  return Math.max(0, rate.limit - seen);
}

/** When a start more becomes possible; null when one is possible now. */
export function roomAt(window: RateWindow, rate: Rate, now: number): number | null {
  if (roomIn(window, rate, now) > 0) return null;
  const oldest = counting(window, rate, now)[0];
  return oldest ? leavesAt(rate, oldest) : null;
}

/** Where the part begins that a moment belongs to. All parts lie on one grid, so a start is found where it was counted. */
const partAt = (rate: Rate, moment: number): number => moment - (moment % lengthOf(rate));

/** Whether a start that was counted at a moment counts still. */
export const stillCounts = (window: RateWindow, rate: Rate, at: number, now: number): boolean =>
  counting(window, rate, now).some((part) => part.at === partAt(rate, at));

/**
 * The window after one of its starts turned out to happen later than it was counted for, or earlier: it counts from then on. One whose
 * part has left the window is counted again.
 */
export function moved(window: RateWindow, rate: Rate, from: number, to: number): RateWindow {
  const [own, other] = [partAt(rate, from), partAt(rate, to)];
  const isCounted = window.some(({ at }) => at === own);
  if (isCounted && (own === other || (other < own && !isShort(rate)))) return window; // it counts for long enough
  return withOneMore(
    window.flatMap((part) => (part.at !== own ? [part] : part.count > 1 ? [{ at: own, count: part.count - 1 }] : [])),
    other,
  );
}

function withOneMore(window: RateWindow, at: number): RateWindow {
  const place = window.findIndex((part) => part.at >= at);
  const next = window[place];
  if (next?.at === at) return window.with(place, { at, count: next.count + 1 });
  return next ? window.toSpliced(place, 0, { at, count: 1 }) : [...window, { at, count: 1 }];
}

/** The window after so many starts at this moment. */
export function counted(window: RateWindow, rate: Rate, starts: number, now: number): RateWindow {
  const parts = counting(window, rate, now);
  const last = parts.at(-1);
  const at = partAt(rate, now);
  if (last && at <= last.at) return [...parts.slice(0, -1), { at: last.at, count: last.count + starts }];
  return [...parts, { at, count: starts }];
}
