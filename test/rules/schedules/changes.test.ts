// What its owner changes in a schedule, how it ends by hand, and when it wakes in each state.

import { describe, expect, it } from "vitest";
import {
  amend,
  archive,
  clearAgain,
  cleared,
  confirmed,
  dueAt,
  holdTick,
  isOver,
  ran,
  type Schedule,
  type ScheduleSpec,
  scheduleWakeAt,
} from "../../../src/domain/schedule.ts";
import type { Timing } from "../../../src/domain/timing.ts";
import { jsonText } from "../../harness/json-text.ts";
import { cron, every, HOUR, MINUTE, NOON, SECOND, scheduleOf, specOf } from "./a-schedule.ts";

const hourly = scheduleOf(every(1, "hour"));
const FIRST = NOON + HOUR;

const amended = (schedule: Schedule, changes: Partial<ScheduleSpec>, now: number): Schedule =>
  amend(schedule, { ...specOf(schedule.timing), ...changes }, now);

describe("a change", () => {
  it("of anything but the timing leaves the next tick where it is", () => {
    const now = NOON + 10 * MINUTE;
    const changes = {
      name: "n",
      description: "d",
      handler: "x",
      payload: jsonText({ a: 1 }),
      timeoutSeconds: 5,
      maxRetries: 0,
    };
    expect(amended(hourly, changes, now)).toEqual({
      ...hourly,
      ...changes,
      updatedAt: now,
      revision: 1,
      reportAt: now + 5 * SECOND,
    });
  });

  it("of the timing counts from the moment of the change", () => {
    const now = NOON + 10 * MINUTE;
    expect(amended(hourly, { timing: every(2, "hour") }, now).nextRunAt).toBe(now + 2 * HOUR);
    expect(amended(hourly, { timing: cron("30 * * * *") }, now).nextRunAt).toBe(NOON + 30 * MINUTE);
  });

  it.each<[string, Timing, Timing]>([
    ["an interval said in another unit", every(1, "hour"), every(60, "minute")],
    ["an interval's zone, which it does not go by", every(1, "hour"), { ...every(1, "hour"), timeZone: "Asia/Tokyo" }],
    ["the same cron", cron("15 * * * *"), cron("15 * * * *")],
  ])("is none of the timing: %s", (_, before, after) => {
    const schedule = scheduleOf(before);
    const changed = amended(schedule, { timing: after }, NOON + 50 * MINUTE);
    expect(changed.nextRunAt).toBe(schedule.nextRunAt);
    expect(changed.timing).toEqual(after);
  });

  it.each<[string, Timing, Timing, number]>([
    ["a cron's zone", cron("0 13 * * *"), cron("0 13 * * *", "Asia/Tokyo"), NOON + 16 * HOUR],
    ["a cron in place of an interval", every(1, "hour"), cron("0 * * * *"), NOON + HOUR],
    ["an interval in place of a cron", cron("0 * * * *"), every(1, "hour"), NOON + HOUR + 1],
  ])("is one of the timing: %s", (_, before, after, next) => {
    expect(amended(scheduleOf(before), { timing: after }, NOON + 1).nextRunAt).toBe(next);
  });

  it("of the timing leaves a tick that is due its turn", () => {
    const now = FIRST + 3;
    const changed = amended(hourly, { timing: every(5, "minute") }, now);
    expect(changed).toMatchObject({ held: FIRST, nextRunAt: now + 5 * MINUTE, missedRuns: 0 });
    expect(dueAt(changed, now)).toMatchObject({ tick: FIRST, missed: 0 });
    expect(ran(changed, FIRST, now + 1)).toMatchObject({
      held: null,
      runCount: 1,
      lastRunAt: FIRST,
      nextRunAt: now + 5 * MINUTE,
    });
  });

  it("of the timing after an outage: the newest tick has its turn, the older are counted", () => {
    const now = NOON + 4.5 * HOUR;
    const changed = amended(hourly, { timing: every(1, "day") }, now);
    expect(changed).toMatchObject({ held: NOON + 4 * HOUR, missedRuns: 3, nextRunAt: now + 24 * HOUR });
  });

  it("of the timing while a tick is held up: what fell due under either timing meanwhile is missed", () => {
    const held = holdTick(hourly, FIRST, FIRST + SECOND, FIRST);
    const now = FIRST + 2.5 * HOUR;
    const changed = amended(held, { timing: every(10, "minute") }, now);
    expect(changed).toMatchObject({ held: FIRST, missedRuns: 2, nextRunAt: now + 10 * MINUTE });
    expect(ran(changed, FIRST, now + 25 * MINUTE)).toMatchObject({
      runCount: 1,
      missedRuns: 4,
      nextRunAt: now + 30 * MINUTE,
    });
  });

  it("of stop_at to before the next tick completes the schedule", () => {
    expect(amended(hourly, { stopAt: FIRST }, NOON + 1)).toMatchObject({ status: "completed", nextRunAt: null });
    expect(amended(hourly, { stopAt: FIRST + 1 }, NOON + 1)).toMatchObject({ status: "active", nextRunAt: FIRST });
  });

  it("of stop_at does not take its turn from a tick that is due", () => {
    const now = FIRST + 3;
    const stopping = amended(hourly, { stopAt: now + 1 }, now);
    expect(stopping).toMatchObject({ status: "active", nextRunAt: FIRST });
    expect(ran(stopping, FIRST, now + 5)).toMatchObject({ status: "completed", runCount: 1 });
    const retimed = amended(hourly, { stopAt: now + 1, timing: every(1, "day") }, now);
    expect(retimed).toMatchObject({ status: "active", held: FIRST, nextRunAt: null });
    expect(scheduleWakeAt(retimed)).toBe(FIRST);
    expect(ran(retimed, FIRST, now + 5)).toMatchObject({ status: "completed", runCount: 1 });
  });

  it("of stop_at may be taken back while a held tick is the last", () => {
    const now = FIRST + 3;
    const last = amended(hourly, { stopAt: now + 1, timing: every(1, "day") }, now);
    const again = amended(last, { stopAt: NOON + 99 * HOUR }, now + 2);
    expect(ran(again, FIRST, now + 5)).toMatchObject({ status: "active", nextRunAt: now + 2 + 24 * HOUR });
  });

  it("of runs to no more than have run completes it at once", () => {
    const twice = ran(ran(hourly, FIRST, FIRST), FIRST + HOUR, FIRST + HOUR);
    const now = FIRST + HOUR + 1;
    expect(amended(twice, { runs: 3 }, now)).toMatchObject({ status: "active" });
    for (const runs of [1, 2])
      expect(amended(twice, { runs }, now)).toMatchObject({ status: "completed", runCount: 2, nextRunAt: null });
    const due = amended(twice, { runs: 2, timing: every(1, "day") }, NOON + 3 * HOUR);
    expect(due).toMatchObject({ status: "completed", held: null, heldUntil: null });
  });

  it("is kept by a tick that was under way", () => {
    const renamed = amended(hourly, { name: "new" }, FIRST + 1);
    expect(ran(renamed, FIRST, FIRST + 2)).toMatchObject({ name: "new", runCount: 1, nextRunAt: FIRST + HOUR });
  });
});

describe("an archived schedule", () => {
  const held = holdTick(hourly, FIRST, FIRST + SECOND, FIRST);

  it("has no tick any more, not even one that was held up", () => {
    const archived = archive(held, FIRST + 2);
    expect(archived).toMatchObject({ status: "archived", nextRunAt: null, held: null, clearing: true, revision: 2 });
    expect(dueAt(archived, FIRST + HOUR)).toBeUndefined();
  });

  it("still counts a job that was made at that very moment, and stays archived", () => {
    const archived = archive(hourly, FIRST + 1);
    expect(ran(archived, FIRST, FIRST + 2)).toMatchObject({
      status: "archived",
      runCount: 1,
      lastRunAt: FIRST,
      nextRunAt: null,
      clearing: true,
    });
  });
});

describe("its owner wakes", () => {
  const archived = archive(hourly, FIRST);
  const completed = ran({ ...hourly, runs: 1 }, FIRST, FIRST);

  it.each<[string, Schedule, number | null]>([
    ["at the next tick", hourly, FIRST],
    ["at once for a tick that is held", { ...hourly, held: NOON }, NOON],
    ["when a held tick may be tried again", holdTick(hourly, FIRST, FIRST + 5, FIRST), FIRST + 5],
    ["not before a tick that is later than the hold", { ...hourly, heldUntil: NOON }, FIRST],
    ["at once to cancel what an archived one left", archived, FIRST],
    ["when it may be tried again to cancel that", clearAgain(archived, FIRST + 5), FIRST + 5],
    ["five seconds after the end, unless the read model has confirmed it", cleared(archived), FIRST + 5 * SECOND],
    ["likewise after a completion", completed, FIRST + 5 * SECOND],
  ])("%s", (_, schedule, moment) => {
    expect(scheduleWakeAt(schedule)).toBe(moment);
  });

  it("and not any more once an end is confirmed", () => {
    expect(scheduleWakeAt(confirmed(completed))).toBeNull();
    expect([isOver(completed), isOver(confirmed(completed)), isOver(confirmed(archived))]).toEqual([
      false,
      true,
      false,
    ]);
  });
});
