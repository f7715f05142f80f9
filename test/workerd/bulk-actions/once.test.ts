// A page of jobs is asked again after a crash. Whatever happened to a job since: it is not changed a second time, and it counts as
// done exactly if the bulk action has changed it.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it } from "vitest";
import type { BulkKind } from "../../../src/domain/bulk-action.ts";
import { cancelJob, deleteJob, retryJob, runJob } from "../../../src/objects/job/change-job.ts";
import { newJobId } from "../../../src/objects/new-id.ts";
import { type Account, newAccount } from "../harness/account.ts";
import { advance, DAY, HOUR, iso, MINUTE, NOON, SECOND } from "../harness/clock.ts";
import { answerLost } from "../harness/database.ts";
import { JobUnderTest, newJob } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";
import { insertRows } from "../harness/rows.ts";
import { claim } from "../pull/worker.ts";
import { gapAt } from "../schedules/faults.ts";
import { sweep } from "../schedules/schedule.ts";
import { type BulkActionUnderTest, LATER, newBulkAction, postBulkAction, SOON } from "./bulk-action.ts";

let account: Account;
beforeEach(async () => {
  const tables = ["jobs", "executions", "bulk_actions", "look_ahead", "retention_walk"];
  await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

const CHANGES = { cancel: cancelJob, retry: retryJob, run: runJob, delete: deleteJob };

const change = (action: BulkKind, { ref }: JobUnderTest, operation: string) =>
  CHANGES[action]({ env, ref, later: () => {}, operation }, null);

/** Of this job a bulk action has begun a page, has changed the job, and has died before it counted. */
async function diedAfter(action: BulkKind, job: JobUnderTest): Promise<BulkActionUnderTest> {
  const bulk = await newBulkAction(account, { action, job_ids: [job.id] });
  const state = await bulk.stored();
  await bulk.store({ ...state, rest: null, page: { jobIds: [job.id], tries: 0 }, matched: 1, revision: 1 });
  expect(await change(action, job, bulk.id)).toMatchObject({ ok: true });
  return bulk;
}

const DONE = { status: "completed", matched: 1, done: 1, skipped: 0, failed: 0 };
const SKIPPED = { ...DONE, done: 0, skipped: 1 };

async function failedJob(): Promise<JobUnderTest> {
  receiver.answers(400);
  const job = await newJob(account);
  await job.ring();
  receiver.answers(200);
  return job;
}

describe("a cancelled job", () => {
  it.each([
    ["far ahead", LATER],
    ["held by its owner", SOON],
  ])("%s, is not cancelled again", async (_, body) => {
    const job = await newJob(account, body);
    const bulk = await diedAfter("cancel", job);
    const before = await job.show();
    advance(SECOND);
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await job.show()).toEqual(before);
  });

  it("that somebody has taken back to life stays alive, and its attempt goes on", async () => {
    const job = await newJob(account, SOON);
    const bulk = await diedAfter("cancel", job);
    await job.retry();
    const held = receiver.holds();
    const rung = job.ring();
    const { signal } = await held.arrived();
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(signal.aborted).toBe(false);
    held.release(200);
    await rung;
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("that waits for a worker again stays in its queue", async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    await job.ring();
    const bulk = await diedAfter("cancel", job);
    await job.retry();
    await job.ring();
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    const { body } = await claim<{ job_id: string } | null>(account, { handlers: ["h"] });
    expect(body.data?.job_id).toBe(job.id);
  });

  it.each([1, 3])("that %i other bulk actions have changed since is left to them", async (others) => {
    const job = await newJob(account, SOON);
    const bulk = await diedAfter("cancel", job);
    for (let i = 0; i < others; i++) {
      const action = i % 2 === 0 ? "retry" : "cancel";
      const other = await newBulkAction(account, { action, job_ids: [job.id] });
      expect(await other.runToItsEnd()).toMatchObject({ done: 1 });
    }
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await job.show()).toMatchObject({ status: "pending" });
  });

  it("whose execution is over is logged once", async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    await job.ring();
    post.stop(); // so its owner still holds it
    const bulk = await diedAfter("cancel", job);
    await bulk.runToItsEnd();
    expect([(await job.stored())?.phase.name, logs.of("execution").length]).toEqual(["cancelled", 1]);
  });
});

describe("a retried job", () => {
  it("that its owner had forgotten is not retried again", async () => {
    const job = await failedJob();
    advance(MINUTE);
    expect(await job.isEmpty()).toBe(true);
    const bulk = await diedAfter("retry", job);
    const before = await job.show();
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await job.show()).toEqual(before);
  });

  it.each([
    ["has failed again", 400, "failed"],
    ["has completed", 200, "completed"],
  ])("that %s, and is forgotten once more, runs once", async (_, answer, status) => {
    const job = await failedJob();
    advance(MINUTE);
    const bulk = await diedAfter("retry", job);
    receiver.answers(answer);
    await job.ring();
    advance(MINUTE);
    await job.ringUntilEmpty().catch(() => {});
    expect(await job.isEmpty()).toBe(true);
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await job.show()).toMatchObject({ status, attempts: 2 });
  });

  it("whose owner died before it held it, is taken up by the sweeper, and runs once", async () => {
    const job = await failedJob();
    advance(MINUTE);
    const bulk = await diedAfter("retry", job);
    await job.wipe();
    advance(3 * MINUTE);
    await sweep();
    await job.ring();
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });

  it("that somebody else has retried between the look and the claim counts as skipped", async () => {
    const job = await failedJob();
    advance(MINUTE);
    const bulk = await newBulkAction(account, { action: "retry", job_ids: [job.id] });
    const gap = gapAt("before", 'update "jobs"');
    const rung = bulk.ring();
    await gap.reached();
    const late =
      "UPDATE jobs SET status = 'pending', revision = revision + 1, run_at = ?2, completed_at = NULL WHERE id = ?1";
    await env.DB.prepare(late).bind(job.id, Date.now()).run();
    gap.leave();
    await rung;
    expect(await bulk.show()).toMatchObject(SKIPPED);
  });

  it("that somebody else retries in the same moment counts as skipped", async () => {
    const job = await failedJob();
    advance(MINUTE);
    const bulk = await newBulkAction(account, { action: "retry", job_ids: [job.id] });
    const gap = gapAt("before", 'update "jobs"');
    const byHand = job.retry();
    await gap.reached();
    const rung = bulk.ring();
    await scheduler.wait(20);
    gap.leave();
    expect((await byHand).status).toBe(200);
    await rung;
    expect(await bulk.runToItsEnd()).toMatchObject(SKIPPED);
    expect((await job.row())?.operation).toBeNull();
  });
});

describe("a job that is run", () => {
  it("and is far ahead again is not run a second time", async () => {
    const bulk = await newBulkAction(account, { action: "run", job_ids: [newJobId(NOON)] });
    const far = { operation: `x ${bulk.id}`, revision: -1, runAt: NOON + DAY, reportDueAt: NOON + DAY };
    const [id = ""] = await insertRows(account, [far]);
    await bulk.store({
      ...(await bulk.stored()),
      rest: null,
      page: { jobIds: [id], tries: 0 },
      matched: 1,
      revision: 1,
    });
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await new JobUnderTest(account, id).row()).toMatchObject({ revision: -1, runAt: NOON + DAY });
  });

  it("far ahead, in its row, is due once although nobody woke its owner", async () => {
    const job = await newJob(account, LATER);
    const bulk = await newBulkAction(account, { action: "run", job_ids: [job.id] });
    const state = await bulk.stored();
    await bulk.store({ ...state, rest: null, page: { jobIds: [job.id], tries: 0 }, matched: 1, revision: 1 });
    const deaf = { getByName: () => ({ wake: () => Promise.reject(new Error("lost")) }) };
    const around = { ...env, JOBS: deaf } as unknown as Cloudflare.Env;
    await runJob({ env: around, ref: job.ref, later: () => {}, operation: bulk.id });
    expect(await job.isEmpty()).toBe(true);
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1, scheduled_for: iso(NOON + DAY) });
  });

  it("and has ended since does not run again", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    const bulk = await diedAfter("run", job);
    await job.ring();
    advance(MINUTE);
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });
});

describe("a deleted job", () => {
  it("is found no more, and counts as done", async () => {
    const job = await failedJob();
    const bulk = await diedAfter("delete", job);
    expect(await bulk.runToItsEnd()).toMatchObject(DONE);
  });

  it("that somebody else deleted before it was asked for the first time counts as skipped", async () => {
    const job = await failedJob();
    const bulk = await newBulkAction(account, { action: "delete", filter: { all: true } });
    const gap = gapAt("before", 'select "account_id", "id"');
    const rung = bulk.ring();
    await gap.reached();
    await job.deleteRow();
    gap.leave();
    await rung;
    expect(await bulk.show()).toMatchObject(SKIPPED);
  });
});

it("a change whose answer was lost counts as done, and is made once", async () => {
  const job = await newJob(account, LATER);
  const bulk = await newBulkAction(account, { action: "cancel", job_ids: [job.id] });
  const lost = answerLost('update "jobs"', "D1_ERROR: D1 DB storage operation exceeded timeout");
  await bulk.ring();
  lost.end();
  expect(await bulk.stored()).toMatchObject({ page: { jobIds: [job.id], tries: 1 } });
  expect(await bulk.runToItsEnd()).toMatchObject(DONE);
  expect(await job.row()).toMatchObject({ status: "cancelled", revision: 2 });
});

it("a whole service that dies in the middle of a page goes on where it was", async () => {
  const jobs = [await newJob(account, LATER), await newJob(account, SOON), await newJob(account, LATER)];
  const bulk = await newBulkAction(account, { action: "cancel", filter: { all: true } });
  const gap = gapAt("after", 'update "jobs"');
  const rung = bulk.ring().catch(() => {});
  await gap.reached();
  await bulk.crash();
  gap.leave();
  await rung;
  expect(await bulk.stored()).toMatchObject({ matched: 3, done: 0, page: { tries: 0 } });
  await bulk.ringAfterDeath();
  expect(await bulk.show()).toMatchObject({ ...DONE, matched: 3, done: 3 });
  for (const job of jobs)
    expect(await job.row()).toMatchObject({ status: "cancelled", revision: 2, operation: bulk.id });
});

it("the same bulk action asked for twice is two: what the first has done, the second skips", async () => {
  const job = await newJob(account, LATER);
  const first = await newBulkAction(account, { action: "cancel", job_ids: [job.id] });
  const second = await newBulkAction(account, { action: "cancel", job_ids: [job.id] });
  expect(await first.runToItsEnd()).toMatchObject(DONE);
  expect(await second.runToItsEnd()).toMatchObject(SKIPPED);
  expect((await postBulkAction(account, { action: "cancel", job_ids: [job.id] })).status).toBe(202);
});
