// A tick whose owner dies before, between and after its steps: exactly one job all the same.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, HOUR, NOON, SECOND, setClock, until } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest, PUSH } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest } from "./schedule.ts";
import { hasRun, isArmed } from "./ticks.ts";

const FIRST = NOON + HOUR;
const SECOND_TICK = NOON + 2 * HOUR;

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "accounts", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
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
    await schedule.wake();
    await schedule.ring();
    await hasRun(schedule, [FIRST]);
    await isArmed(schedule);
  });

  it("between the insert and the count, and comes back when others are due: that job is counted, then the newest runs", async () => {
    const schedule = await newSchedule(account);
    setClock(FIRST);
    await dies(schedule, "after");
    setClock(NOON + 4.5 * HOUR);
    await schedule.wake();
    await schedule.ring();
    await hasRun(schedule, [FIRST, NOON + 4 * HOUR], 2);
    await isArmed(schedule, 0);
    await isArmed(schedule, 1);
  });

  it("between the insert and the count, and is changed when others are due: that job is counted before", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, runs: 2 });
    setClock(FIRST);
    await dies(schedule, "after");
    setClock(NOON + 4.5 * HOUR);
    const down = databaseDown();
    expect((await schedule.patch({ interval: { value: 2, unit: "hour" } })).status).toBe(503);
    down.end();
    expect((await schedule.patch({ interval: { value: 2, unit: "hour" } })).status).toBe(200);
    await schedule.ring();
    await hasRun(schedule, [FIRST, NOON + 4 * HOUR], 2);
    expect(await schedule.show()).toMatchObject({ status: "completed" });
  });

  it("while it makes up for an outage: the job of the newest tick is counted, not missed", async () => {
    const schedule = await newSchedule(account, { ...HOURLY, runs: 2 });
    setClock(NOON + 3.5 * HOUR);
    await dies(schedule, "after");
    expect(await schedule.ticks()).toEqual([NOON + 3 * HOUR]);
    setClock(NOON + 5.5 * HOUR);
    await schedule.wake();
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
    await schedule.wake();
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
