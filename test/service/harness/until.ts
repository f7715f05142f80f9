// Waiting for what is to happen, never longer than said.

import { setTimeout as sleep } from "node:timers/promises";

const LOOK_EVERY_MS = 20;

/** Waits until it holds; throws in words that help when it does not. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limitMs: number,
  complaint: () => string,
  everyMs = LOOK_EVERY_MS,
): Promise<void> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(complaint());
    await sleep(everyMs);
  }
}
