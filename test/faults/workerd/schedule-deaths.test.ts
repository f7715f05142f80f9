// A schedule's instance may die at any await of its alarm. Whatever the point: the tick has exactly one job, is counted
// once, and the next tick follows; an archived schedule leaves nothing behind.

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { iso, MINUTE, NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { JobUnderTest, PUSH } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { newSchedule, type ScheduleUnderTest } from "../../workerd/schedules/schedule.ts";
import { PlatformAlarm, shortPausesPass } from "./harness/platform.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

const FIRST_TICK = NOON + 10 * MINUTE;

let schedule: ScheduleUnderTest;
const tripwire = new Tripwire("JOBS", "PROJECTORS");
beforeEach(async () => {
  const account: Account = await newAccount();
  schedule = await newSchedule(account, { interval: { value: 10, unit: "minute" }, delivery: PUSH });
  setClock(FIRST_TICK);
});
beforeEach(shortPausesPass);
afterEach(() => tripwire.remove());

/** The alarm rings whenever it is due, as the platform rings it, until this moment. */
async function ringUntil(until: number, alarm = new PlatformAlarm(schedule)): Promise<void> {
  for (let at = await schedule.alarm(); at !== null && at <= until; at = await schedule.alarm()) await alarm.ring();
}

/** The instance dies at this moment, and the alarm rings again at once. */
async function dieAt(moment: Parameters<Tripwire["watch"]>[1]): Promise<void> {
  await tripwire.watch(schedule.owner, moment);
  const alarm = new PlatformAlarm(schedule);
  await alarm.ring();
  expect(tripwire.hasKilled).toBe(true);
  tripwire.remove();
  post.goOn();
  await ringUntil(FIRST_TICK + SECOND, alarm);
}

async function callsOf(): Promise<string[]> {
  await tripwire.watch(schedule.owner, null);
  await new PlatformAlarm(schedule).ring();
  return tripwire.passed;
}

describe("a tick", () => {
  /** Is the account served; insert the job; arm it; report the tick. */
  const POINTS = ["D1", "D1", "job", "report"];

  it("waits for the calls of the table, and for nothing else", async () => {
    expect(await callsOf()).toEqual(POINTS);
  });

  it.each(momentsOf(POINTS))("dies $side call $call ($point), and has one job all the same", async (moment) => {
    await dieAt(moment);
    expect(await schedule.show()).toMatchObject({
      run_count: 1,
      missed_runs: 0,
      next_run_at: iso(FIRST_TICK + 10 * MINUTE),
    });
    expect(await schedule.ticks()).toEqual([FIRST_TICK]);
    await ringUntil(FIRST_TICK + MINUTE);
    expect((await schedule.row())?.state).toMatchObject({ runCount: 1, nextRunAt: FIRST_TICK + 10 * MINUTE });
  });
});

describe("a tick whose projector is busy", () => {
  beforeEach(() => post.stop("busy"));
  const POINTS = ["D1", "D1", "job", "report", "batch"];

  it("waits for the calls of the table, and for nothing else", async () => {
    expect(await callsOf()).toEqual(POINTS);
  });

  it.each(momentsOf(POINTS).slice(-4))("dies $side call $call ($point), and is counted once", async (moment) => {
    await dieAt(moment);
    expect(await schedule.ticks()).toEqual([FIRST_TICK]);
    await ringUntil(FIRST_TICK + MINUTE);
    expect((await schedule.row())?.state).toMatchObject({ runCount: 1 });
  });
});

describe("a tick of a schedule that is paused just then", () => {
  beforeEach(async () => {
    await schedule.pause();
  });
  const POINTS = ["D1", "D1", "job", "report"];

  it("waits for the calls of the table, and for nothing else", async () => {
    expect(await callsOf()).toEqual(POINTS);
  });

  it.each(momentsOf(POINTS))("dies $side call $call ($point), and has one job; then nobody wakes", async (moment) => {
    await dieAt(moment);
    await ringUntil(FIRST_TICK + MINUTE);
    expect(await schedule.ticks()).toEqual([FIRST_TICK]);
    expect(await schedule.show()).toMatchObject({ status: "paused", run_count: 1, missed_runs: 0 });
    expect(await schedule.row()).toMatchObject({ status: "paused", reportDueAt: null, state: { runCount: 1 } });
    expect(await schedule.alarm()).toBeNull();
  });
});

describe("a tick that is to skip while the job before has not ended", () => {
  const SECOND_TICK = FIRST_TICK + 10 * MINUTE;
  beforeEach(async () => {
    await schedule.patch({ overlap: "skip" });
    await ringUntil(FIRST_TICK);
    setClock(SECOND_TICK);
  });
  /** Is the account served; which job was the last; its row; its owner; report the tick. */
  const POINTS = ["D1", "D1", "D1", "job", "report"];

  it("waits for the calls of the table, and for nothing else", async () => {
    expect(await callsOf()).toEqual(POINTS);
  });

  it.each(momentsOf(POINTS))("dies $side call $call ($point), and is skipped once", async (moment) => {
    await dieAt(moment);
    await ringUntil(SECOND_TICK + MINUTE);
    expect(await schedule.ticks()).toEqual([FIRST_TICK]);
    expect(await schedule.show()).toMatchObject({ run_count: 1, skipped_runs: 1, missed_runs: 0 });
    expect((await schedule.row())?.state).toMatchObject({ skippedRuns: 1, nextRunAt: SECOND_TICK + 10 * MINUTE });
  });

  const ends = async () => {
    const [job] = await schedule.jobs();
    await new JobUnderTest(schedule.account, job?.id ?? "").ring();
  };
  /** How the account stands is known from that job. Has the last job ended; insert the next; arm it; report the tick. */
  const MADE = ["D1", "D1", "job", "report"];

  it("waits for these calls when that has ended, and for nothing else", async () => {
    await ends();
    expect(await callsOf()).toEqual(MADE);
  });

  it.each(momentsOf(MADE))("dies $side call $call ($point) when that has ended, and has one job", async (moment) => {
    await ends();
    await dieAt(moment);
    await ringUntil(SECOND_TICK + MINUTE);
    expect(await schedule.ticks()).toEqual([FIRST_TICK, SECOND_TICK]);
    expect(await schedule.show()).toMatchObject({ run_count: 2, skipped_runs: 0, missed_runs: 0 });
  });
});

describe("the clearing up after an archived schedule", () => {
  beforeEach(async () => {
    await new PlatformAlarm(schedule).ring();
    post.stop("unavailable");
    await schedule.owner.archive(schedule.ref); // the route, which cancels as well, has died
    post.goOn();
    setClock(FIRST_TICK);
  });
  /** Find its jobs; cancel each, which reports itself. */
  const POINTS = ["D1", "job", "report"];

  it("waits for the calls of the table, and for nothing else", async () => {
    expect(await callsOf()).toEqual(POINTS);
  });

  it.each(momentsOf(POINTS))("dies $side call $call ($point), and leaves no job that runs", async (moment) => {
    await dieAt(moment);
    await ringUntil(FIRST_TICK + MINUTE);
    expect(await schedule.jobs()).toMatchObject([{ status: "cancelled" }]);
    expect(await schedule.row()).toMatchObject({ status: "archived", reportDueAt: null });
    expect(await schedule.isEmpty()).toBe(true);
  });

  it.each(momentsOf(["report", "erase"]))("and dies $side call $call ($point), and is over", async (moment) => {
    await new PlatformAlarm(schedule).ring();
    await dieAt(moment);
    await ringUntil(FIRST_TICK + MINUTE);
    expect(await schedule.row()).toMatchObject({ status: "archived", reportDueAt: null });
    expect(await schedule.isEmpty()).toBe(true);
  });
});
