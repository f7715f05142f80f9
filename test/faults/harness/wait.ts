// Waiting for what is to happen, never longer than said.

import { setTimeout as sleep } from "node:timers/promises";

export { sleep };

const LOOK_EVERY_MS = 50;

/** @returns whether it came to hold in time */
export async function until(
  holds: () => boolean | Promise<boolean>,
  limitMs: number,
  everyMs = LOOK_EVERY_MS,
): Promise<boolean> {
  const deadline = Date.now() + limitMs;
  while (!(await holds())) {
    if (Date.now() > deadline) return false;
    await sleep(everyMs);
  }
  return true;
}

/** Does something for each, so many at a time. */
export async function eachOf<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = [...items];
  const lanes = Array.from({ length: Math.min(atOnce, items.length) }, async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  });
  await Promise.all(lanes);
}
