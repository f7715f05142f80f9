// Waiting for what is to happen, never longer than said.

import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 20;

type Condition = () => boolean | Promise<boolean>;

/** Waits until it holds; throws in words that help when it does not. */
export async function until(
  holds: Condition,
  limitMs: number,
  complaint: () => string,
  everyMs = LOOK_EVERY_MS,
): Promise<void> {
  if (!(await holdsWithin(limitMs, holds, everyMs))) throw new Error(complaint());
}

/** For those who go on when it does not. @returns whether it came to hold in time */
export async function holdsWithin(limitMs: number, holds: Condition, everyMs = LOOK_EVERY_MS): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) return false;
    await sleep(everyMs);
  }
  return true;
}
