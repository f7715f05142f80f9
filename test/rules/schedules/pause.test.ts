// A pause: no tick falls due in it, one that was due before keeps its turn, and afterwards it goes on where its timing says.

import { describe, expect, it } from "vitest";
import {
  amend,
  archive,
  confirmed,
  dueAt,
  holdAll,
  holdTick,
  isOver,
  pause,
  preview,
  ran,
  resume,
  type Schedule,
  type ScheduleSpec,
  scheduleWakeAt,
  skipTick,
  tickDueAt,
} from "../../../src/domain/schedule.ts";
import { cron, DAY, every, HOUR, MINUTE, NOON, SECOND, scheduleOf, specOf } from "./a-schedule.ts";

const hourly = scheduleOf(every(1, "hour"));
const FIRST = NOON + HOUR;

const amended = (schedule: Schedule, changes: Partial<ScheduleSpec>, now: number): Schedule =>
  amend(schedule, { ...specOf(schedule.timing), ...changes }, now);

describe("a paused schedule", () => {
  const now = NOON + 10 * MINUTE;
  const paused = pause(hourly, now);

  it("is the same but for its status", () => {
    expect(paused).toEqual({ ...hourly, status: "paused", updatedAt: now, revision: 1, reportAt: now + 5 * SECOND });
  });

  it("has no tick, however long it lasts", () => {
    expect([tickDueAt(paused), dueAt(paused, FIRST), dueAt(paused, NOON + 99 * DAY)]).toEqual([
      null,
      undefined,
      undefined,
    ]);
  });

  it("wakes for its report, and for nothing once that is confirmed", () => {
    expect([scheduleWakeAt(paused), scheduleWakeAt(confirmed(paused))]).toEqual([now + 5 * SECOND, null]);
  });

  it("is not over, so that its owner keeps it", () => {
    expect(isOver(confirmed(paused))).toBe(false);
  });

  it("stays as it is when it is paused again, and an active one when it is resumed", () => {
    expect(pause(paused, now + 1)).toBe(paused);
    expect(resume(hourly, now)).toBe(hourly);
  });

  it("that has ended is neither paused nor resumed", () => {
    const archived = archive(hourly, now);
    expect([pause(archived, now), resume(archived, now)]).toEqual([archived, archived]);
  });

  it("can be archived", () => {
    expect(archive(paused, FIRST)).toMatchObject({ status: "archived", nextRunAt: null, held: null, clearing: true });
  });
});

describe("when it is resumed", () => {
  const resumedAt = (schedule: Schedule, now: number) => resume(pause(schedule, NOON + MINUTE), now);

  it.each([
    ["before the next tick: that one", FIRST - 1, FIRST],
    ["at the very moment of a tick: the one after", FIRST, NOON + 2 * HOUR],
    ["a millisecond before a later tick: that one", NOON + 5 * HOUR - 1, NOON + 5 * HOUR],
    ["a millisecond after a later tick: the one after", NOON + 5 * HOUR + 1, NOON + 6 * HOUR],
  ])("an interval goes on in its grid, %s", (_, now, next) => {
    expect(resumedAt(hourly, now)).toEqual({
      ...hourly,
      status: "active",
      nextRunAt: next,
      updatedAt: now,
      revision: 2,
      reportAt: now + 5 * SECOND,
    });
  });

  it.each([
    ["before the next tick: that one", FIRST - 1, FIRST],
    ["at the very moment of a tick: the one after", FIRST, NOON + 2 * HOUR],
    ["later: the first after that", NOON + 5.5 * HOUR, NOON + 6 * HOUR],
  ])("a cron goes on %s", (_, now, next) => {
    expect(resumedAt(scheduleOf(cron("0 * * * *")), now)).toMatchObject({ status: "active", nextRunAt: next });
  });

  it("no tick of the pause was missed", () => {
    const schedule = resumedAt(hourly, NOON + 50.5 * HOUR);
    expect(ran(schedule, NOON + 51 * HOUR, NOON + 51 * HOUR)).toMatchObject({ missedRuns: 0, runCount: 1 });
  });

  it.each([
    ["passed in the pause", NOON + 3 * HOUR, NOON + 4 * HOUR],
    ["lies before the next tick", NOON + 5 * HOUR, NOON + 4 * HOUR],
  ])("it is completed if its stop_at %s", (_, stopAt, now) => {
    const schedule = scheduleOf(every(1, "hour"), { stopAt });
    const paused = pause(schedule, NOON + MINUTE);
    expect(paused).toMatchObject({ status: "paused" });
    expect(resume(paused, now)).toMatchObject({ status: "completed", nextRunAt: null });
    expect(preview(resume(paused, now), 10)).toEqual([]);
  });

  it("and a millisecond more leaves it one tick", () => {
    const schedule = scheduleOf(every(1, "hour"), { stopAt: NOON + 5 * HOUR + 1 });
    expect(resumedAt(schedule, NOON + 4 * HOUR)).toMatchObject({ status: "active", nextRunAt: NOON + 5 * HOUR });
  });
});

describe("a tick that was due when the schedule was paused", () => {
  const held = holdTick(hourly, FIRST, FIRST + SECOND, FIRST);

  it.each<[string, Schedule, number, Partial<Schedule>]>([
    ["and about to be made", hourly, FIRST, { held: FIRST, missedRuns: 0, nextRunAt: NOON + 2 * HOUR }],
    [
      "as the newest of several",
      hourly,
      NOON + 4.5 * HOUR,
      { held: NOON + 4 * HOUR, missedRuns: 3, nextRunAt: NOON + 5 * HOUR },
    ],
    [
      "and held, with others after it",
      held,
      NOON + 3.5 * HOUR,
      { held: FIRST, missedRuns: 2, nextRunAt: NOON + 4 * HOUR },
    ],
  ])("keeps its turn: %s", (_, schedule, now, expected) => {
    const paused = pause(schedule, now);
    expect(paused).toMatchObject({ status: "paused", ...expected });
    const later = now + 9 * HOUR;
    expect(dueAt(paused, later)).toEqual({ tick: expected.held, missed: 0, next: expected.nextRunAt });
    expect(ran(paused, expected.held ?? 0, later)).toMatchObject({
      status: "paused",
      held: null,
      heldUntil: null,
      runCount: 1,
      lastRunAt: expected.held,
      missedRuns: expected.missedRuns,
      nextRunAt: expected.nextRunAt,
    });
  });

  it("is none a millisecond earlier", () => {
    expect(pause(hourly, FIRST - 1)).toMatchObject({ held: null, nextRunAt: FIRST });
  });

  it("wakes its owner until it is made, and not afterwards", () => {
    const paused = pause(held, FIRST + 2);
    expect(tickDueAt(paused)).toBe(FIRST + SECOND);
    const again = holdTick(paused, FIRST, FIRST + 9 * SECOND, FIRST + 4 * SECOND);
    expect([tickDueAt(again), scheduleWakeAt(confirmed(ran(again, FIRST, FIRST + 9 * SECOND)))]).toEqual([
      FIRST + 9 * SECOND,
      null,
    ]);
    expect(tickDueAt(holdAll(paused, FIRST + HOUR, FIRST))).toBe(FIRST + HOUR);
  });

  it("still has its turn after the schedule is resumed, and the pause is not missed", () => {
    const resumed = resume(pause(held, FIRST + 2), NOON + 6.5 * HOUR);
    expect(resumed).toMatchObject({ status: "active", held: FIRST, nextRunAt: NOON + 7 * HOUR });
    expect(ran(resumed, FIRST, NOON + 6.6 * HOUR)).toMatchObject({ missedRuns: 0, nextRunAt: NOON + 7 * HOUR });
  });

  it("and is the last of `runs` completes the schedule", () => {
    const last = { ...held, runs: 1 };
    expect(ran(pause(last, FIRST + 2), FIRST, FIRST + 3)).toMatchObject({ status: "completed", nextRunAt: null });
  });

  it("and is the last before stop_at leaves the end to be seen when it is resumed", () => {
    const paused = pause({ ...held, stopAt: FIRST + 1, nextRunAt: null }, FIRST + 2);
    const counted = ran(paused, FIRST, FIRST + 3);
    expect(counted).toMatchObject({ status: "paused", runCount: 1, nextRunAt: null });
    expect(resume(counted, FIRST + 4)).toMatchObject({ status: "completed" });
  });

  it("may be skipped: it is counted so, and the pause goes on", () => {
    expect(skipTick(pause(held, FIRST + 2), FIRST, FIRST + 3)).toMatchObject({
      status: "paused",
      held: null,
      skippedRuns: 1,
      runCount: 0,
      nextRunAt: NOON + 2 * HOUR,
    });
  });
});

describe("a change of a paused schedule", () => {
  const paused = pause(hourly, NOON + MINUTE);
  const now = NOON + 3.5 * HOUR;

  it("leaves it paused, and an interval where it was", () => {
    const changed = amended(paused, { name: "n" }, now);
    expect(changed).toMatchObject({ status: "paused", name: "n", nextRunAt: FIRST });
    expect(resume(changed, now + 1)).toMatchObject({ nextRunAt: NOON + 4 * HOUR });
  });

  it("of the timing counts from the moment of the change", () => {
    const changed = amended(paused, { timing: every(10, "minute") }, now);
    expect(changed).toMatchObject({ status: "paused", held: null, missedRuns: 0 });
    expect(resume(changed, now + 25 * MINUTE)).toMatchObject({ nextRunAt: now + 30 * MINUTE });
  });

  it("of the timing leaves a tick that was due before the pause its turn", () => {
    const held = pause(hourly, FIRST);
    expect(amended(held, { timing: every(10, "minute") }, now)).toMatchObject({ held: FIRST, missedRuns: 0 });
  });

  it("after its stop_at may move that, and does not end it otherwise", () => {
    const stopped = pause(scheduleOf(every(1, "hour"), { stopAt: NOON + 2 * HOUR }), NOON + MINUTE);
    const renamed = amended(stopped, { name: "n", stopAt: NOON + 2 * HOUR }, now);
    expect(renamed).toMatchObject({ status: "paused" });
    expect(resume(renamed, now)).toMatchObject({ status: "completed" });
    expect(resume(amended(stopped, { stopAt: NOON + DAY }, now), now)).toMatchObject({ status: "active" });
  });

  it("of runs to no more than have run completes it at once, with the tick that was held", () => {
    const once = ran(hourly, FIRST, FIRST);
    const held = pause(once, NOON + 2 * HOUR);
    expect(held).toMatchObject({ held: NOON + 2 * HOUR });
    expect(amended(held, { runs: 1 }, now)).toMatchObject({ status: "completed", held: null, runCount: 1 });
    expect(amended(held, { runs: 2 }, now)).toMatchObject({ status: "paused", held: NOON + 2 * HOUR });
  });
});
