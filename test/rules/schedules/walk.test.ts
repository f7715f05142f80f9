// The net under a schedule: whatever happens to it, in whatever order, this holds.
// A failure prints its seed; SCHEDULE_SEED=<seed> walks the same ways again, SCHEDULE_WALKS=<number> more of them.

import fc from "fast-check";
import { afterAll, expect, it } from "vitest";
import { hasEnded, type Schedule } from "../../../src/domain/schedule.ts";
import { World, walks } from "./walk.ts";

const numRuns = Number(process.env.SCHEDULE_WALKS ?? 200);
const seed = Number(process.env.SCHEDULE_SEED ?? Math.trunc(Math.random() * 2 ** 31));
const PATIENCE_MS = 3_600_000;

const visited = new Set<string>();

// The second seed's ways are known to lead everywhere: chance alone might leave something out.
it.each([seed, 1])(
  "on every walk, after every move, the rules hold (SCHEDULE_SEED=%i)",
  (seed) => {
    const walk = fc.property(walks, (way) => {
      const world = new World(way);
      for (const move of way.moves) {
        const before = world.schedule;
        world.take(move);
        note(before, world.schedule);
        holdsBetween(before, world);
        holds(world);
      }
    });
    fc.assert(walk, { numRuns, seed });
  },
  PATIENCE_MS,
);

afterAll(() => {
  const turns = ["caught up", "held", "held in a pause", "held over a change", "held to the end", "skipped"];
  expect([...visited].sort()).toEqual(["active", "archived", "completed", "paused", ...turns].sort());
});

function note(before: Schedule, { status, held, nextRunAt, missedRuns, skippedRuns }: Schedule): void {
  visited.add(status);
  if (skippedRuns > before.skippedRuns) visited.add("skipped");
  if (missedRuns > before.missedRuns) visited.add("caught up");
  if (held !== null && status === "paused") visited.add("held in a pause");
  else if (held !== null)
    visited.add(held === nextRunAt ? "held" : nextRunAt === null ? "held to the end" : "held over a change");
}

/** What is true of a schedule at any moment. */
function holds(world: World): void {
  const { schedule, jobs, elapsed, now } = world;
  const { status, nextRunAt, lastRunAt, runCount, missedRuns, skippedRuns, held } = schedule;
  const uncounted = [...jobs].filter((tick) => lastRunAt === null || tick > lastRunAt);

  expect(runCount + uncounted.length, "every job is counted once, or will be").toBe(jobs.size);
  expect(uncounted.length, "at most one of them waits for that").toBeLessThanOrEqual(1);
  if (!hasEnded(schedule) && uncounted.length === 1)
    expect(uncounted[0], "and it is the one whose turn it is").toBe(status === "paused" ? held : (held ?? nextRunAt));
  for (const tick of jobs) expect(tick, "no job is made before its time").toBeLessThanOrEqual(now);
  expect(missedRuns, "what was missed is a number of ticks").toBeGreaterThanOrEqual(0);
  if (lastRunAt !== null && nextRunAt !== null)
    expect(nextRunAt, "the next run lies after the last").toBeGreaterThan(lastRunAt);

  if (hasEnded(schedule)) {
    expect([nextRunAt, held], "what is over has no tick").toEqual([null, null]);
    return;
  }
  if (status === "paused") {
    const pending = held === null ? 0 : 1;
    expect(runCount + missedRuns + skippedRuns + pending, "a pause has no ticks").toBe(elapsed);
    return;
  }
  expect(held ?? nextRunAt, "an active schedule always has a tick").not.toBeNull();
  if (nextRunAt === null) return;
  const pending = held !== null && held !== nextRunAt ? 1 : 0;
  expect(
    runCount + missedRuns + skippedRuns + pending,
    "every tick has run, was missed or skipped, or is still to come",
  ).toBe(elapsed + world.ticksBefore(nextRunAt));
}

/** What is true of a move, whichever it was. */
function holdsBetween(before: Schedule, { schedule }: World): void {
  const { runs, stopAt, lastRunAt, runCount } = schedule;
  expect(schedule.revision, "the revision never goes back").toBeGreaterThanOrEqual(before.revision);
  expect(schedule.missedRuns, "nothing missed is forgotten").toBeGreaterThanOrEqual(before.missedRuns);
  expect(schedule.skippedRuns, "nor what was skipped").toBeGreaterThanOrEqual(before.skippedRuns);
  if (hasEnded(before)) expect(schedule, "an end is final").toEqual(before);
  if (runCount === before.runCount) {
    expect(lastRunAt).toBe(before.lastRunAt);
    return;
  }
  expect(runCount, "jobs are made one by one").toBe(before.runCount + 1);
  expect(lastRunAt, "one after the other").toBeGreaterThan(before.lastRunAt ?? 0);
  if (before.runs !== null) expect(runCount, "never more than asked for").toBeLessThanOrEqual(before.runs);
  if (before.stopAt !== null) expect(lastRunAt, "never at or after the stop").toBeLessThan(before.stopAt);
  if (schedule.status === "active" && runs !== null) expect(runCount).toBeLessThan(runs);
  if (schedule.status === "active" && schedule.nextRunAt !== null && stopAt !== null)
    expect(schedule.nextRunAt).toBeLessThan(stopAt);
}
