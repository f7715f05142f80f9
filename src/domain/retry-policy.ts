// When a failed attempt is tried again (contract §3). Chance comes in as a number, so the same facts give the same delay.

const SECOND = 1_000;
const HOUR = 3_600_000;

/** The longest wait that a `Retry-After` can ask for. */
const MAX_RETRY_AFTER_MS = HOUR;

/** How long a job may meet nothing but interruptions before it fails with `platform`. */
export const MAX_INTERRUPTED_MS = 24 * HOUR;

/** How long a job waits before each of its retries (contract §2). The request's schema checks the limits. */
export type Backoff =
  | {
      /** `exponential` doubles the wait from retry to retry until it is `maxSeconds`; `fixed` keeps it. */
      readonly type: "exponential" | "fixed";
      readonly initialSeconds: number;
      /** The longest wait, jitter included. A `fixed` wait must not be longer; the schema refuses that. */
      readonly maxSeconds: number;
      /** Adds up to the wait again, so that jobs that failed together do not all come back together. */
      readonly jitter: boolean;
    }
  | {
      readonly type: "list";
      /** One for each retry, without jitter; the last one repeats. */
      readonly delaysSeconds: readonly number[];
    };

/** The backoff of a job that has none of its own, and of interruptions (contract §3). */
const DEFAULT_BACKOFF: Backoff = { type: "exponential", initialSeconds: 1, maxSeconds: 3_600, jitter: true };

/**
 * The default backoff: a wait that doubles from one second, plus up to the wait again, at most an hour.
 *
 * @param failures failures in a row so far, from 1
 * @param chance uniform in [0, 1)
 * @returns milliseconds
 */
export const backoffMs = (failures: number, chance: number): number => delayMs(DEFAULT_BACKOFF, failures, chance);

/**
 * The delay before the next attempt: the backoff, or what the target asked for if that is longer. The target is heeded up to
 * an hour, even when that is beyond the backoff's maximum.
 *
 * @param backoff null for the default
 * @param failures counted failures so far, from 1
 * @param chance uniform in [0, 1)
 * @returns milliseconds
 */
export function retryDelayMs(
  backoff: Backoff | null,
  failures: number,
  chance: number,
  retryAfterMs: number | null,
): number {
  const delay = delayMs(backoff ?? DEFAULT_BACKOFF, failures, chance);
  return Math.max(delay, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

function delayMs(backoff: Backoff, failures: number, chance: number): number {
  switch (backoff.type) {
    case "list": {
      const { delaysSeconds } = backoff;
      return (delaysSeconds[failures - 1] ?? delaysSeconds.at(-1) ?? 0) * SECOND;
    }
    case "exponential":
      return withJitter(backoff, Math.min(backoff.initialSeconds * 2 ** (failures - 1), backoff.maxSeconds), chance);
    case "fixed":
      return withJitter(backoff, backoff.initialSeconds, chance);
  }
}

/** The maximum only cuts the jitter: a base is never above it, or it is a fixed wait that is kept. */
function withJitter(backoff: Exclude<Backoff, { type: "list" }>, baseSeconds: number, chance: number): number {
  const base = baseSeconds * SECOND;
  const jitter = backoff.jitter ? Math.floor(chance * base) : 0;
  return Math.min(base + jitter, Math.max(base, backoff.maxSeconds * SECOND));
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
