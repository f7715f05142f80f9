// A tick while D1 is down: held, tried again, one job; what falls due meanwhile is missed (contract §6).

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, HOUR, NOON, SECOND, setClock } from "../harness/clock.ts";
import { answerLost, databaseDown, OVERLOADED } from "../harness/database.ts";
import { logs } from "../harness/logs.ts";
import { failAt, JOB_INSERT } from "./faults.ts";
import { newSchedule } from "./schedule.ts";
import { hasRun, isArmed } from "./ticks.ts";

const FIRST = NOON + HOUR;
const SECOND_TICK = NOON + 2 * HOUR;

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "accounts", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
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
