// The pauses between the questions of a poll.

const LONGEST_PAUSE_MS = 60_000;

/** How long to wait until the next question: doubled with each failure in a row, and never shorter than we are asked to. */
export function pauseAfter(intervalMs: number, failures: number, retryAfterMs = 0): number {
  const backoff = Math.min(intervalMs * 2 ** failures, Math.max(LONGEST_PAUSE_MS, intervalMs));
  return Math.max(backoff, retryAfterMs);
}
