// The scales of the charts: how high a bar is, and which values and moments are written beside them. Pure.

import { formatClock, formatExact, type Zone } from "../../ui/time-format.ts";
import type { WindowName } from "./overview-answer.ts";

/** A value with its place: 0 is the bottom of the chart, 1 its top. */
export interface Tick<T> {
  readonly value: T;
  readonly place: number;
}

/** The smallest of 1, 2, 5, 10, 20, 50 … that is not smaller. */
export function roundUp(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 2, 5, 10].find((one) => one * power >= value) ?? 10;
  return step * power;
}

export interface CountScale {
  /** The value at the top. */
  readonly top: number;
  readonly ticks: readonly Tick<number>[];
}

/** Whole numbers from zero: two or three lines, the last at the top. */
export function countScale(max: number): CountScale {
  const step = roundUp(Math.max(1, max) / 3);
  const top = Math.max(step, Math.ceil(max / step) * step);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => ({
    value: i * step,
    place: (i * step) / top,
  }));
  return { top, ticks };
}

/** Lateness reaches from milliseconds to hours: each line is ten times the one below, or the next unit that people use. */
const LATENESS_STEPS = [1, 10, 100, 1_000, 10_000, 60_000, 600_000, 3_600_000, 36_000_000] as const;

export interface LatenessScale {
  readonly top: number;
  readonly ticks: readonly Tick<number>[];
  readonly placeOf: (ms: number) => number;
}

/** A logarithmic scale from 1 ms to the step above the latest, and never less than a second: small differences stay small. */
export function latenessScale(maxMs: number): LatenessScale {
  const top = LATENESS_STEPS.find((step) => step >= Math.max(1_000, maxMs)) ?? maxMs;
  const placeOf = (ms: number) => Math.min(1, Math.log(Math.max(1, ms)) / Math.log(top));
  const ticks = LATENESS_STEPS.filter((step) => step <= top).map((value) => ({ value, place: placeOf(value) }));
  return { top, ticks, placeOf };
}

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far apart the moments are that are written below a chart. */
const TIME_STEP: Record<WindowName, number> = { "15m": 5 * MINUTE, "1h": 15 * MINUTE, "24h": 4 * HOUR, "7d": DAY };

/** Below which buckets a moment is written, and as what: the time of day, or the date at midnight. */
export function timeTicks(
  starts: readonly number[],
  window: WindowName,
  zone: Zone,
): readonly { readonly index: number; readonly label: string }[] {
  const step = TIME_STEP[window];
  const stepOf = (at: number) => Math.floor((at + offsetMs(at, zone)) / step);
  const changes = starts.flatMap((at, index) => {
    const before = starts[index - 1];
    return before !== undefined && stepOf(at) === stepOf(before) + 1 ? [{ index, at }] : [];
  });
  return changes.map(({ index, at }) => ({ index, label: window === "7d" ? dayOf(at, zone) : formatClock(at, zone) }));
}

/** `Fri 27` */
function dayOf(at: number, zone: Zone): string {
  const local = new Date(at + offsetMs(at, zone));
  return `${["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"][local.getUTCDay()]} ${local.getUTCDate()}`;
}

const offsetMs = (at: number, zone: Zone): number => (zone === "utc" ? 0 : -new Date(at).getTimezoneOffset() * MINUTE);

/** The span of a bucket, in words: `2026-11-27 06:15 to 06:16 UTC`. */
export function spanOf(at: number, lengthMs: number, zone: Zone): string {
  const [day, , name] = formatExact(at, zone).split(" ");
  return `${day} ${formatClock(at, zone)} to ${formatClock(at + lengthMs, zone)} ${name}`;
}
