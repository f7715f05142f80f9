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

/** The delay between a granted slot and the start of its attempt that the window allows for. */
const DELAY_PARTS = 2;
const MAX_DELAY_MS = 1_000;

export const delayOf = (rate: Rate): number => Math.min(MAX_DELAY_MS, DELAY_PARTS * lengthOf(rate));

/**
 * A part counts as a whole until the last start that it let happen has left the period: the limit is not exceeded at the target, and
 * used to 97 %.
 */
const leavesAt = (rate: Rate, { at }: Part): number => at + lengthOf(rate) + delayOf(rate) + durationMs(rate.period);

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

const partOf = (window: RateWindow, rate: Rate, at: number): Part | undefined =>
  window.find((part) => part.at <= at && at < part.at + lengthOf(rate));

/** Whether a start that was counted at a moment counts still. */
export const stillCounts = (window: RateWindow, rate: Rate, at: number, now: number): boolean =>
  partOf(counting(window, rate, now), rate, at) !== undefined;

/**
 * The window after one of its starts turned out to happen later than it was counted for: it counts from then on. One that was counted too
 * long ago to count still is counted anew.
 */
export function moved(window: RateWindow, rate: Rate, from: number, to: number): RateWindow {
  const length = lengthOf(rate);
  const own = partOf(window, rate, from);
  if (own && to < own.at + length) return window; // it counts for long enough
  const others = window.flatMap((part) =>
    part === own ? (part.count > 1 ? [{ at: part.at, count: part.count - 1 }] : []) : [part],
  );
  const place = others.findIndex(({ at }) => to < at + length);
  const next = others[place];
  if (next && next.at - to < length) return others.with(place, { at: next.at, count: next.count + 1 });
  const start = { at: to, count: 1 };
  return next ? others.toSpliced(place, 0, start) : [...others, start];
}

/** The window after so many starts at this moment. */
export function counted(window: RateWindow, rate: Rate, starts: number, now: number): RateWindow {
  const parts = counting(window, rate, now);
  const last = parts.at(-1);
  if (last && now < last.at + lengthOf(rate))
    return [...parts.slice(0, -1), { at: last.at, count: last.count + starts }];
  return [...parts, { at: now, count: starts }];
}
