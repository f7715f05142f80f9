// A tick in its owner: exactly one job, whatever happens around it (contract §6).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount, remove, resume, suspend } from "../harness/account.ts";
import { api, type JobJson, must } from "../harness/api.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { answerLost, databaseDown, OVERLOADED } from "../harness/database.ts";
import { JobUnderTest, PUSH } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";
import { failAt, gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest, sweep, unheardSchedule } from "./schedule.ts";

const FIRST = NOON + HOUR;
const SECOND_TICK = NOON + 2 * HOUR;

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "accounts", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

/** What everybody agrees on: these ticks have one job each, counted once. */
async function hasRun(schedule: ScheduleUnderTest, ticks: readonly number[], missed = 0): Promise<void> {
  expect(await schedule.ticks()).toEqual(ticks);
  expect(await schedule.show()).toMatchObject({
    run_count: ticks.length,
    missed_runs: missed,
    last_run_at: ticks.length === 0 ? null : iso(ticks.at(-1) ?? 0),
  });
}

/** The job is in the hands of its owner. */
async function isArmed(schedule: ScheduleUnderTest, which = 0): Promise<void> {
  const job = (await schedule.jobs())[which];
  expect(await new JobUnderTest(account, job?.id ?? "").stored()).toMatchObject({ id: job?.id });
}

describe("a tick", () => {
  it("makes one job at its moment, and not a millisecond earlier", async () => {
    const schedule = await newSchedule(account);
    expect(await schedule.alarm()).toBe(FIRST);
    await schedule.ringAt(FIRST - 1);
    await hasRun(schedule, []);
    expect(await schedule.alarm()).toBe(FIRST);
    await schedule.ringAt(FIRST);
    await hasRun(schedule, [FIRST]);
    expect(await schedule.alarm()).toBe(SECOND_TICK);
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
    await post.deliver();
    expect(await schedule.row()).toMatchObject({
      revision: 1,
      attentionAt: SECOND_TICK,
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
      await schedule.poke(); // sets the alarm again
      expect(await schedule.ring()).toBe(true);
      gap.leave();
      await first;
      await hasRun(schedule, [FIRST]);
      await isArmed(schedule);
    },
  );

  it.each<Moment>(["before", "after"])("has one job when the sweeper's poke comes %s its insert", async (moment) => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    const gap = gapAt(moment, JOB_INSERT);
    const rung = schedule.ring();
    await gap.reached();
    await schedule.poke();
    gap.leave();
    await rung;
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
  });

  it("has one job when the sweeper finds its owner asleep", async () => {
    const schedule = await unheardSchedule(account);
    expect(await schedule.isEmpty()).toBe(true);
    setClock(FIRST);
    await Promise.all([sweep(), schedule.poke()]);
    expect(await schedule.alarm()).toBe(FIRST + 1);
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
  });

  it("is not lost with the alarm: the sweeper's poke sets it again", async () => {
    const schedule = await newSchedule(account);
    await schedule.loseAlarm();
    setClock(FIRST + 2 * MINUTE + 1);
    await sweep();
    expect(await schedule.ring()).toBe(true);
    await hasRun(schedule, [FIRST]);
  });
});

describe("when its owner dies", () => {
  /** In the middle of the ring, in this gap. */
  async function dies(schedule: ScheduleUnderTest, moment: Moment, start = JOB_INSERT): Promise<void> {
    const gap = gapAt(moment, start);
    const rung = schedule.ring().catch(() => {});
    await gap.reached();
    await schedule.crash();
    gap.leave();
    await rung;
  }

  it.each<[string, Moment, number]>([
    ["before the insert", "before", 0],
    ["between the insert and the count", "after", 1],
  ])("%s, the tick is made up for, with one job", async (_, moment, jobs) => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    await dies(schedule, moment);
    expect(await schedule.ticks()).toHaveLength(jobs);
    expect(await schedule.stored()).toMatchObject({ runCount: 0, nextRunAt: FIRST });
    advance(2 * SECOND); // the platform rings again
    await schedule.poke();
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
    await isArmed(schedule);
  });

  it("between the insert and the count, and comes back when others are due: that job is counted, then the newest runs", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    await dies(schedule, "after");
    setClock(NOON + 4.5 * HOUR);
    await schedule.poke();
    await schedule.ring();
    await hasRun(schedule, [FIRST, NOON + 4 * HOUR], 2);
    await isArmed(schedule, 0);
    await isArmed(schedule, 1);
  });

  it("while it makes up for an outage: the job of the newest tick is counted, not missed", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, runs: 2 });
    setClock(NOON + 3.5 * HOUR);
    await dies(schedule, "after");
    expect(await schedule.ticks()).toEqual([NOON + 3 * HOUR]);
    setClock(NOON + 5.5 * HOUR);
    await schedule.poke();
    await schedule.ring();
    await hasRun(schedule, [NOON + 3 * HOUR, NOON + 5 * HOUR], 3);
    expect(await schedule.show()).toMatchObject({ status: "completed" });
  });

  it("between the job's arming and the count, the job runs once all the same", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, delivery: PUSH });
    setClock(FIRST);
    const getByName = env.JOBS.getByName.bind(env.JOBS);
    let armed = false;
    vi.spyOn(env.JOBS, "getByName").mockImplementationOnce((name) => {
      const arm = async (...spec: Parameters<JobUnderTest["owner"]["arm"]>) => {
        await getByName(name).arm(...spec);
        armed = true;
        await scheduler.wait(60_000);
      };
      return { arm } as never;
    });
    const rung = schedule.ring().catch(() => {});
    await until(() => armed);
    await schedule.crash();
    await rung;
    expect(await schedule.stored()).toMatchObject({ runCount: 0 });
    await schedule.poke();
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
    const [job] = await schedule.jobs();
    await new JobUnderTest(account, job?.id ?? "").ring();
    expect(receiver.received).toHaveLength(1);
  });

  it("between two ticks, nothing is lost", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await schedule.evict();
    await schedule.ringAt(SECOND_TICK);
    await hasRun(schedule, [FIRST, SECOND_TICK]);
  });
});

describe("while D1 is down", () => {
  it("a tick is held and tried again after 5 seconds, until its one job exists", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    const outage = databaseDown();
    for (let tries = 0; tries < 3; tries++) {
      await schedule.ring();
      expect(await schedule.alarm()).toBe(Date.now() + 5 * SECOND);
      expect(await schedule.stored()).toMatchObject({ held: FIRST, runCount: 0 });
      advance(5 * SECOND);
    }
    outage.end();
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
    expect(logs.of("tick_held")).toHaveLength(3);
    expect(await schedule.alarm()).toBe(SECOND_TICK);
  });

  it("what falls due meanwhile is missed", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    const outage = databaseDown();
    await schedule.ring();
    await schedule.ringAt(NOON + 3.5 * HOUR);
    outage.end();
    await schedule.ringAt(NOON + 3.5 * HOUR + 5 * SECOND);
    await hasRun(schedule, [FIRST], 2);
    expect(await schedule.alarm()).toBe(NOON + 4 * HOUR);
  });

  it("an answer that was lost does not make the job twice", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    const lost = answerLost(JOB_INSERT, OVERLOADED, { blind: true });
    await schedule.ring();
    expect(await schedule.stored()).toMatchObject({ held: FIRST, runCount: 0 });
    lost.end();
    expect(await schedule.ticks()).toEqual([FIRST]);
    await schedule.ringAt(FIRST + 5 * SECOND);
    await hasRun(schedule, [FIRST]);
    await isArmed(schedule);
  });

  it("several ticks fall due: it waits, and then the newest runs once", async () => {
    const schedule = await newSchedule(account);
    setClock(NOON + 3.5 * HOUR);
    const outage = databaseDown();
    await schedule.ring();
    expect(await schedule.alarm()).toBe(Date.now() + 5 * SECOND);
    outage.end();
    await schedule.ringAt(NOON + 4.5 * HOUR);
    await hasRun(schedule, [NOON + 4 * HOUR], 3);
    expect(await schedule.alarm()).toBe(NOON + 5 * HOUR);
  });

  it("the insert fails in the middle of making up for an outage: that tick keeps its turn, and is counted once", async () => {
    const schedule = await newSchedule(account);
    setClock(NOON + 3.5 * HOUR);
    failAt("before", JOB_INSERT);
    await schedule.ring();
    expect(await schedule.stored()).toMatchObject({ held: NOON + 3 * HOUR, missedRuns: 2, runCount: 0 });
    await schedule.ringAt(NOON + 3.5 * HOUR + 5 * SECOND);
    await hasRun(schedule, [NOON + 3 * HOUR], 2);
    await schedule.ringAt(NOON + 4 * HOUR);
    await hasRun(schedule, [NOON + 3 * HOUR, NOON + 4 * HOUR], 2);
  });

  it("the schedule is shown and changed all the same", async () => {
    const schedule = await newSchedule(account);
    const outage = databaseDown();
    expect(await schedule.owner.get(schedule.ref)).toMatchObject({ ok: true });
    expect((await schedule.patch({ name: "new" })).status).toBe(200);
    outage.end();
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

describe("an account that is suspended", () => {
  it("gets no job; once it is served again, one for the newest tick", async () => {
    const schedule = await newSchedule(account);
    await suspend(account);
    for (const at of [FIRST, FIRST + MINUTE, NOON + 5.5 * HOUR]) {
      await schedule.ringAt(at);
      expect(await schedule.ticks()).toEqual([]);
      expect(await schedule.alarm()).toBe(at + MINUTE);
    }
    await resume(account);
    await schedule.ringAt(NOON + 5.5 * HOUR + MINUTE);
    await hasRun(schedule, [NOON + 5 * HOUR], 4);
  });

  it("is not swept every minute: the read model is told when its owner looks again", async () => {
    const schedule = await newSchedule(account);
    await suspend(account);
    await schedule.ringAt(FIRST);
    await schedule.poke();
    await post.deliver();
    expect((await schedule.row())?.attentionAt).toBe(FIRST + MINUTE);
  });
});

describe("an account that is deleted", () => {
  it("gets no job, and its schedules forget themselves", async () => {
    const schedule = await newSchedule(account);
    await remove(account);
    await schedule.ringAt(FIRST);
    expect(await schedule.ticks()).toEqual([]);
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("stays so, however often the sweeper asks, until retention takes the rows", async () => {
    const schedule = await newSchedule(account);
    await remove(account);
    await schedule.ringAt(FIRST);
    for (const laterMs of [3 * MINUTE, HOUR, DAY]) {
      setClock(FIRST + laterMs);
      await sweep();
      await schedule.ring();
      await post.deliver();
    }
    expect(await schedule.ticks()).toEqual([]);
    expect(await schedule.isEmpty()).toBe(true);
    expect(await schedule.row()).toBeUndefined();
  });

  it("does not get its rows back from a schedule that has not noticed yet", async () => {
    const schedule = await newSchedule(account);
    await schedule.ringAt(FIRST);
    await remove(account);
    await schedule.deleteRow();
    await post.deliver();
    expect(await schedule.row()).toBeUndefined();
    expect(await schedule.isEmpty()).toBe(true);
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
