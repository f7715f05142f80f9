// A statement whose answer was lost is sent again, and D1 may do what its first try asks much later: then nothing that has been deleted since
// is there again, and nothing runs once more (design, rule 10).

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../src/index.ts";
import { FlowUnderTest } from "./flows/flow.ts";
import { type Account, newAccount, remove } from "./harness/account.ts";
import { api, must } from "./harness/api.ts";
import { advance, DAY, HOUR, MINUTE, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { answerLost, appliedLate, LOST, OVERLOADED } from "./harness/database.ts";
import { JobUnderTest, newJob, PUSH } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";
import { newSchedule } from "./schedules/schedule.ts";

const JOB_INSERT = 'insert into "jobs"';

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "schedules", "accounts", "api_keys", "retention_walk", "look_ahead", "tombstones", "flows"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

const cron = () => worker.scheduled(createScheduledController(), env);

/** The cron comes by for two hours, and everybody rings whom it wakes. */
async function timePasses(job: JobUnderTest): Promise<void> {
  for (let waited = 0; waited < 2 * HOUR; waited += 10 * MINUTE) {
    advance(10 * MINUTE);
    await cron();
    if ((await job.alarm()) !== null) await job.ringWhenSet();
  }
}

async function isGoneForGood(job: JobUnderTest, runs: number): Promise<void> {
  expect((await job.call("GET")).status).toBe(404);
  await timePasses(job);
  expect([await job.row(), await job.isEmpty(), receiver.received.length]).toEqual([undefined, true, runs]);
}

describe("the insert of a job that has been deleted meanwhile", () => {
  it("which has run: it does not run again", async () => {
    const late = appliedLate(JOB_INSERT);
    const job = await newJob(account);
    await job.ring();
    expect((await job.remove()).status).toBe(200);
    await late.apply();
    await isGoneForGood(job, 1);
  });

  it("which was cancelled far ahead: it does not run when it would have been due", async () => {
    const late = appliedLate(JOB_INSERT);
    const job = await newJob(account, { delay: { value: 66, unit: "minute" } });
    await job.cancel();
    expect((await job.remove()).status).toBe(200);
    await late.apply();
    await isGoneForGood(job, 0);
  });

  it("of a batch: none of them is there again", async () => {
    const late = appliedLate(JOB_INSERT);
    const body = { jobs: [1, 2].map((n) => ({ name: `job ${n}`, delivery: PUSH })) };
    const made = await must(api<{ job: { id: string } }[]>("POST", "/v1/jobs/batch", { key: account.key, body }));
    const both = made.map(({ job }) => new JobUnderTest(account, job.id));
    for (const job of both) {
      await job.ring();
      await job.remove();
    }
    await late.apply();
    for (const job of both) expect((await job.call("GET")).status).toBe(404);
  });

  it("of a row that was restored: it is not there again", async () => {
    const job = await newJob(account, { delay: { value: 2, unit: "minute" } });
    await job.deleteRow();
    const late = appliedLate(JOB_INSERT);
    await job.owner.wake(job.ref);
    await expect.poll(() => job.row()).toBeDefined();
    await job.cancel();
    expect((await job.remove()).status).toBe(200);
    await late.apply();
    await isGoneForGood(job, 0);
  });

  it.each([OVERLOADED, LOST])("of a tick (%s): it is made once", async (words) => {
    const schedule = await newSchedule(account, { cron: "0 * * * *", name: "a schedule", delivery: PUSH });
    setClock(NOON + HOUR);
    const late = appliedLate(JOB_INSERT, words);
    await schedule.ring();
    advance(5 * SECOND);
    if ((await schedule.jobs()).length === 0) await schedule.ring();
    const [made] = await schedule.jobs();
    const job = new JobUnderTest(account, made?.id ?? "");
    await job.ring();
    expect((await job.remove()).status).toBe(200);
    await late.apply();
    expect(await schedule.jobs()).toEqual([]);
    await schedule.archive();
    await isGoneForGood(job, 1);
  });

  it("whose tick is made again, because nobody knows that it was: it is counted, and not made", async () => {
    const schedule = await newSchedule(account, { cron: "0 * * * *", name: "a schedule", delivery: PUSH });
    setClock(NOON + HOUR);
    const late = appliedLate(JOB_INSERT, OVERLOADED);
    await schedule.ring();
    await late.apply();
    const [made] = await schedule.jobs();
    const job = new JobUnderTest(account, made?.id ?? "");
    await job.owner.wake(job.ref);
    await job.ring();
    expect((await job.remove()).status).toBe(200);
    await schedule.ringAt(NOON + HOUR + 5 * SECOND);
    expect(await schedule.jobs()).toEqual([]);
    expect(await schedule.show()).toMatchObject({ run_count: 1, missed_runs: 0 });
  });
});

describe("another statement", () => {
  it("the insert of an API key that has been revoked: it opens nothing", async () => {
    const late = appliedLate('insert into "api_keys"');
    const made = await must(
      api<{ id: string; key: string }>("POST", "/v1/api-keys", { key: account.key, body: { name: "another" } }),
    );
    expect((await api("DELETE", `/v1/api-keys/${made.id}`, { key: account.key })).status).toBe(200);
    await late.apply();
    expect((await api("GET", "/v1/jobs", { key: made.key })).status).toBe(401);
    expect(await must(api<unknown[]>("GET", "/v1/api-keys", { key: account.key }))).toHaveLength(1);
  });

  it("the insert of an account that has been deleted: it has no key", async () => {
    const late = appliedLate('insert into "accounts"');
    const another = await newAccount();
    expect((await remove(another)).status).toBe(200);
    await late.apply();
    const left = await env.DB.prepare("SELECT count(*) AS n FROM api_keys WHERE account_id = ?").bind(another.id);
    expect(await left.first("n")).toBe(0);
  });

  it("the insert of a webhook that has been deleted: it is not told of anything", async () => {
    const late = appliedLate('insert into "webhooks"');
    const body = { url: "https://example.com/hook", events: ["job.completed"] };
    const { id } = await must(api<{ id: string }>("POST", "/v1/webhooks", { key: account.key, body }));
    expect((await api("DELETE", `/v1/webhooks/${id}`, { key: account.key })).status).toBe(200);
    await late.apply();
    expect(await must(api<unknown[]>("GET", "/v1/webhooks", { key: account.key }))).toEqual([]);
  });

  it("the deletion of a webhook whose first answer was lost is answered 200", async () => {
    const body = { url: "https://example.com/hook", events: ["job.completed"] };
    const { id } = await must(api<{ id: string }>("POST", "/v1/webhooks", { key: account.key, body }));
    const lost = answerLost('delete from "webhooks"', LOST);
    const answer = await api("DELETE", `/v1/webhooks/${id}`, { key: account.key });
    lost.end();
    expect(answer.status).toBe(200);
    expect((await api("DELETE", `/v1/webhooks/${id}`, { key: account.key })).status).toBe(404);
  });

  it("the row of a flow that has been deleted: it is not listed, and goes", async () => {
    const flow = new FlowUnderTest(account);
    const late = appliedLate('insert into "flows"');
    await flow.put({ concurrency: 1 });
    await flow.remove();
    for (let ring = 0; ring < 5 && !(await flow.isGone()); ring++) await flow.ring();
    await late.apply();
    const { body } = await api("GET", "/v1/flows", { key: account.key });
    expect(body).toMatchObject({ data: [], meta: { paging: { total: 0 } } });
    const rows = env.DB.prepare("SELECT count(*) AS n FROM flows");
    await until(async () => (await rows.first("n")) === 0);
  });

  it("the removal of a flow's row that was made again: it stays", async () => {
    const flow = new FlowUnderTest(account);
    await flow.put({ concurrency: 1 });
    const late = appliedLate('delete from "flows"');
    await flow.remove();
    await flow.put({ concurrency: 1 });
    await late.apply();
    expect(await must(api<unknown[]>("GET", "/v1/flows", { key: account.key }))).toHaveLength(1);
  });

  it("a retry by hand that has been tried and has failed: it is not tried once more", async () => {
    receiver.answers(400, 400);
    const job = await newJob(account);
    await job.ring();
    advance(DAY);
    const late = appliedLate('update "jobs" set "status" = ?');
    expect((await job.retry()).status).toBe(200);
    await job.ringUntilEmpty();
    await late.apply();
    await timePasses(job);
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 2 });
  });
});

it("what was deleted is remembered for an hour, and then forgotten", async () => {
  const tombstones = () => env.DB.prepare("SELECT count(*) AS n FROM tombstones").first("n");
  const job = await newJob(account);
  await job.ring();
  await job.remove();
  await cron();
  advance(HOUR);
  await cron();
  expect(await tombstones()).toBe(1);
  advance(HOUR + 1);
  await cron();
  expect(await tombstones()).toBe(0);
});

it("a job that ended long ago leaves nothing to be remembered", async () => {
  const job = await newJob(account);
  await job.ring();
  advance(HOUR + SECOND);
  expect((await job.remove()).status).toBe(200);
  expect(await env.DB.prepare("SELECT count(*) AS n FROM tombstones").first("n")).toBe(0);
});
