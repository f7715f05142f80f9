// Ticks of an account that is suspended or deleted.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount, remove, resume, suspend } from "../harness/account.ts";
import { DAY, HOUR, MINUTE, NOON, setClock, until } from "../harness/clock.ts";
import { newSchedule, sweep } from "./schedule.ts";
import { hasRun } from "./ticks.ts";

const FIRST = NOON + HOUR;

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "accounts", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
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
    expect((await schedule.row())?.reportDueAt).toBe(FIRST + MINUTE);
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
    await schedule.wake();
    await until(() => schedule.isEmpty());
    expect(await schedule.row()).toBeUndefined();
    expect(await schedule.isEmpty()).toBe(true);
  });
});
