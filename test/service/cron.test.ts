// The embedded service's own cron: at once when it starts, and then with every full minute.

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { everyMinute } from "../../local/cron.ts";

const NOON = Date.UTC(2030, 0, 1, 12);
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: NOON + 20_000 }));
afterEach(() => void vi.useRealTimers());

/** What rang, and when it was said to be. */
function listen(ring: (at: number) => Promise<void> = async () => {}) {
  const rung: number[] = [];
  const errors: unknown[] = [];
  const stop = everyMinute(
    (at) => {
      rung.push(at);
      return ring(at);
    },
    (error) => errors.push(error),
  );
  return { rung, errors, stop };
}

it("rings at once, and at each full minute until it is stopped", async () => {
  const { rung, stop } = listen();
  expect(rung).toEqual([NOON + 20_000]);
  await vi.advanceTimersByTimeAsync(2 * MINUTE);
  expect(rung.slice(1)).toEqual([NOON + MINUTE, NOON + 2 * MINUTE]);
  stop();
  await vi.advanceTimersByTimeAsync(5 * MINUTE);
  expect(rung).toHaveLength(3);
});

it("never rings while an earlier ring is under way", async () => {
  const { rung } = listen((at) =>
    at === NOON + MINUTE ? new Promise((done) => setTimeout(done, 90_000)) : Promise.resolve(),
  );
  await vi.advanceTimersByTimeAsync(4 * MINUTE);
  expect(rung.slice(1)).toEqual([NOON + MINUTE, NOON + 3 * MINUTE, NOON + 4 * MINUTE]);
});

it("tells of a ring that failed, and goes on", async () => {
  const { rung, errors } = listen(() => Promise.reject(new Error("no answer")));
  await vi.advanceTimersByTimeAsync(MINUTE);
  expect([rung.length, errors]).toEqual([2, [new Error("no answer"), new Error("no answer")]]);
});

it("says nothing of a ring that the stop has cut off", async () => {
  const { rung, errors, stop } = listen(
    () => new Promise((_, reject) => setTimeout(() => reject(new Error("the connection is gone")), 1_000)),
  );
  stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect([rung.length, errors]).toEqual([1, []]);
});
