// Ticks of an account that is suspended or deleted.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import * as standing from "../../../src/accounts/standing.ts";
import { ok } from "../../../src/domain/result.ts";
import { confirmed } from "../../../src/domain/schedule.ts";
import { runScheduleErrands } from "../../../src/objects/schedule/errands.ts";
import { ScheduleKeeper } from "../../../src/objects/schedule/schedule-keeper.ts";
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

it("a confirmation that comes while it asks how its account stands is kept", async () => {
  const schedule = await newSchedule(account);
  setClock(FIRST);
  await runInDurableObject(schedule.owner, async (_, state) => {
    const keeper = new ScheduleKeeper(state, env);
    const { record } = keeper;
    const held = record.read();
    if (!held) throw new Error("it has no state");
    record.remember({ ...held, news: [{ type: "schedule.missed", at: NOON }] });
    vi.spyOn(keeper, "report").mockResolvedValue();
    const asked = vi.spyOn(standing, "standingOf").mockImplementation(async () => {
      record.remember(confirmed(record.read() ?? held));
      return ok({ status: "suspended", signing: null });
    });
    await runScheduleErrands(keeper, env);
    asked.mockRestore();
    expect(record.read()).toMatchObject({ revision: held.revision + 1, news: [] });
  });
});
