// A tick in its owner: exactly one job, at its moment (contract §6).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api, type JobJson, must } from "../harness/api.ts";
import { DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { JobUnderTest, PUSH } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { receiver } from "../harness/receiver.ts";
import { failAt, gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, sweep, unheardSchedule } from "./schedule.ts";
import { hasRun, isArmed } from "./ticks.ts";

const FIRST = NOON + HOUR;
const SECOND_TICK = NOON + 2 * HOUR;

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "accounts", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

describe("a tick", () => {
  it("makes one job at its moment, and not a millisecond earlier", async () => {
    const schedule = await newSchedule(account);
    expect(await schedule.ringsFrom(FIRST)).toBe(true);
    await schedule.ringAt(FIRST - 1);
    await hasRun(schedule, []);
    expect(await schedule.ringsFrom(FIRST)).toBe(true);
    await schedule.ringAt(FIRST);
    await hasRun(schedule, [FIRST]);
    expect(await schedule.ringsFrom(SECOND_TICK)).toBe(true);
  });

  it("makes a job like everybody's, that says whose it is", async () => {
    const schedule = await newSchedule(account, {
      ...HOURLY,
      name: "report",
      payload: { a: 1 },
      delivery: PUSH,
      timeout: 7,
      max_retries: 2,
    });
    await schedule.ringAt(FIRST + 5);
    const [job] = await must(api<JobJson[]>("GET", `/v1/jobs?schedule_id=${schedule.id}`, { key: account.key }));
    expect(job).toMatchObject({
      schedule_id: schedule.id,
      name: "report",
      handler: "h",
      status: "pending",
      payload: { a: 1 },
      timeout: 7,
      max_retries: 2,
      idempotency_key: `${schedule.id}.${FIRST}`,
      scheduled_for: iso(FIRST),
      created_at: iso(FIRST + 5),
    });
    await new JobUnderTest(account, job?.id ?? "").ring();
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({ job_id: job?.id, scheduled_for: iso(FIRST) });
    expect(await must(api("GET", "/v1/jobs?schedule_id=null", { key: account.key }))).toEqual([]);
  });

  it("is reported to the read model", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    expect(await schedule.row()).toMatchObject({
      revision: 1,
      reportDueAt: SECOND_TICK,
      sweeps: 0,
      state: { runCount: 1, lastRunAt: FIRST, nextRunAt: SECOND_TICK },
    });
  });

  it("follows the calendar of its zone", async () => {
    setClock(Date.UTC(2030, 2, 30, 12)); // 2030-03-31: the clocks of London are put forward
    const schedule = await newSchedule(account, { cron: "30 1 * * *", timezone: "Europe/London" });
    await schedule.ringAt(Date.UTC(2030, 2, 31, 1));
    await schedule.ringAt(Date.UTC(2030, 3, 1, 0, 30));
    await hasRun(schedule, [Date.UTC(2030, 2, 31, 1), Date.UTC(2030, 3, 1, 0, 30)]);
  });

  it("that lies years ahead has its alarm there", async () => {
    const schedule = await newSchedule(account, { interval: { value: 1825, unit: "day" } });
    expect(await schedule.alarm()).toBe(NOON + 1825 * DAY);
  });

  it("has one job when the alarm rings twice, one after the other", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await schedule.ring();
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
  });

  it.each<Moment>(["before", "after"])(
    "has one job when the alarm rings again while it is under way: %s the insert",
    async (moment) => {
      const schedule = await newSchedule(account);
      setClock(FIRST);
      const gap = gapAt(moment, JOB_INSERT);
      const first = schedule.ring();
      await gap.reached();
      const second = schedule.ringAfterDeath();
      gap.leave();
      await Promise.all([first, second]);
      await hasRun(schedule, [FIRST]);
      await isArmed(schedule);
    },
  );

  it.each<Moment>(["before", "after"])("has one job when the sweeper's wake comes %s its insert", async (moment) => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    await schedule.wake();
    gap.leave();
    await rung;
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
  });

  it("has one job when the sweeper finds its owner asleep", async () => {
    const schedule = await unheardSchedule(account);
    expect(await schedule.isEmpty()).toBe(true);
    setClock(FIRST + 15 * SECOND);
    await Promise.all([sweep(), schedule.wake()]);
    expect(await schedule.alarm()).toBe(FIRST + 15 * SECOND + 1);
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
  });

  it("is not lost with the alarm: the sweeper's wake sets it again", async () => {
    const schedule = await newSchedule(account);
    await schedule.loseAlarm();
    setClock(FIRST + 2 * MINUTE + 1);
    await sweep();
    expect(await schedule.ring()).toBe(true);
    await hasRun(schedule, [FIRST]);
  });
});

describe("after an outage of the service", () => {
  it("the newest tick runs once, older ones are skipped and counted", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(NOON + 10.5 * HOUR);
    await hasRun(schedule, [NOON + 10 * HOUR], 9);
    expect(await schedule.alarm()).toBe(NOON + 11 * HOUR);
  });

  it("no tick at or after stop_at is made up for", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, stop_at: iso(NOON + 3 * HOUR) });
    await schedule.ringAt(NOON + 10.5 * HOUR);
    await hasRun(schedule, [SECOND_TICK], 1);
    expect(await schedule.show()).toMatchObject({ status: "completed", next_run_at: null });
  });
});

it("an alarm that meets a fault nobody foresaw rings again after half a minute", async () => {
  const schedule = await newSchedule(account);
  setClock(FIRST);
  failAt("before", JOB_INSERT, "D1_ERROR: no such column: SQLITE_ERROR");
  await schedule.ring();
  expect(logs.of("alarm_fault")).toHaveLength(1);
  expect(await schedule.alarm()).toBe(FIRST + 30 * SECOND);
  await schedule.ringAt(FIRST + 30 * SECOND);
  await hasRun(schedule, [FIRST]);
});
