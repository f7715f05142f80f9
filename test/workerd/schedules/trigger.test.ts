// POST /v1/schedules/:id/trigger (contract §6): a job due now, beside the ticks.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { answerLost, databaseDown, OVERLOADED } from "../harness/database.ts";
import { JobUnderTest, PUSH } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { failAt, gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest, sweep } from "./schedule.ts";

const NOW = NOON + 10 * MINUTE;
const FIRST = NOON + HOUR;
const MOMENTS: Moment[] = ["before", "after"];

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

async function triggered(schedule: ScheduleUnderTest): Promise<JobUnderTest> {
  const { status, body } = await schedule.trigger();
  expect(status).toBe(201);
  return new JobUnderTest(account, body.data.id);
}

const WORK = {
  handler: "h",
  payload: { a: 1 },
  timeout: 7,
  max_retries: 9,
  backoff: { type: "list", delays: [1, 2] },
  tags: ["t"],
  flow: "f",
};

it("makes a job of the schedule that is due now", async () => {
  const schedule = await newSchedule(account, { ...HOURLY, ...WORK, expires_after: { value: 1, unit: "hour" } });
  setClock(NOW);
  const { status, body } = await schedule.trigger();
  expect(status).toBe(201);
  expect(body.data).toMatchObject({
    ...WORK,
    schedule_id: schedule.id,
    origin: "schedule",
    status: "pending",
    idempotency_key: null,
    scheduled_for: iso(NOW),
    run_at: iso(NOW),
    expires_at: iso(NOW + HOUR),
    created_at: iso(NOW),
  });
  expect(await new JobUnderTest(account, body.data.id).show()).toEqual(body.data);
  const list = await api("GET", `/v1/jobs?schedule_id=${schedule.id}`, { key: account.key });
  expect(list.body.data).toEqual([body.data]);
});

it("its job is delivered at once, as a scheduled one", async () => {
  const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
  const job = await triggered(schedule);
  await job.ring();
  expect(receiver.received).toHaveLength(1);
  expect(await job.show()).toMatchObject({ status: "completed" });
  expect(await job.executions()).toMatchObject([{ attempt: 1, trigger: "scheduled" }]);
});

it("changes nothing about the schedule: neither its runs nor its revision", async () => {
  const schedule = await newSchedule(account, { ...HOURLY, runs: 2 });
  const before = await schedule.show();
  setClock(NOW);
  for (let n = 0; n < 3; n++) await triggered(schedule);
  expect(await schedule.show()).toEqual(before);
  await schedule.ringAt(FIRST);
  await schedule.ringAt(FIRST + HOUR);
  expect(await schedule.show()).toMatchObject({ status: "completed", run_count: 2, missed_runs: 0 });
  expect(await schedule.jobs()).toHaveLength(5);
});

it("of a paused schedule works, and it stays paused", async () => {
  const schedule = await newSchedule(account);
  await schedule.pause();
  const job = await triggered(schedule);
  expect(await job.show()).toMatchObject({ schedule_id: schedule.id });
  expect(await schedule.show()).toMatchObject({ status: "paused" });
});

it("takes what the schedule was changed to", async () => {
  const schedule = await newSchedule(account);
  await schedule.patch({ payload: { v: 2 } });
  expect((await schedule.trigger()).body.data).toMatchObject({ payload: { v: 2 } });
});

describe("while D1 is down", () => {
  it("is 503, and no job is made", async () => {
    const schedule = await newSchedule(account);
    await schedule.show(); // the key is known from now on
    const outage = databaseDown();
    const { status, headers } = await schedule.trigger();
    outage.end();
    expect([status, headers.get("Retry-After")]).toEqual([503, "10"]);
    expect(await schedule.jobs()).toEqual([]);
  });

  it("and only the answer of the insert is lost: 503, its job runs all the same, and a repetition makes another", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    await schedule.show(); // the key is known from now on
    const lost = answerLost(JOB_INSERT, OVERLOADED, { blind: true });
    expect((await schedule.trigger()).status).toBe(503);
    lost.end();
    const [job] = await schedule.jobs();
    setClock(NOON + 20 * SECOND);
    await sweep();
    await new JobUnderTest(account, job?.id ?? "").ring();
    expect(receiver.received).toHaveLength(1);
    await triggered(schedule);
    expect(await schedule.jobs()).toHaveLength(2);
  });

  it("and the insert's answer fails but can be looked up: 201", async () => {
    const schedule = await newSchedule(account);
    failAt("after", JOB_INSERT);
    await triggered(schedule);
    expect(await schedule.jobs()).toHaveLength(1);
  });
});

describe("and archiving", () => {
  it("cancels a triggered job that has not begun", async () => {
    const schedule = await newSchedule(account);
    const job = await triggered(schedule);
    await schedule.archive();
    expect(await job.show()).toMatchObject({ status: "cancelled" });
  });

  it.each(MOMENTS)("at the same time, %s the insert: 409, and the job never runs", async (moment) => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    const gap = gapAt(moment, JOB_INSERT);
    const asked = schedule.trigger();
    await gap.reached();
    expect((await schedule.archive()).status).toBe(200);
    gap.leave();
    const { status, body } = await asked;
    expect([status, body.code]).toEqual([409, "schedule_archived"]);
    const [made] = await schedule.jobs();
    const job = new JobUnderTest(account, made?.id ?? "");
    expect(await job.show()).toMatchObject({ status: "cancelled" });
    await job.ring();
    expect(receiver.received).toEqual([]);
  });

  it("with an owner that dies between insert and arming: its job runs once, by the sweeper", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    const gap = gapAt("after", JOB_INSERT);
    const asked = schedule.trigger();
    await gap.reached();
    await schedule.crash();
    gap.leave();
    expect((await asked).status).toBe(503);
    setClock(NOON + 20 * SECOND);
    await sweep();
    const [made] = await schedule.jobs();
    await new JobUnderTest(account, made?.id ?? "").ring();
    expect(receiver.received).toHaveLength(1);
  });
});
