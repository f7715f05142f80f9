// What a schedule announces: that it missed runs, and that it is over (contract §9).

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, HOUR, iso, NOON, SECOND, setClock } from "../harness/clock.ts";
import { post } from "../harness/post.ts";
import { HOURLY, newSchedule, type ScheduleJson } from "../schedules/schedule.ts";
import { bodiesAt, deliver, eventJobs, HOOK, newWebhook, typesOf } from "./webhook.ts";

const BOTH = ["schedule.missed", "schedule.completed"];

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

it("runs that fell into an outage are announced, once, with the schedule as it is shown", async () => {
  const { id } = await newWebhook(account, ...BOTH);
  const schedule = await newSchedule(account);
  const at = NOON + 3 * HOUR + SECOND;
  await schedule.ringAt(at);
  const [event, ...others] = await eventJobs(account);
  expect(others).toEqual([]);
  expect(event).toMatchObject({ name: "schedule.missed", tags: [`schedule:${schedule.id}`, `webhook:${id}`] });
  await deliver(account);
  const [body] = bodiesAt<ScheduleJson>(HOOK);
  expect(body).toMatchObject({
    type: "schedule.missed",
    timestamp: iso(at),
    data: { id: schedule.id, missed_runs: 2 },
  });
  expect(Object.keys(body?.data ?? {})).toEqual(Object.keys(await schedule.show()));
  await schedule.ringWhenSet();
  expect(await eventJobs(account), "the next run is on time").toHaveLength(1);
  expect(await schedule.stored()).toMatchObject({ news: [] });
});

it("its end is announced, once", async () => {
  await newWebhook(account, ...BOTH);
  const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
  await schedule.ringWhenSet();
  expect(await schedule.isEmpty()).toBe(true);
  expect(await schedule.show()).toMatchObject({ status: "completed" });
  await deliver(account);
  expect(bodiesAt<ScheduleJson>(HOOK).map(({ type, data }) => [type, data.status])).toEqual([
    ["schedule.completed", "completed"],
  ]);
});

it("an archived schedule announces nothing", async () => {
  await newWebhook(account, ...BOTH);
  await (await newSchedule(account)).archive();
  expect(await eventJobs(account)).toEqual([]);
});

describe("while nothing reaches the read model", () => {
  it("nothing is announced, and afterwards everything, once", async () => {
    await newWebhook(account, ...BOTH);
    const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
    post.stop();
    await schedule.ringAt(NOON + 2 * HOUR + SECOND);
    expect(await eventJobs(account)).toEqual([]);
    expect(await schedule.stored()).toMatchObject({ status: "completed", news: [{}, {}] });
    post.goOn();
    await schedule.ringWhenSet();
    expect(typesOf(await eventJobs(account))).toEqual(["schedule.completed", "schedule.missed"]);
    expect(await schedule.isEmpty()).toBe(true);
  });

  it("the row may be deleted, and those who asked are told all the same", async () => {
    await newWebhook(account, ...BOTH);
    const schedule = await newSchedule(account, { ...HOURLY, runs: 1 });
    post.stop();
    await schedule.ringWhenSet();
    await schedule.deleteRow();
    post.goOn();
    await schedule.ringWhenSet();
    expect(typesOf(await eventJobs(account))).toEqual(["schedule.completed"]);
    expect(await schedule.isEmpty()).toBe(true);
  });
});

it("news that nobody asked for is forgotten: a webhook that is made later hears nothing of it", async () => {
  const schedule = await newSchedule(account);
  await schedule.ringAt(NOON + 3 * HOUR + SECOND);
  await schedule.evict();
  await newWebhook(account, ...BOTH);
  advance(SECOND);
  await schedule.wake();
  setClock(NOON + 4 * HOUR);
  await schedule.ring();
  expect(await eventJobs(account)).toEqual([]);
});
