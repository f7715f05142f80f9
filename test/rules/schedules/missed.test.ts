// After an outage the newest missed tick runs once, older ones are skipped and counted; a tick that was begun keeps its
// turn, and what falls due meanwhile is missed (contract §6).

import { describe, expect, it } from "vitest";
import { dueAt, holdAll, holdTick, ran, type Schedule, skipTo, tickDueAt } from "../../../src/domain/schedule.ts";
import type { Timing } from "../../../src/domain/timing.ts";
import { at, cron, DAY, every, HOUR, MINUTE, NOON, SECOND, scheduleOf } from "./a-schedule.ts";

const TIMINGS: [string, Timing][] = [
  ["an interval", every(1, "hour")],
  ["a cron", cron("0 * * * *")],
];

/** The job of a tick is made. */
function run(schedule: Schedule, now: number): Schedule {
  const due = dueAt(schedule, now);
  if (!due) throw new Error("nothing is due");
  return ran(schedule.held === null && due.missed > 0 ? skipTo(schedule, due, now) : schedule, due.tick, now);
}

describe.each(TIMINGS)("after an outage, with %s", (_, timing) => {
  const schedule = scheduleOf(timing);

  it.each([
    ["just before the second tick", NOON + 2 * HOUR - 1, 1, 0],
    ["at the second tick", NOON + 2 * HOUR, 2, 1],
    ["between two ticks", NOON + 5.5 * HOUR, 5, 4],
    ["at a tick", NOON + 24 * HOUR, 24, 23],
  ])("%s the newest runs, the older are counted", (_, now, newest, missed) => {
    expect(dueAt(schedule, now)).toMatchObject({ tick: NOON + newest * HOUR, missed });
    expect(run(schedule, now)).toMatchObject({
      lastRunAt: NOON + newest * HOUR,
      nextRunAt: NOON + (newest + 1) * HOUR,
      runCount: 1,
      missedRuns: missed,
    });
  });

  it("that is noted before the job is made: whoever looks later sees that tick and no other", () => {
    const now = NOON + 5.5 * HOUR;
    const due = dueAt(schedule, now);
    if (!due) throw new Error("nothing is due");
    const noted = skipTo(schedule, due, now);
    expect(noted).toMatchObject({ nextRunAt: NOON + 5 * HOUR, missedRuns: 4, runCount: 0 });
    expect(dueAt(noted, now)).toMatchObject({ tick: NOON + 5 * HOUR, missed: 0 });
  });

  it("nothing at or after stop_at is made up for", () => {
    const stopping = { ...schedule, stopAt: NOON + 3 * HOUR };
    expect(run(stopping, NOON + 9 * HOUR)).toMatchObject({
      status: "completed",
      lastRunAt: NOON + 2 * HOUR,
      runCount: 1,
      missedRuns: 1,
    });
    expect(run({ ...schedule, stopAt: NOON + 3 * HOUR + 1 }, NOON + 9 * HOUR)).toMatchObject({
      lastRunAt: NOON + 3 * HOUR,
      missedRuns: 2,
    });
  });

  it("the last of its runs completes it", () => {
    expect(run({ ...schedule, runs: 1 }, NOON + 9 * HOUR)).toMatchObject({ status: "completed", runCount: 1 });
  });
});

describe("an outage of any length", () => {
  it("is counted exactly with an interval", () => {
    const schedule = scheduleOf(every(1, "second"));
    expect(run(schedule, NOON + 400 * DAY)).toMatchObject({
      lastRunAt: NOON + 400 * DAY,
      nextRunAt: NOON + 400 * DAY + SECOND,
      missedRuns: (400 * DAY) / SECOND - 1,
    });
  });

  it("is counted exactly with a cron up to ten thousand ticks", () => {
    const now = NOON + 10_000 * MINUTE;
    expect(dueAt(scheduleOf(cron("* * * * *")), now)).toMatchObject({ tick: now, missed: 9_999 });
  });

  it.each<[string, string, string, string]>([
    ["every minute", "* * * * *", "2031-01-01T00:00:30Z", "2031-01-01T00:00:00Z"],
    ["every minute, at a tick", "* * * * *", "2031-01-01T00:00:00Z", "2031-01-01T00:00:00Z"],
    ["in bursts", "*/1 9 * * MON-FRI", "2045-01-02T08:59:59Z", "2044-12-30T09:59:00Z"],
    ["in bursts, inside one", "*/1 9 * * MON-FRI", "2045-01-02T09:10:59Z", "2045-01-02T09:10:00Z"],
    ["twice a year, in bursts", "* * 1 1,7 *", "2060-06-30T23:59:00Z", "2060-01-01T23:59:00Z"],
  ])("still finds the newest tick of a cron, quickly: %s", (_, expression, now, newest) => {
    const startedAt = performance.now();
    const due = dueAt(scheduleOf(cron(expression)), at(now));
    expect(due?.tick).toBe(at(newest));
    expect(due?.missed).toBeGreaterThanOrEqual(10_000);
    expect(due?.next).toBeGreaterThan(at(now));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

describe.each(TIMINGS)("a tick that is held up, with %s", (_, timing) => {
  const FIRST = NOON + HOUR;
  const schedule = scheduleOf(timing);
  const held = holdTick(schedule, FIRST, FIRST + 5 * SECOND, FIRST);

  it("is looked at again at the moment named", () => {
    expect(tickDueAt(held)).toBe(FIRST + 5 * SECOND);
    expect(held).toMatchObject({ revision: 1, updatedAt: FIRST, nextRunAt: FIRST, runCount: 0 });
  });

  it.each([
    ["before another falls due", FIRST + HOUR - 1, 0],
    ["when another has just fallen due", FIRST + HOUR, 1],
    ["after many", FIRST + 10.5 * HOUR, 10],
  ])("keeps its turn, and what fell due meanwhile is missed: %s", (_, now, missed) => {
    expect(dueAt(held, now)).toMatchObject({ tick: FIRST, missed });
    expect(ran(held, FIRST, now)).toMatchObject({
      lastRunAt: FIRST,
      nextRunAt: FIRST + (missed + 1) * HOUR,
      runCount: 1,
      missedRuns: missed,
      held: null,
      heldUntil: null,
    });
  });

  it("held up in the middle of catching up, it is the newest one that keeps its turn", () => {
    const now = NOON + 5.5 * HOUR;
    const due = dueAt(schedule, now);
    if (!due) throw new Error("nothing is due");
    const noted = skipTo(schedule, due, now);
    const caught = holdTick(noted, due.tick, now + SECOND, now);
    expect(ran(caught, due.tick, now + HOUR)).toMatchObject({
      lastRunAt: NOON + 5 * HOUR,
      nextRunAt: NOON + 7 * HOUR,
      runCount: 1,
      missedRuns: 5,
    });
  });

  it("runs although stop_at has passed meanwhile: it lay before", () => {
    const stopping = { ...held, stopAt: FIRST + 1 };
    expect(dueAt(stopping, FIRST + DAY)).toMatchObject({ tick: FIRST, missed: 0 });
    expect(ran(stopping, FIRST, FIRST + DAY)).toMatchObject({ status: "completed", runCount: 1, missedRuns: 0 });
  });
});

describe("a suspended account's schedule", () => {
  const schedule = scheduleOf(every(1, "hour"));
  const suspended = holdAll(schedule, NOON + HOUR + MINUTE, NOON + HOUR);

  it("looks again at the moment named, and no tick is begun", () => {
    expect(tickDueAt(suspended)).toBe(NOON + HOUR + MINUTE);
    expect(suspended).toMatchObject({ held: null, nextRunAt: NOON + HOUR, runCount: 0, missedRuns: 0 });
  });

  it("runs the newest tick once when it is served again", () => {
    expect(run(suspended, NOON + 30.5 * HOUR)).toMatchObject({
      lastRunAt: NOON + 30 * HOUR,
      runCount: 1,
      missedRuns: 29,
      heldUntil: null,
    });
  });

  it("lets a held tick keep its turn", () => {
    const held = holdTick(schedule, NOON + HOUR, NOON + HOUR + SECOND, NOON + HOUR);
    expect(dueAt(holdAll(held, NOON + DAY, NOON + HOUR), NOON + DAY)).toMatchObject({ tick: NOON + HOUR });
  });
});
