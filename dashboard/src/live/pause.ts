// The pauses between the questions of a poll that fails.

const FIRST_PAUSE_MS = 2_000;
/** Short enough that a service which is back is soon noticed. */
const LONGEST_PAUSE_MS = 15_000;

/** How long to wait until the next question: doubled with each failure in a row, and never shorter than we are asked to. */
export const pauseAfter = (failures: number, retryAfterMs = 0): number =>
  Math.max(Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS), retryAfterMs);
