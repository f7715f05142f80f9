// How long to wait before the next try: exponential with full jitter, and never sooner than Retry-After.

export interface PauseRange {
  /** The first ceiling. */
  baseMs: number;
  /** The last one. */
  capMs: number;
}

/** A service that asks for more than this is not obeyed to the letter: a worker must not sleep through a day. */
const LONGEST_RETRY_AFTER_MS = 3_600_000;

/**
 * `random(0, min(cap, base × 2^(failures−1)))`, added to what the service asked for: the jitter comes on top because every
 * worker of one key is told the same Retry-After.
 */
export function backoffMs(
  failures: number,
  { baseMs, capMs }: PauseRange,
  random: number,
  retryAfterMs: number | null,
): number {
  const ceilingMs = Math.min(capMs, baseMs * 2 ** (failures - 1));
  return Math.round(Math.min(retryAfterMs ?? 0, LONGEST_RETRY_AFTER_MS) + random * ceilingMs);
}

/**
 * `Retry-After` in either of its forms, in milliseconds; null when it is missing or makes no sense. A moment counts from
 * the answer's own `Date`: the clock of this machine may differ.
 */
export function parseRetryAfter(header: string | null, date: string | null): number | null {
  if (header === null) return null;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const waitMs = Date.parse(text) - Date.parse(date ?? "");
  return Number.isNaN(waitMs) ? null : Math.max(0, waitMs);
}
