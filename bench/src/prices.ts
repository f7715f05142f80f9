// What Cloudflare asks beyond the free allowances of the Workers Paid plan, in dollars. Looked up in November 2026 in its
// pricing pages for Workers, D1, Durable Objects and Queues; the plan itself is $5 a month and is not in here.

export const PRICED_ON = "2026-11";

const MILLION = 1_000_000;

/** Dollars for one. */
export const PRICES = {
  worker_requests: 0.3 / MILLION,
  object_requests: 0.15 / MILLION,
  d1_rows_read: 0.001 / MILLION,
  d1_rows_written: 1 / MILLION,
  object_rows_read: 0.001 / MILLION,
  object_rows_written: 1 / MILLION,
  queue_operations: 0.4 / MILLION,
  /** 128 MB for a millisecond; $12.50 for a million GB-s. */
  object_ms: (12.5 / MILLION) * 0.128 * 0.001,
} as const;

export type Billed = keyof typeof PRICES;

export const BILLED = Object.keys(PRICES) as Billed[];

/** Dollars for a million of something that uses this much. */
export const perMillion = (used: Readonly<Record<Billed, number>>): number =>
  BILLED.reduce((sum, what) => sum + used[what] * PRICES[what] * MILLION, 0);
