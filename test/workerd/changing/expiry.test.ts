// `expires_after` (contract §2): from its moment on no attempt starts, and what waits fails with `expired` then, not when somebody
// looks. Time passes as it does for the service: alarms ring when they are set for, the cron on each full minute.

import { createScheduledController } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import worker from "../../../src/index.ts";
import { World } from "../../faults/workerd/harness/world.ts";
import { type Account, newAccount, resume, suspend } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { type JobUnderTest, newJob } from "../harness/job.ts";
import { receiver } from "../harness/receiver.ts";

let account: Account;
let world: World;
beforeEach(async () => {
  await env.DB.batch([env.DB.prepare("DELETE FROM jobs"), env.DB.prepare("DELETE FROM look_ahead")]);
  account = await newAccount();
  world = new World(account);
});

const expiring = (value: number, unit = "second") => ({ expires_after: { value, unit } });
const PULL = { handler: "h", delivery: { type: "pull" } };
const cron = () => worker.scheduled(createScheduledController(), env);

/** It has failed with `expired`, within a second of its moment. */
async function hasExpiredAt(job: JobUnderTest, at: number): Promise<void> {
  const row = await job.row(); // before anybody asks its owner
  expect(row).toMatchObject({ status: "failed", lastError: { code: "expired" }, reportDueAt: null });
  const lateMs = (row?.completedAt ?? 0) - at;
  expect(lateMs).toBeGreaterThanOrEqual(0);
  expect(lateMs).toBeLessThan(SECOND);
  const shown = await job.show();
  expect(shown).toMatchObject({ status: "failed", run_at: null, last_error: { code: "expired" }, expires_at: iso(at) });
}

describe("fails with expired at its moment", () => {
  it("a job whose target is down: no retry starts that would be too late", async () => {
    receiver.answers(500);
    const job = await newJob(account, { ...expiring(20), max_retries: 50 });
    await world.passUntil(NOON + 20 * SECOND - 1);
    expect((await job.show()).status).toBe("retrying");
    const sent = receiver.received.length;
    expect(sent).toBeGreaterThanOrEqual(4);
    await world.passUntil(NOON + 21 * SECOND);
    await hasExpiredAt(job, NOON + 20 * SECOND);
    await world.passUntil(NOON + HOUR);
    expect(receiver.received).toHaveLength(sent);
    const executions = await job.executions();
    expect(executions.map(({ error }) => error?.code)).toEqual(Array(sent).fill("http_status"));
    expect((await job.show()).last_error?.message).toContain("500");
  });

  it("one of two seconds, whose target is down", async () => {
    receiver.answers(500);
    const job = await newJob(account, { ...expiring(2), max_retries: 50 });
    await world.passUntil(NOON + 3 * SECOND);
    await hasExpiredAt(job, NOON + 2 * SECOND);
  });

  it("one that waits for a worker: its execution is cancelled, and a worker that comes later finds nothing", async () => {
    const job = await newJob(account, { ...PULL, ...expiring(2) });
    await world.passUntil(NOON + SECOND);
    expect((await job.show()).status).toBe("queued");
    await world.passUntil(NOON + 3 * SECOND);
    await hasExpiredAt(job, NOON + 2 * SECOND);
    expect(await job.executions()).toMatchObject([{ status: "cancelled", started_at: null }]);
    const body = { handlers: ["h"], wait_time_seconds: 0 };
    expect((await api("POST", "/v1/worker/jobs/claim", { key: account.key, body })).body.data).toBeNull();
  });

  it("one that waits in a queue for hours", async () => {
    const job = await newJob(account, { ...PULL, ...expiring(100, "minute") });
    await world.passUntil(NOON + 100 * MINUTE + SECOND);
    await hasExpiredAt(job, NOON + 100 * MINUTE);
  });

  it("one held by a suspended account, and it does not run when the account is resumed", async () => {
    await suspend(account);
    await resume(account);
    const [soon, later] = [
      await newJob(account, { ...expiring(2) }),
      await newJob(account, { ...expiring(1, "hour"), delay: { value: 1, unit: "minute" } }),
    ];
    await suspend(account);
    await world.passUntil(NOON + 3 * SECOND);
    await resume(account);
    await hasExpiredAt(soon, NOON + 2 * SECOND);
    await suspend(account);
    await world.passUntil(NOON + HOUR + MINUTE + SECOND);
    await resume(account);
    await hasExpiredAt(later, NOON + HOUR + MINUTE);
    await world.passUntil(NOON + 1.5 * HOUR);
    expect(receiver.received).toEqual([]);
  });

  it("one whose owner is woken late: it is not delivered any more", async () => {
    const job = await newJob(account, expiring(60));
    await job.ringAt(NOON + 60 * SECOND);
    expect(receiver.received).toEqual([]);
    await hasExpiredAt(job, NOON + 60 * SECOND);
  });

  it("one nobody armed, found by the sweep after its moment", async () => {
    const deaf = { getByName: () => ({ arm: () => Promise.reject(new Error("lost")) }) };
    const body = { name: "a job", handler: "h", ...expiring(5) };
    const made = await api<{ id: string }>("POST", "/v1/jobs", { key: account.key, body, env: { JOBS: deaf } });
    setClock(NOON + MINUTE);
    await cron();
    await world.passUntil(NOON + 2 * MINUTE);
    const shown = await api("GET", `/v1/jobs/${made.body.data.id}`, { key: account.key });
    expect(shown.body.data).toMatchObject({ status: "failed", attempts: 0, last_error: { code: "expired" } });
  });

  it("also while D1 is down, and the list knows a minute after its return", async () => {
    const job = await newJob(account, { ...PULL, ...expiring(10, "minute") });
    await world.passUntil(NOON + MINUTE);
    const down = databaseDown();
    await world.passUntil(NOON + HOUR);
    down.end();
    await world.passUntil(NOON + HOUR + 2 * MINUTE);
    await hasExpiredAt(job, NOON + 10 * MINUTE);
  });

  it("and whoever looks a millisecond later sees it, even if the alarm is late", async () => {
    const job = await newJob(account, { ...PULL, ...expiring(10) });
    await job.ring();
    setClock(NOON + 10 * SECOND - 1);
    expect((await job.show()).status).toBe("queued");
    setClock(NOON + 10 * SECOND);
    expect(await job.show()).toMatchObject({ status: "failed", completed_at: iso(NOON + 10 * SECOND) });
  });
});

describe("an attempt that has begun in time", () => {
  it("goes on beyond the moment, and may complete", async () => {
    const held = receiver.holds();
    const job = await newJob(account, expiring(2));
    const ringing = job.ring();
    await held.arrived();
    advance(10 * SECOND);
    expect((await job.show()).status).toBe("running");
    held.release(200);
    await ringing;
    expect(await job.show()).toMatchObject({ status: "completed", last_error: null });
  });

  it("or fail: then there is no other, and the job fails at once", async () => {
    const held = receiver.holds();
    const job = await newJob(account, expiring(2));
    const ringing = job.ring();
    await held.arrived();
    advance(10 * SECOND);
    held.release(500);
    await ringing;
    expect(await job.row()).toMatchObject({ status: "failed", completedAt: NOON + 10 * SECOND, attempt: 1 });
    expect(await job.executions()).toMatchObject([{ status: "failed", error: { code: "http_status" } }]);
  });

  it("a lease that ends too late for a retry ends the job", async () => {
    const job = await newJob(account, { ...PULL, ...expiring(20), timeout: 30 });
    await job.ring();
    const [execution] = await job.executions();
    await job.owner.lease(job.ref, execution?.id ?? "", null);
    await world.passUntil(NOON + 31 * SECOND);
    expect(await job.row()).toMatchObject({ status: "failed", lastError: { code: "expired" } });
    expect(await job.executions()).toMatchObject([{ status: "timed_out", error: { code: "lease_expired" } }]);
  });
});

describe("a manual retry of an expired job", () => {
  it.each([
    ["at once", 0],
    ["after its owner has forgotten it", HOUR],
  ])("%s has a fresh budget of time and of retries", async (_, waitMs) => {
    receiver.answers(500);
    const job = await newJob(account, { ...expiring(20), max_retries: 50 });
    await world.passUntil(NOON + 21 * SECOND);
    const tried = (await job.executions()).map(({ id, error }) => [id, error?.code]);
    advance(waitMs);
    const retriedAt = Date.now();
    expect((await job.retry()).body.data).toMatchObject({
      status: "pending",
      expires_at: iso(retriedAt + 20 * SECOND),
      scheduled_for: iso(NOON),
    });
    const then = (await job.executions()).map(({ id, error }) => [id, error?.code]);
    expect(then, "what is known of the attempts before stays").toEqual(tried);
    await world.passUntil(retriedAt + 20 * SECOND - 1);
    expect((await job.show()).status).toBe("retrying");
    await world.passUntil(retriedAt + 21 * SECOND);
    await hasExpiredAt(job, retriedAt + 20 * SECOND);
    const all = await job.executions();
    expect(all.length).toBeGreaterThan(tried.length + 3);
    expect(all[tried.length]).toMatchObject({ trigger: "manual_retry", due_at: iso(retriedAt) });
    expect(all.map(({ error }) => error?.code)).toEqual(all.map(() => "http_status"));
  });

  it.each([0, HOUR])("after %i ms it shows its one attempt as it was", async (waitMs) => {
    receiver.answers(() => new Response("x".repeat(3_000), { status: 500 }));
    const job = await newJob(account, { ...expiring(2), backoff: { type: "list", delays: [10] } });
    await world.passUntil(NOON + 3 * SECOND);
    const executions = await job.executions();
    expect(executions).toMatchObject([{ error: { code: "http_status" }, response: { status: 500 } }]);
    advance(waitMs);
    await job.retry();
    expect((await job.executions()).slice(0, executions.length)).toEqual(executions);
  });

  it("that never had an attempt is a manual retry all the same", async () => {
    for (const waitMs of [0, HOUR]) {
      const job = await newJob(account, { ...PULL, ...expiring(2) });
      await suspend(account);
      await world.passUntil(Date.now() + 3 * SECOND);
      await resume(account);
      advance(waitMs);
      expect((await job.retry()).status).toBe(200);
      await job.ring();
      expect(await job.executions()).toMatchObject([{ attempt: 1, trigger: "manual_retry" }]);
    }
  });
});

describe("a far job", () => {
  it("expires after its time, counted from that, whatever it was before an edit", async () => {
    const job = await newJob(account, { ...PULL, ...expiring(10, "minute"), delay: { value: 70, unit: "minute" } });
    await job.edit({ scheduled_for: iso(NOON + 80 * MINUTE) });
    expect(await job.row()).toMatchObject({ expiresAt: NOON + 90 * MINUTE, revision: -1 });
    await world.passUntil(NOON + 90 * MINUTE + SECOND);
    await hasExpiredAt(job, NOON + 90 * MINUTE);
  });

  it("may be given an expiry, and freed of it", async () => {
    const job = await newJob(account, { ...PULL, delay: { value: 70, unit: "minute" } });
    expect((await job.edit(expiring(60))).body.data.expires_at).toBe(iso(NOON + 71 * MINUTE));
    expect((await job.edit({ name: "new" })).body.data.expires_at).toBe(iso(NOON + 71 * MINUTE));
    expect((await job.edit({ expires_after: null })).body.data.expires_at).toBeNull();
    await world.passUntil(NOON + 80 * MINUTE);
    expect((await job.show()).status).toBe("queued");
  });
});
