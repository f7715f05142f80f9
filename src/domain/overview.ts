// What an overview shows of the counts: buckets of a window, and percentiles from the histogram.

import { LATENESS_BOUNDS_MS, SLOT_MS } from "./tally.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Each window is shown in so many buckets of this length. */
export const WINDOWS = {
  "15m": { buckets: 15, bucketMs: MINUTE },
  "1h": { buckets: 60, bucketMs: MINUTE },
  "24h": { buckets: 96, bucketMs: 15 * MINUTE },
  "7d": { buckets: 84, bucketMs: 2 * HOUR },
} as const;

export type WindowName = keyof typeof WINDOWS;

/** How long counts are kept. */
export const OVERVIEW_LIFE_MS = 7 * DAY;

/** Beginnings of a window's buckets, oldest first. The last one is under way. */
export function bucketsOf(window: WindowName, now: number): number[] {
  const { buckets, bucketMs } = WINDOWS[window];
  const last = now - (now % bucketMs);
  return Array.from({ length: buckets }, (_, i) => last - (buckets - 1 - i) * bucketMs);
}

/** The first slot of failures that a window reaches into. */
export const firstSlotOf = (window: WindowName, now: number): number => {
  const from = bucketsOf(window, now)[0] ?? now;
  return from - (from % SLOT_MS);
};

export interface Lateness {
  readonly started: number;
  readonly lateMax: number;
  /** Starts for each bound, each in one place only. */
  readonly late: readonly number[];
}

/** The bound below which this share of the starts lies, never above the latest; null when nothing started. */
export function percentileOf({ started, lateMax, late }: Lateness, share: number): number | null {
  if (started === 0) return null;
  const rank = Math.ceil(share * started);
  let seen = 0;
  for (const [i, bound] of LATENESS_BOUNDS_MS.entries()) {
    seen += late[i] ?? 0;
    if (seen >= rank) return Math.min(bound, lateMax);
  }
  return lateMax;
}

/** Due for so long, and no start is known. A running job is known as one after 5 s: what starts late is not shown by mistake. */
export const OVERDUE_AFTER_MS = 10_000;
