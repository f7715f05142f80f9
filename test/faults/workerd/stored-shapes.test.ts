// What an earlier deployment stored or sent is read by this one; what a later one did is left alone. A fixture, once
// there, never changes: it stands for the state of somebody's job.

import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { BULK_ACTION_VERSION, JOB_VERSION, SCHEDULE_VERSION } from "../../../src/domain/upgrade.ts";
import worker from "../../../src/index.ts";
import { insertBulkAction, readBulkAction } from "../../../src/store/bulk-actions-store.ts";
import { directoryOf } from "../../../src/store/databases.ts";
import { insertSchedule } from "../../../src/store/schedules-store.ts";
import { jsonText } from "../../harness/json-text.ts";
import { NOON, SECOND, setClock } from "../../workerd/harness/clock.ts";
import { JobUnderTest } from "../../workerd/harness/job.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { insertRows } from "../../workerd/harness/rows.ts";
import bulkAction from "../fixtures/bulk-action-v1.json" with { type: "json" };
import completed from "../fixtures/job-v1-completed.json" with { type: "json" };
import queued from "../fixtures/job-v1-queued.json" with { type: "json" };
import retrying from "../fixtures/job-v1-retrying.json" with { type: "json" };
import runningPull from "../fixtures/job-v1-running-pull.json" with { type: "json" };
import runningPush from "../fixtures/job-v1-running-push.json" with { type: "json" };
import waiting from "../fixtures/job-v1-waiting.json" with { type: "json" };
import offer from "../fixtures/offer-v1.json" with { type: "json" };
import presence from "../fixtures/presence-v1.json" with { type: "json" };
import jobReport from "../fixtures/report-job-v1.json" with { type: "json" };
import scheduleReport from "../fixtures/report-schedule-v1.json" with { type: "json" };
import schedule from "../fixtures/schedule-v1.json" with { type: "json" };

const account = { id: waiting.accountId, key: "", secret: "" };

beforeEach(async () => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  await env.DB.prepare("DELETE FROM jobs").run();
  await env.DB.prepare("DELETE FROM schedules").run();
  await env.DB.prepare(
    `INSERT INTO accounts (id, name, status, master_key_id, created_at) VALUES (?, 'fixture', 'active', ?, 0)
     ON CONFLICT DO NOTHING`,
  )
    .bind(account.id, waiting.signing.masterKeyId)
    .run();
});

type Stored = { v: number; id: string };

/** An object that wakes up with this in its storage, its alarm about to ring. */
async function holding(state: Stored): Promise<JobUnderTest> {
  post.stop(); // an end that was reported would be let go
  const job = new JobUnderTest(account, state.id);
  await runInDurableObject(job.owner, async (_, { storage }) => {
    await storage.deleteAll();
    storage.kv.put("state", state);
    await storage.setAlarm(Date.now() + 1);
  });
  await job.evict();
  return job;
}

const shownBy = ({ owner }: JobUnderTest) => owner.get();

async function arrive(body: object) {
  const message = { body, ack: vi.fn(), retry: vi.fn() };
  await worker.queue({ messages: [message] } as unknown as MessageBatch<never>, env);
  return { acked: message.ack.mock.calls.length === 1, again: message.retry.mock.calls.length === 1 };
}

describe("a job as version 1 stored it", () => {
  it.each([
    ["waiting", waiting, "completed"],
    ["waiting for its retry", retrying, "completed"],
  ])("%s runs when its alarm rings", async (_, state, status) => {
    const job = await holding(state);
    await job.ringAt(state.phase.runAt);
    expect(await shownBy(job)).toMatchObject({ status, payload: state.payload, idempotencyKey: state.idempotencyKey });
    expect(receiver.received).toHaveLength(1);
    expect(JSON.parse(receiver.received[0]?.body ?? "")).toMatchObject({ attempt: state.attempt + 1 });
    expect(receiver.received[0]?.headers.get("traceparent")).toBe(state.traceparent);
  });

  it("with a push in flight is found interrupted, and runs again", async () => {
    const job = await holding(runningPush);
    await job.ringAt(runningPush.phase.startedAt + SECOND);
    await job.ringWhenSet();
    expect(await shownBy(job)).toMatchObject({ status: "completed", attempts: 2 });
  });

  it("queued is taken by a worker", async () => {
    const job = await holding(queued);
    expect(await arrive(offer)).toEqual({ acked: true, again: false });
    const leased = await job.owner.lease(job.ref, offer.executionId, "worker-8");
    expect(leased).toMatchObject({ ok: true, value: { attempt: 1, leaseEndsAt: NOON + 30 * SECOND } });
  });

  it("in a worker's hands is completed by its report", async () => {
    const job = await holding(runningPull);
    const [{ id = "", progress } = {}] = runningPull.executions;
    expect(await job.owner.complete(job.ref, id, jsonText({ ok: true }))).toMatchObject({
      ok: true,
      value: { status: "completed", traceparent: runningPull.traceparent },
    });
    expect((await job.owner.executions())?.held).toMatchObject([{ id, status: "completed", progress }]);
  });

  it("completed, and not confirmed, reports its end and is let go", async () => {
    await insertRows(account, [{ id: completed.id, revision: 3, status: "running" }]);
    const job = await holding(completed);
    expect(await shownBy(job)).toMatchObject({ status: "completed", result: completed.phase.result });
    post.goOn();
    await job.ringAt(completed.reportAt);
    expect(await job.row()).toMatchObject({ status: "completed", revision: 4, result: completed.phase.result });
    expect(await job.isEmpty()).toBe(true);
  });
});

/** The projector, as an owner of another deployment calls it. */
const reported = (report: object) => env.PROJECTORS.get(env.PROJECTORS.idFromName("DB")).report(report as never, 1_000);

describe("a report of version 1", () => {
  it("on a job is applied", async () => {
    await insertRows(account, [{ id: jobReport.id, revision: 1 }]);
    expect(await reported(jobReport)).toBe("stored");
    const job = new JobUnderTest(account, jobReport.id);
    expect(await job.row()).toMatchObject({ ...jobReport.facts, revision: 3 });
  });

  it("on a schedule is applied", async () => {
    await insertSchedule(directoryOf(env), schedule as never);
    expect(await reported(scheduleReport)).toBe("stored");
    const row = await env.DB.prepare("SELECT revision FROM schedules WHERE id = ?").bind(schedule.id).first("revision");
    expect(row).toBe(scheduleReport.revision);
  });

  it("that says more than we know is applied, and what we do not know is left out", async () => {
    await insertRows(account, [{ id: jobReport.id, revision: 1 }]);
    const more = { ...jobReport, v: 2, facts: { ...jobReport.facts, priority: 9 }, unheard: { of: true } };
    expect(await reported(more)).toBe("stored");
    expect(await new JobUnderTest(account, jobReport.id).row()).toMatchObject({ ...jobReport.facts, revision: 3 });
  });
});

it("a schedule as version 1 stored it makes its tick's job", async () => {
  await insertSchedule(directoryOf(env), schedule as never);
  const owner = env.SCHEDULES.getByName(`${account.id}/${schedule.id}`);
  await owner.wake({ accountId: account.id, scheduleId: schedule.id });
  setClock(schedule.nextRunAt);
  await runInDurableObject(owner, (instance) => instance.alarm());
  const made = await env.DB.prepare("SELECT idempotency_key AS key, payload FROM jobs WHERE schedule_id = ?")
    .bind(schedule.id)
    .first();
  expect(made).toEqual({ key: `${schedule.id}.${schedule.nextRunAt}`, payload: schedule.payload });
});

it("a bulk action as version 1 stored it asks its page, and is over", async () => {
  const job = await holding(waiting);
  await insertRows(account, [{ id: waiting.id }]);
  const owner = env.BULK_ACTIONS.getByName(`${account.id}/${bulkAction.id}`);
  await insertBulkAction(directoryOf(env), bulkAction as never);
  await runInDurableObject(owner, async (instance, { storage }) => {
    storage.kv.put("state", bulkAction);
    await instance.alarm();
  });
  expect((await shownBy(job))?.status).toBe("cancelled");
  const told = await readBulkAction(directoryOf(env), { accountId: account.id, bulkActionId: bulkAction.id });
  expect(told).toMatchObject({ ok: true, value: { status: "completed", matched: 1, done: 1, skipped: 0 } });
});

it("a PullQueue's polls as version 1 stored them are remembered, and what was noted of its handler", async () => {
  const queue = () => env.PULL_QUEUES.getByName(`${account.id}/stored`);
  await runInDurableObject(queue(), (_, { storage }) => {
    storage.kv.put("presence", presence);
    storage.kv.put("registered", NOON);
  });
  await evictDurableObject(queue());
  const { lastPollAt, workers } = presence;
  expect(await queue().view()).toMatchObject({ lastPollAt, lastPollBy: NOON, workers, waiting: 0 });
  await queue().nominate("a poll", 1, 0);
  const listed = await env.DB.prepare("SELECT 1 FROM handlers WHERE account_id = ? AND handler = 'stored'")
    .bind(account.id)
    .all();
  expect(listed.results).toEqual([]);
});

describe("what a newer deployment wrote", () => {
  it.each([["a job's state", { ...waiting, v: JOB_VERSION + 1, phase: { name: "unheard of" } }]])(
    "%s is left untouched, and looked at again in 30 seconds",
    async (_, state) => {
      const job = await holding(state);
      await job.ring();
      const kept = await runInDurableObject(job.owner, (_, { storage }) => storage.kv.get("state"));
      expect(kept).toEqual(state);
      expect(await job.alarm()).toBe(NOON + 30 * SECOND);
      expect(receiver.received).toHaveLength(0);
    },
  );

  it("a bulk action's state is left untouched, too", async () => {
    const state = { ...bulkAction, v: BULK_ACTION_VERSION + 1, status: "unheard of" };
    const owner = env.BULK_ACTIONS.getByName(`${account.id}/0f0e0d0c-0000-4000-8000-000000000398`);
    await runInDurableObject(owner, async (instance, { storage }) => {
      storage.kv.put("state", state);
      await instance.alarm();
      expect(storage.kv.get("state")).toEqual(state);
      expect(await storage.getAlarm()).toBe(NOON + 30 * SECOND);
    });
  });

  it("a schedule's state is left untouched, too", async () => {
    const state = { ...schedule, v: SCHEDULE_VERSION + 1, status: "unheard of" };
    const owner = env.SCHEDULES.getByName(`${account.id}/0f0e0d0c-0000-4000-8000-000000000399`);
    await runInDurableObject(owner, async (instance, { storage }) => {
      storage.kv.put("state", state);
      await instance.alarm();
      expect(storage.kv.get("state")).toEqual(state);
      expect(await storage.getAlarm()).toBe(NOON + 30 * SECOND);
    });
  });

  it.each([
    ["an offer", { ...offer, v: 2 }],
    ["a kind of message nobody here knows", { kind: "unheard of", v: 2 }],
  ])("%s stays on its queue", async (_, body) => {
    expect(await arrive(body)).toEqual({ acked: false, again: true });
  });
});
