// A change or an archiving that meets a tick: one of two consistent outcomes, never something in between (contract §6).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { HOUR, hurry, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { databaseDown, databaseSlow, OVERLOADED } from "../harness/database.ts";
import { JobUnderTest, PUSH } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { failAt, gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest, sweep } from "./schedule.ts";

const FIRST = NOON + HOUR;
const MOMENTS: Moment[] = ["before", "after"];

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** Something happens while the job of the first tick is being inserted. */
async function during(schedule: ScheduleUnderTest, moment: Moment, happening: () => Promise<unknown>): Promise<void> {
  setClock(FIRST + 2);
  const gap = gapAt(moment, JOB_INSERT);
  const rung = schedule.ring();
  await gap.reached();
  await happening();
  gap.leave();
  await rung;
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("there is none");
  return value;
}

const theJob = async (schedule: ScheduleUnderTest): Promise<JobUnderTest> => {
  const [job, ...others] = await schedule.jobs();
  expect(others).toEqual([]);
  return new JobUnderTest(account, job?.id ?? "");
};

describe.each(MOMENTS)("a change %s a tick's insert", (moment) => {
  it("of the job's content: the tick under way keeps the old one, the next has the new one", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, payload: { v: 1 } });
    await during(schedule, moment, () => schedule.patch({ payload: { v: 2 }, name: "new" }));
    await schedule.ringAt(NOON + 2 * HOUR);
    expect((await schedule.jobs()).map(({ payload, name }) => ({ payload, name }))).toEqual([
      { payload: '{"v":1}', name: "a schedule" },
      { payload: '{"v":2}', name: "new" },
    ]);
    expect(await schedule.show()).toMatchObject({ run_count: 2, missed_runs: 0, name: "new" });
  });

  it("of the timing: the tick under way stays and is counted, the new timing follows", async () => {
    const schedule = await newSchedule(account);
    await during(schedule, moment, () => schedule.patch({ interval: { value: 10, unit: "minute" } }));
    expect(await schedule.ticks()).toEqual([FIRST]);
    expect(await schedule.show()).toMatchObject({
      run_count: 1,
      missed_runs: 0,
      last_run_at: iso(FIRST),
      next_run_at: iso(FIRST + 2 + 10 * MINUTE),
    });
    expect(await schedule.alarm()).toBe(FIRST + 2 + 10 * MINUTE);
  });

  it("of runs to what it has come to: completed, with that job counted", async () => {
    const schedule = await newSchedule(account);
    await during(schedule, moment, () => schedule.patch({ runs: 1 }));
    expect(await schedule.ticks()).toEqual([FIRST]);
    expect(await schedule.show()).toMatchObject({ status: "completed", run_count: 1, next_run_at: null });
  });

  it("of stop_at to the next moment: the tick under way lay before it", async () => {
    const schedule = await newSchedule(account);
    await during(schedule, moment, () => schedule.patch({ stop_at: iso(FIRST + 3) }));
    expect(await schedule.ticks()).toEqual([FIRST]);
    expect(await schedule.show()).toMatchObject({ status: "completed", run_count: 1 });
  });

  it("and the owner dies before it can count: the tick is still its, once", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST + 2);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring().catch(() => {});
    await gap.reached();
    await schedule.patch({ cron: "30 * * * *" });
    await schedule.crash();
    gap.leave();
    await rung;
    await schedule.wake();
    await schedule.ring();
    expect(await schedule.ticks()).toEqual([FIRST]);
    expect(await schedule.show()).toMatchObject({
      run_count: 1,
      missed_runs: 0,
      next_run_at: iso(FIRST + 30 * MINUTE),
    });
  });
});

describe("a change of the timing", () => {
  it("just before a tick takes its place: that tick is none any more", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST - 1);
    await schedule.patch({ interval: { value: 10, unit: "minute" } });
    expect(await schedule.ring()).toBe(true);
    expect(await schedule.ticks()).toEqual([]);
    expect(await schedule.alarm()).toBe(FIRST - 1 + 10 * MINUTE);
  });

  it("just after a tick whose alarm is late: that tick has its job, then the new timing follows", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST + 1);
    await schedule.patch({ interval: { value: 10, unit: "minute" } });
    await schedule.ring();
    expect(await schedule.ticks()).toEqual([FIRST]);
    expect(await schedule.show()).toMatchObject({ run_count: 1, next_run_at: iso(FIRST + 1 + 10 * MINUTE) });
  });

  it("while a tick is held up leaves that tick its turn", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    await schedule.show(); // the key is known from now on
    const outage = databaseDown();
    await schedule.ring();
    expect((await schedule.patch({ interval: { value: 1, unit: "day" } })).status).toBe(200);
    outage.end();
    await schedule.ringAt(FIRST + 5 * SECOND);
    expect(await schedule.ticks()).toEqual([FIRST]);
    expect(await schedule.show()).toMatchObject({ run_count: 1, missed_runs: 0, next_run_at: iso(FIRST + 24 * HOUR) });
  });
});

it("a change of a schedule that completed meanwhile is 409 schedule_status_changed, and nothing is changed", async () => {
  const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
  const seen = given(await schedule.stored());
  await schedule.ringAt(FIRST);
  const before = await schedule.stored();
  const { status, body } = await api("PATCH", `/v1/schedules/${schedule.id}`, {
    key: account.key,
    body: { name: "new" },
    env: {
      SCHEDULES: {
        getByName: () => ({
          get: async () => ({ ok: true, value: seen }),
          amend: (...told: Parameters<ScheduleUnderTest["owner"]["amend"]>) => schedule.owner.amend(...told),
        }),
      },
    },
  });
  expect([status, body.code]).toEqual([409, "schedule_status_changed"]);
  expect(body.message).toContain("completed");
  expect(await schedule.stored()).toEqual(before);
});

it("changes that come together all hold: none is laid over a schedule that has moved meanwhile", async () => {
  const schedule = await newSchedule(account);
  const changes = [
    { name: "new" },
    { description: "said" },
    { cron: "30 * * * *" },
    { timezone: "Europe/London" },
    { payload: { v: 2 } },
    { timeout: 60 },
    { max_retries: 7 },
    { runs: 9 },
  ];
  const answers = await Promise.all(changes.map((change) => schedule.patch(change)));
  expect(answers.map(({ status }) => status)).toEqual(changes.map(() => 200));
  expect(await schedule.show()).toMatchObject({ ...Object.assign({}, ...changes), interval: null });
});

it("a change that finds the schedule moved again and again is 503, and nothing is changed", async () => {
  const schedule = await newSchedule(account);
  const amend = vi.fn(async () => ({ ok: false, error: { code: "schedule_moved" } }));
  const { status, headers } = await api("PATCH", `/v1/schedules/${schedule.id}`, {
    key: account.key,
    body: { name: "new" },
    env: { SCHEDULES: { getByName: () => ({ get: () => schedule.owner.get(schedule.ref), amend }) } },
  });
  expect([status, headers.get("Retry-After"), amend.mock.calls.length]).toEqual([503, "1", 20]);
  expect(await schedule.show()).toMatchObject({ name: "a schedule" });
});

describe("archiving", () => {
  it.each(MOMENTS)("%s a tick's insert leaves no job that runs afterwards", async (moment) => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    await during(schedule, moment, async () => {
      expect((await schedule.archive()).status).toBe(200);
    });
    const job = await theJob(schedule);
    expect(await job.show()).toMatchObject({ status: "cancelled" });
    await job.ring();
    expect(receiver.received).toEqual([]);
    expect(await schedule.show()).toMatchObject({ status: "archived", run_count: 1, next_run_at: null });
  });

  it.each(MOMENTS)("%s a tick's insert, and the owner dies: its job is cancelled all the same", async (moment) => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    setClock(FIRST + 2);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring().catch(() => {});
    await gap.reached();
    await schedule.archive();
    await schedule.crash();
    gap.leave();
    await rung;
    await schedule.wake();
    await schedule.ring();
    setClock(FIRST + 5 * MINUTE);
    await sweep();
    for (const { id } of await schedule.jobs()) await new JobUnderTest(account, id).ring();
    expect(receiver.received).toEqual([]);
  });

  it.each(MOMENTS)("%s a tick's insert: its job is never armed, not even for a moment", async (moment) => {
    const schedule = await newSchedule(account);
    const arm = vi.fn();
    const cancelIfWaiting = vi.fn(async () => ({ ok: true }));
    vi.spyOn(env.JOBS, "getByName").mockReturnValue({ arm, cancelIfWaiting } as never);
    await during(schedule, moment, schedule.archive);
    expect(arm).not.toHaveBeenCalled();
    expect(cancelIfWaiting).toHaveBeenCalled();
  });

  it("while the insert's answer is lost: its job is cancelled all the same", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    setClock(FIRST);
    const gap = gapAt("after", JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    await schedule.owner.archive(schedule.ref);
    const outage = databaseDown();
    gap.leave(OVERLOADED);
    await rung;
    outage.end();
    await schedule.ringAt(FIRST + 5 * SECOND);
    const job = await theJob(schedule);
    expect(await job.show()).toMatchObject({ status: "cancelled" });
    expect(receiver.received).toEqual([]);
  });

  it("before an insert that D1 applies long after its schedule has cleared up: its job never runs", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    setClock(FIRST);
    await schedule.show(); // the key is known from now on
    const hurried = hurry();
    const slow = databaseSlow(30 * SECOND);
    await schedule.ring();
    slow.end();
    hurried.end();
    expect((await schedule.archive()).status).toBe(200);
    await schedule.ring();
    expect([await schedule.isEmpty(), (await schedule.row())?.status]).toEqual([true, "archived"]);
    await until(async () => (await schedule.jobs()).length === 1);
    setClock(FIRST + 2 * MINUTE);
    await sweep();
    const job = await theJob(schedule);
    expect(await job.show()).toMatchObject({ status: "cancelled", attempts: 0 });
    await job.ring();
    expect(receiver.received).toEqual([]);
  });

  it("while a tick is held up gives that tick up", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    failAt("before", JOB_INSERT);
    await schedule.ring();
    await schedule.archive();
    await schedule.ringAt(FIRST + 5 * SECOND);
    expect(await schedule.ticks()).toEqual([]);
  });

  it("leaves a job alone that has begun", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    await schedule.ringAt(FIRST);
    const job = await theJob(schedule);
    const held = receiver.holds();
    const rung = job.ring();
    await held.arrived();
    await schedule.archive();
    held.release(200);
    await rung;
    expect(await job.show()).toMatchObject({ status: "completed" });
  });
});
