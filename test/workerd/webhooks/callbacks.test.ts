// A job's own callbacks (contract §9): the same events, for that job alone.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api, type JobJson, must } from "../harness/api.ts";
import { advance, MINUTE, NOON, SECOND } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest, newJob, PUSH, postJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";
import { newSchedule, postSchedule } from "../schedules/schedule.ts";
import { arrivedAt, bodiesAt, deliver, eventJobs, HOOK, newWebhook } from "./webhook.ts";

const DONE = "https://hooks.example.com/done";
const FAILED = "https://hooks.example.com/failed";
const BOTH = { completed: { url: DONE, headers: { "X-Team": "growth" } }, failed: { url: FAILED } };

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

it("are shown as they were given", async () => {
  const job = await newJob(account, { callbacks: BOTH });
  const shown = { ...BOTH, failed: { url: FAILED, headers: {} } };
  expect((await job.show()).callbacks).toEqual(shown);
  expect((await (await newJob(account)).show()).callbacks).toBeNull();
  const edited = await job.edit({ callbacks: { failed: { url: FAILED } } });
  expect(edited.body.data.callbacks).toEqual({ failed: shown.failed });
  expect((await job.edit({ name: "other" })).body.data.callbacks).toEqual({ failed: shown.failed });
  expect((await job.edit({ callbacks: null })).body.data.callbacks).toBeNull();
});

it.each([
  ["nothing", {}, "callbacks"],
  ["an unknown end", { cancelled: { url: DONE } }, "callbacks.cancelled"],
  ["no url", { completed: {} }, "callbacks.completed.url"],
  ["a private host", { failed: { url: "https://10.0.0.1/" } }, "callbacks.failed.url"],
  [
    "a reserved header",
    { failed: { url: DONE, headers: { "webhook-id": "x" } } },
    "callbacks.failed.headers.webhook-id",
  ],
])("%s is 422, for jobs, batches and schedules", async (_, callbacks, field) => {
  const faults = async (answer: Promise<{ status: number; body: { errors: readonly { field: string }[] } }>) => {
    const { status, body } = await answer;
    return [status, ...body.errors.map((error) => error.field)];
  };
  expect(await faults(postJob(account, { callbacks }))).toEqual([422, field]);
  expect(await faults(postSchedule(account, { interval: { value: 1, unit: "hour" }, callbacks }))).toEqual([
    422,
    field,
  ]);
  const jobs = [{ name: "a", delivery: PUSH, callbacks }];
  expect(await faults(api("POST", "/v1/jobs/batch", { key: account.key, body: { jobs } }))).toEqual([
    422,
    `jobs.0.${field}`,
  ]);
});

describe("at its end", () => {
  it("the callback of that end is told, with its headers, and no other", async () => {
    receiver.answers(200);
    const job = await newJob(account, { callbacks: BOTH });
    await job.ring();
    await deliver(account);
    const shown = await job.show();
    expect(bodiesAt(DONE)).toEqual([{ type: "job.completed", timestamp: shown.completed_at, data: shown }]);
    expect(arrivedAt(DONE)[0]?.headers.get("X-Team")).toBe("growth");
    expect(arrivedAt(FAILED)).toEqual([]);
    const [event] = await eventJobs(account);
    expect(event).toMatchObject({ tags: [`job:${job.id}`], origin: "event" });
  });

  it("a failure is told once, beside a webhook", async () => {
    await newWebhook(account, "job.failed");
    receiver.answers(500);
    const job = await newJob(account, { callbacks: BOTH, max_retries: 0 });
    await job.ring();
    await deliver(account);
    expect([arrivedAt(DONE), arrivedAt(FAILED), arrivedAt(HOOK)].map(({ length }) => length)).toEqual([0, 1, 1]);
    expect(new Set((await eventJobs(account)).map(({ id }) => id)).size).toBe(2);
  });

  it("a recovery is told as a completion only", async () => {
    receiver.answers(500, 200);
    const job = await newJob(account, { callbacks: BOTH });
    await job.ring();
    await job.ringWhenSet();
    await deliver(account);
    expect(bodiesAt(DONE).map(({ type }) => type)).toEqual(["job.completed"]);
  });

  it("a cancellation is told to none", async () => {
    const job = await newJob(account, { callbacks: BOTH });
    await job.cancel();
    expect(await eventJobs(account)).toEqual([]);
    expect(await job.isEmpty()).toBe(true);
  });

  it("the callbacks as they were edited are told", async () => {
    receiver.answers(200);
    const job = await newJob(account, { callbacks: BOTH, delay: { value: 1, unit: "minute" } });
    await job.edit({ callbacks: { completed: { url: HOOK } } });
    await job.ringAt(NOON + MINUTE);
    await deliver(account);
    expect([arrivedAt(DONE).length, arrivedAt(HOOK).length]).toEqual([0, 1]);
  });

  it("D1 may be away: it is told afterwards, and the list does not show the end before", async () => {
    receiver.answers(200);
    const job = await newJob(account, { callbacks: BOTH });
    const down = databaseDown();
    await job.ring();
    down.end();
    expect(await job.row()).toMatchObject({ status: "pending" });
    await job.ringWhenSet();
    expect(await eventJobs(account)).toHaveLength(1);
    expect(await job.isEmpty()).toBe(true);
  });

  it("each end of a job that is retried by hand is told", async () => {
    receiver.answers(500);
    const job = await newJob(account, { callbacks: BOTH, max_retries: 0 });
    await job.ring();
    advance(MINUTE);
    await job.retry();
    advance(SECOND);
    await job.ringWhenSet();
    expect((await eventJobs(account)).map(({ name }) => name)).toEqual(["job.failed", "job.failed"]);
  });
});

it("a schedule's jobs have its callbacks", async () => {
  receiver.answers(200);
  const schedule = await newSchedule(account, {
    interval: { value: 1, unit: "hour" },
    delivery: PUSH,
    callbacks: { completed: { url: DONE } },
  });
  const callbacks = { completed: { url: DONE, headers: {} } };
  expect((await schedule.show()).callbacks).toEqual(callbacks);
  await schedule.ringWhenSet();
  const [made] = await must(api<JobJson[]>("GET", `/v1/jobs?schedule_id=${schedule.id}`, { key: account.key }));
  expect(made?.callbacks).toEqual(callbacks);
  await new JobUnderTest(account, made?.id ?? "").ringWhenSet();
  await deliver(account);
  expect(arrivedAt(DONE)).toHaveLength(1);
  expect((await schedule.patch({ callbacks: null })).body.data.callbacks).toBeNull();
});
