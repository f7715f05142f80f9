// What a tick does to its schedule, and when the schedule is over (contract §6).

import { describe, expect, it } from "vitest";
import {
  dueAt,
  holdTick,
  plan,
  preview,
  ran,
  type Schedule,
  skipTick,
  tickDueAt,
} from "../../../src/domain/schedule.ts";
import { jobOfTick, jobOfTrigger, tickKey } from "../../../src/domain/tick-job.ts";
import { tickAfter } from "../../../src/domain/timing.ts";
import { jsonText } from "../../harness/json-text.ts";
import { at, cron, DAY, every, HOUR, iso, MINUTE, NOON, SECOND, scheduleOf, specOf } from "./a-schedule.ts";

/** Rings at the moment the schedule is set for, and makes the job. */
function tickOnce(schedule: Schedule, lateMs = 0): Schedule {
  const now = (tickDueAt(schedule) ?? Number.NaN) + lateMs;
  const due = dueAt(schedule, now);
  if (!due) throw new Error("nothing is due");
  return ran(schedule, due.tick, now);
}

const tickTimes = (schedule: Schedule, times: number, lateMs = 0): Schedule =>
  times === 0 ? schedule : tickTimes(tickOnce(schedule, lateMs), times - 1, lateMs);

describe("a new schedule", () => {
  it("first runs one interval after its creation", () => {
    expect(scheduleOf(every(90, "second"))).toMatchObject({
      status: "active",
      nextRunAt: NOON + 90 * SECOND,
      lastRunAt: null,
      runCount: 0,
      missedRuns: 0,
    });
  });

  it("or at the first moment its cron names, which is not the present one", () => {
    expect(scheduleOf(cron("0 12 * * *")).nextRunAt).toBe(NOON + DAY);
    expect(scheduleOf(cron("1 12 * * *")).nextRunAt).toBe(NOON + MINUTE);
  });

  it.each([
    ["second", SECOND],
    ["minute", MINUTE],
    ["hour", HOUR],
    ["day", DAY],
    ["week", 7 * DAY],
  ] as const)("knows how long a %s is", (unit, ms) => {
    expect(scheduleOf(every(2, unit)).nextRunAt).toBe(NOON + 2 * ms);
  });

  it("has not been heard of by anybody", () => {
    expect(scheduleOf(every(1, "hour")).revision).toBe(0);
  });
});

describe("a tick", () => {
  const schedule = scheduleOf(every(1, "hour"));

  it("is due at its moment and not a millisecond earlier", () => {
    expect(tickDueAt(schedule)).toBe(NOON + HOUR);
    expect(dueAt(schedule, NOON + HOUR - 1)).toBeUndefined();
    expect(dueAt(schedule, NOON + HOUR)).toMatchObject({ tick: NOON + HOUR, missed: 0 });
  });

  it("is counted, and followed by the next", () => {
    const now = NOON + HOUR + 5;
    expect(ran(schedule, NOON + HOUR, now)).toEqual({
      ...schedule,
      lastRunAt: NOON + HOUR,
      nextRunAt: NOON + 2 * HOUR,
      runCount: 1,
      reportAt: now + 5_000,
      updatedAt: now,
      revision: 1,
    });
  });

  it("is counted once, however often it is told of", () => {
    const once = ran(schedule, NOON + HOUR, NOON + HOUR);
    expect(ran(once, NOON + HOUR, NOON + HOUR + 1)).toBe(once);
    const twice = ran(once, NOON + 2 * HOUR, NOON + 2 * HOUR);
    expect(ran(twice, NOON + HOUR, NOON + 2 * HOUR)).toBe(twice);
  });

  it("leaves no drift behind, however late each was", () => {
    expect(tickTimes(schedule, 500, 59 * MINUTE)).toMatchObject({
      nextRunAt: NOON + 501 * HOUR,
      runCount: 500,
      missedRuns: 0,
    });
    expect(tickTimes(scheduleOf(cron("*/15 * * * *")), 96, 14 * MINUTE).nextRunAt).toBe(NOON + DAY + 15 * MINUTE);
  });

  it("has a job of its own, whose key says which tick it is", () => {
    const rich = scheduleOf(every(1, "hour"), {
      name: "n",
      description: "d",
      payload: jsonText({ a: 1 }),
      delivery: { type: "push", url: "https://example.com", method: "PUT", headers: { a: "b" } },
      timeoutSeconds: 7,
      maxRetries: 9,
      backoff: { type: "list", delaysSeconds: [1, 2] },
      expiresAfterMs: HOUR,
      tags: ["t"],
      flow: "f",
      callbacks: null,
    });
    const job = {
      accountId: "a",
      id: "j",
      scheduleId: "s",
      origin: "schedule",
      name: "n",
      handler: "h",
      payload: jsonText({ a: 1 }),
      delivery: rich.delivery,
      timeoutSeconds: 7,
      maxRetries: 9,
      backoff: { type: "list", delaysSeconds: [1, 2] },
      expiresAfterMs: HOUR,
      tags: ["t"],
      flow: "f",
      traceparent: null,
      callbacks: null,
      createdAt: NOON + HOUR + 3,
    };
    const key = `s.${NOON + HOUR}`;
    expect(jobOfTick(rich, NOON + HOUR, "j", NOON + HOUR + 3)).toEqual({
      ...job,
      idempotencyKey: key,
      scheduledFor: NOON + HOUR,
    });
    expect(jobOfTrigger(rich, "j", NOON + HOUR + 3)).toEqual({
      ...job,
      idempotencyKey: null,
      scheduledFor: NOON + HOUR + 3,
    });
    expect(tickKey("s", NOON)).toBe(`s.${NOON}`);
  });

  it("across a change of the clock: an interval keeps its length, a cron its local time", () => {
    const before = at("2027-03-27T09:00:00Z");
    expect(tickAfter(every(1, "day"), before)).toBe(at("2027-03-28T09:00:00Z"));
    expect(tickAfter(cron("0 9 * * *", "Europe/London"), before)).toBe(at("2027-03-28T08:00:00Z"));
  });
});

describe("a tick that is skipped", () => {
  const schedule = scheduleOf(every(1, "hour"), { runs: 1, overlap: "skip" });

  it("is counted as skipped and nothing else, and followed by the next", () => {
    const now = NOON + HOUR + 5;
    expect(skipTick(schedule, NOON + HOUR, now)).toEqual({
      ...schedule,
      skippedRuns: 1,
      nextRunAt: NOON + 2 * HOUR,
      reportAt: now + 5_000,
      updatedAt: now,
      revision: 1,
    });
  });

  it("after it was held: what fell due meanwhile is missed", () => {
    const held = holdTick(schedule, NOON + HOUR, NOON + HOUR + 5, NOON + HOUR);
    expect(skipTick(held, NOON + HOUR, NOON + 3.5 * HOUR)).toMatchObject({
      held: null,
      heldUntil: null,
      skippedRuns: 1,
      missedRuns: 2,
      runCount: 0,
      nextRunAt: NOON + 4 * HOUR,
    });
  });

  it("as the last before stop_at completes the schedule", () => {
    const stopping = { ...schedule, stopAt: NOON + HOUR + 1 };
    expect(skipTick(stopping, NOON + HOUR, NOON + HOUR)).toMatchObject({ status: "completed", runCount: 0 });
  });
});

describe("runs", () => {
  it("completes the schedule with the last of them", () => {
    const schedule = scheduleOf(every(1, "hour"), { runs: 3 });
    expect(tickTimes(schedule, 2)).toMatchObject({ status: "active", runCount: 2, nextRunAt: NOON + 3 * HOUR });
    const over = tickTimes(schedule, 3);
    expect(over).toMatchObject({ status: "completed", runCount: 3, nextRunAt: null, lastRunAt: NOON + 3 * HOUR });
    expect(dueAt(over, NOON + 100 * HOUR)).toBeUndefined();
  });

  it("may be one", () => {
    expect(tickOnce(scheduleOf(cron("0 0 * * *"), { runs: 1 }))).toMatchObject({ status: "completed", runCount: 1 });
  });

  it("does not count what was missed", () => {
    const schedule = scheduleOf(every(1, "hour"), { runs: 2 });
    const late = tickOnce({ ...schedule, nextRunAt: NOON + 11 * HOUR, missedRuns: 10 });
    expect(late).toMatchObject({ status: "active", runCount: 1, missedRuns: 10 });
  });
});

describe("stop_at", () => {
  const third = NOON + 3 * HOUR;

  it.each([
    ["a millisecond after a tick: that tick is the last", third + 1, 3],
    ["at a tick: the one before is the last", third, 2],
    ["a millisecond before a tick: likewise", third - 1, 2],
  ])("%s", (_, stopAt, runs) => {
    for (const timing of [every(1, "hour"), cron("0 * * * *")]) {
      const over = tickTimes(scheduleOf(timing, { stopAt }), runs);
      expect(over).toMatchObject({ status: "completed", runCount: runs, nextRunAt: null });
      expect(tickTimes(scheduleOf(timing, { stopAt }), runs - 1).status).toBe("active");
    }
  });

  it("before the first tick leaves nothing to do", () => {
    expect(scheduleOf(every(1, "hour"), { stopAt: NOON + HOUR }).status).toBe("completed");
    expect(scheduleOf(every(1, "hour"), { stopAt: NOON + HOUR + 1 }).status).toBe("active");
  });

  it("and runs: whichever comes first ends it", () => {
    expect(tickTimes(scheduleOf(every(1, "hour"), { stopAt: third + 1, runs: 2 }), 2).status).toBe("completed");
    expect(tickTimes(scheduleOf(every(1, "hour"), { stopAt: third + 1, runs: 4 }), 3).status).toBe("completed");
  });
});

describe("a preview", () => {
  const hours = (...numbers: number[]) => numbers.map((n) => iso(NOON + n * HOUR));
  const shown = (schedule: Schedule, count: number) => preview(schedule, count).map(iso);

  it("shows as many as are asked for", () => {
    expect(shown(scheduleOf(every(1, "hour")), 3)).toEqual(hours(1, 2, 3));
    expect(preview(scheduleOf(cron("* * * * *")), 100)).toHaveLength(100);
  });

  it("no more than runs are left", () => {
    const schedule = scheduleOf(every(1, "hour"), { runs: 3 });
    expect(shown(schedule, 10)).toEqual(hours(1, 2, 3));
    expect(shown(tickTimes(schedule, 2), 10)).toEqual(hours(3));
  });

  it("none at or after stop_at", () => {
    expect(shown(scheduleOf(every(1, "hour"), { stopAt: NOON + 2 * HOUR }), 10)).toEqual(hours(1));
    expect(shown(scheduleOf(every(1, "hour"), { stopAt: NOON + 2 * HOUR + 1 }), 10)).toEqual(hours(1, 2));
  });

  it("nothing of a schedule that is over", () => {
    expect(preview(tickOnce(scheduleOf(every(1, "hour"), { runs: 1 })), 10)).toEqual([]);
    const spec = specOf(every(1, "hour"), { stopAt: NOON + 1 });
    expect(preview(plan(spec, { accountId: "a", id: "s", idempotencyKey: null, now: NOON }), 10)).toEqual([]);
  });

  it("begins with a tick that is held up, which takes one of the runs", () => {
    const held = NOON - MINUTE;
    expect(shown({ ...scheduleOf(every(1, "hour"), { runs: 2 }), held }, 10)).toEqual([iso(held), ...hours(1)]);
    const waiting = scheduleOf(every(1, "hour"), { runs: 2 });
    expect(shown({ ...waiting, held: waiting.nextRunAt }, 10)).toEqual(hours(1, 2));
  });
});
