// What a bulk action does to jobs in every state, and how it counts them: done, or skipped because the state forbids it or the
// job is gone.

import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { newJobId } from "../../../src/objects/new-id.ts";
import { type Account, newAccount, suspend } from "../harness/account.ts";
import { api } from "../harness/api.ts";
import { advance, HOUR, iso, MINUTE, NOON, SECOND, setClock } from "../harness/clock.ts";
import { type JobUnderTest, newJob, unarmedJob } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { receiver } from "../harness/receiver.ts";
import { insertMany } from "../harness/rows.ts";
import { LATER, newBulkAction, newJobs, SOON, statusesOf } from "./bulk-action.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const ACTIONS = ["cancel", "retry", "run", "delete"] as const;
type Action = (typeof ACTIONS)[number];

const PULL = { handler: "h", delivery: { type: "pull" } };
/** Longer than an owner holds what has ended. */
const LONG_AGO = 10 * MINUTE;

const STATES: Record<string, { made: () => Promise<JobUnderTest>; becomes: Partial<Record<Action, string>> }> = {
  "pending, far ahead": { made: () => newJob(account, LATER), becomes: { cancel: "cancelled", run: "pending" } },
  "pending, held by its owner": {
    made: () => newJob(account, { scheduled_for: iso(NOON + HOUR) }),
    becomes: { cancel: "cancelled", run: "pending" },
  },
  "pending, never armed": { made: () => unarmedJob(account), becomes: { cancel: "cancelled", run: "pending" } },
  queued: {
    made: async () => {
      const job = await newJob(account, PULL);
      await job.ring();
      return job;
    },
    becomes: { cancel: "cancelled" },
  },
  retrying: {
    made: async () => {
      receiver.answers(500);
      const job = await newJob(account, { backoff: { type: "list", delays: [86_400] } });
      await job.ring();
      return job;
    },
    becomes: { cancel: "cancelled", run: "pending" },
  },
  completed: {
    made: async () => {
      const job = await newJob(account);
      await job.ring();
      return job;
    },
    becomes: { delete: "gone" },
  },
  failed: {
    made: async () => {
      receiver.answers(400);
      const job = await newJob(account);
      await job.ring();
      return job;
    },
    becomes: { retry: "pending", delete: "gone" },
  },
  cancelled: {
    made: async () => {
      const job = await newJob(account, SOON);
      await job.cancel();
      return job;
    },
    becomes: { retry: "pending", delete: "gone" },
  },
};

const statusOf = async (job: JobUnderTest): Promise<string> => {
  const { status, body } = await job.call("GET");
  return status === 404 ? "gone" : body.data.status;
};

describe.each(ACTIONS)("%s", (action) => {
  describe.each([
    ["at once", 1],
    ["long after", LONG_AGO],
  ])("%s", (_, pause) => {
    it.each(Object.entries(STATES))("of a job that is %s", async (_, { made, becomes }) => {
      const job = await made();
      const before = await statusOf(job);
      advance(pause);
      const bulk = await newBulkAction(account, { action, job_ids: [job.id] });
      const after = becomes[action];
      const [done, skipped] = after === undefined ? [0, 1] : [1, 0];
      expect(await bulk.runToItsEnd()).toMatchObject({ status: "completed", matched: 1, done, skipped, failed: 0 });
      expect(await statusOf(job)).toBe(after ?? before);
    });
  });

  it("of jobs that are not there, or are another account's, skips them and asks nobody", async () => {
    const [foreign] = await newJobs(await newAccount(), 1, LATER);
    const asked = vi.spyOn(env.JOBS, "getByName");
    const job_ids = [foreign?.id, newJobId(NOON), "00000000-0000-4000-8000-000000000000"];
    const bulk = await newBulkAction(account, { action, job_ids });
    expect(await bulk.runToItsEnd()).toMatchObject({ matched: 3, done: 0, skipped: 3, failed: 0 });
    expect(asked).not.toHaveBeenCalled();
    expect(await foreign?.show()).toMatchObject({ status: "pending" });
  });
});

it("jobs that run are cancelled, and their attempts end", async () => {
  const held = receiver.holds();
  const job = await newJob(account);
  const rung = job.ring();
  const { signal } = await held.arrived();
  const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
  expect(await bulk.runToItsEnd()).toMatchObject({ matched: 1, done: 1 });
  expect(signal.aborted).toBe(true);
  await rung;
  expect(await job.show()).toMatchObject({ status: "cancelled" });
  expect(await job.executions()).toMatchObject([{ status: "cancelled" }]);
});

it("jobs that ended long ago are passed over without waking anybody", async () => {
  await insertMany(account, 250, { status: "completed", createdAt: NOON - HOUR, completedAt: NOON - HOUR });
  const [live] = await newJobs(account, 1, SOON);
  const asked = vi.spyOn(env.JOBS, "getByName");
  const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
  expect(await bulk.runToItsEnd()).toMatchObject({ matched: 251, done: 1, skipped: 250 });
  expect(asked.mock.calls.map(([name]) => name)).toEqual([`${account.id}/${live?.id}`]);
});

it("many pages are walked in one ring, and each job is asked once", async () => {
  const jobs = await newJobs(account, 230, LATER);
  const bulk = await newBulkAction(account, { action: "cancel", filter: { status: "pending" } });
  await bulk.ring();
  expect(await bulk.show()).toMatchObject({ status: "completed", matched: 230, done: 230 });
  expect(new Set(await statusesOf(jobs))).toEqual(new Set(["cancelled"]));
  for (const job of jobs) expect(await job.row()).toMatchObject({ revision: 2, operation: bulk.id });
});

it("jobs made by a schedule and by hand are all of an account's", async () => {
  const body = { name: "s", handler: "h", interval: { value: 1, unit: "minute" } };
  const { id } = (await api<{ id: string }>("POST", "/v1/schedules", { key: account.key, body })).body.data;
  const [manual] = await newJobs(account, 1, LATER);
  setClock(NOON + MINUTE);
  const schedule = env.SCHEDULES.getByName(`${account.id}/${id}`);
  await runDurableObjectAlarm(schedule);
  const dry = { action: "cancel", filter: { all: true }, dry_run: true };
  advance(1);
  const { body: counted } = await api<{ matched: number }>("POST", "/v1/bulk-actions", { key: account.key, body: dry });
  expect(counted.data.matched).toBe(2);
  const bulk = await newBulkAction(account, { action: "cancel", filter: { schedule_id: id } });
  expect(await bulk.runToItsEnd()).toMatchObject({ matched: 1, done: 1 });
  expect(await manual?.show()).toMatchObject({ status: "pending" });
});

describe("while the account is suspended, everything goes on:", () => {
  it.each(ACTIONS)("%s", async (action) => {
    const live = await newJob(account, LATER);
    const over = await newJob(account, SOON);
    await over.cancel();
    const bulk = await newBulkAction(account, { action, job_ids: [live.id, over.id] });
    await suspend(account);
    await bulk.ring();
    expect((await bulk.row())?.state).toMatchObject({ status: "completed", done: 1, skipped: 1 });
  });
});

it("an end is told in the log, with its numbers and nobody's data", async () => {
  await newJobs(account, 2, { ...LATER, name: "secret" });
  const bulk = await newBulkAction(account, { action: "cancel", filter: { name: "secret" } });
  advance(SECOND);
  await bulk.runToItsEnd();
  expect(logs.of("bulk_action")).toEqual([
    {
      level: "info",
      event: "bulk_action",
      account_id: account.id,
      bulk_action_id: bulk.id,
      action: "cancel",
      status: "completed",
      matched: 2,
      done: 2,
      skipped: 0,
      failed: 0,
      duration_ms: SECOND,
    },
  ]);
});
