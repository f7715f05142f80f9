// When a failed attempt is tried again (contract §3). Chance comes in as a number, so the same facts give the same delay.

const SECOND = 1_000;
const HOUR = 3_600_000;

/** The longest a retry ever waits, whatever the backoff or a `Retry-After` says. */
const MAX_RETRY_DELAY_MS = HOUR;

/** How a job's retries are spaced, if not by the rule of contract §3. Seconds. */
export type Backoff =
  | {
      readonly type: "exponential" | "fixed";
      readonly initialSeconds: number;
      readonly maxSeconds: number;
      readonly jitter: boolean;
    }
  | { readonly type: "list"; readonly delaysSeconds: readonly number[] };

/** How long a job may meet nothing but interruptions before it fails with `platform`. */
export const MAX_INTERRUPTED_MS = 24 * HOUR;

/**
 * Exponential backoff with jitter: a base that doubles from one second, plus up to the base again, at most an hour.
 *
 * @param failures failures in a row so far, from 1
 * @param chance uniform in [0, 1)
 * @returns milliseconds
 */
export function backoffMs(failures: number, chance: number): number {
  const base = Math.min(SECOND * 2 ** (failures - 1), MAX_RETRY_DELAY_MS);
  return Math.min(base + Math.floor(chance * base), MAX_RETRY_DELAY_MS);
}

/** The delay before the next attempt: the backoff, or what the target asked for if that is longer. */
export function retryDelayMs(failures: number, chance: number, retryAfterMs: number | null): number {
  return Math.max(backoffMs(failures, chance), Math.min(retryAfterMs ?? 0, MAX_RETRY_DELAY_MS));
}

/** 4xx answers that are not the request's fault and are therefore retried: 408, 425 and 429. */
const RETRIED_4XX: ReadonlySet<number> = new Set([408, 425, 429]);

/** Whether an answer with this status, none of them a 2xx, is worth another attempt. */
export const isRetriedStatus = (status: number): boolean => status >= 500 || RETRIED_4XX.has(status);

/** One value of a `Retry-After`: a date may have a comma behind its weekday. */
const ONE_VALUE = /(?:\s*(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,)?[^,]+/g;

/** All three forms of an HTTP date begin with the weekday; `Date.parse` alone would find a date in "-5" too. */
const HTTP_DATE = /^(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)/;

/**
 * Reads a `Retry-After` header: seconds, or an HTTP date. Of several values, as a proxy may leave them, the longest counts,
 * and a part of a second counts as a whole one: a retry must not come before it is wanted.
 *
 * @returns milliseconds from `now`, or null when the header says nothing usable
 */
export function retryAfterMs(header: string | null, now: number): number | null {
  const values = header?.match(ONE_VALUE) ?? [];
  const waits = values.map((value) => waitMs(value.trim(), now)).filter((wait) => wait !== null);
  return waits.length === 0 ? null : Math.max(...waits);
}

function waitMs(value: string, now: number): number | null {
  if (/^\d+(\.\d*)?$|^\.\d+$/.test(value)) return Math.ceil(Number(value)) * SECOND;
  if (!HTTP_DATE.test(value)) return null;
  const at = Date.parse(value.endsWith("GMT") ? value : `${value} GMT`); // the oldest form goes without a zone
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
