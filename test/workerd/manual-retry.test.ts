// POST /v1/jobs/:id/retry (contract §2; design, rule 9): what a list shows can always be retried.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { advance, HOUR, iso, MINUTE, NOON, setClock } from "./harness/clock.ts";
import { answerLost, databaseDown } from "./harness/database.ts";
import { type JobUnderTest, newJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** A job that has failed after two attempts. */
async function failedJob(): Promise<JobUnderTest> {
  receiver.answers(500);
  const job = await newJob(account, { max_retries: 1, payload: { n: 1 } });
  await job.ring();
  await job.ringWhenSet();
  expect(await job.show()).toMatchObject({ status: "failed", attempts: 2 });
  return job;
}

/** An ended job whose owner has let go. */
async function forgotten(made: () => Promise<JobUnderTest>): Promise<JobUnderTest> {
  const job = await made();
  advance(MINUTE);
  expect(await job.isEmpty()).toBe(true);
  return job;
}

/** An ended job whose owner could not report its end. */
async function held(made: () => Promise<JobUnderTest>): Promise<JobUnderTest> {
  post.stop();
  const job = await made();
  post.goOn();
  expect(await job.isEmpty()).toBe(false);
  return job;
}

const OWNERS = [
  ["still in its owner's hands", held],
  ["of which only the row is left", forgotten],
] as const;

describe.each(OWNERS)("a failed job, %s", (_, kept) => {
  it("is due now, and shows it", async () => {
    const job = await kept(failedJob);
    const before = await job.show();
    advance(MINUTE);
    const { status, body } = await job.retry();
    expect(status).toBe(200);
    expect(body.data.revision).toBeGreaterThan(before.revision);
    expect(body.data).toEqual({
      ...before,
      status: "pending",
      run_at: iso(Date.now()),
      updated_at: iso(Date.now()),
      completed_at: null,
      revision: body.data.revision,
    });
    expect(await job.show()).toEqual(body.data);
  });

  it("gets a fresh budget and a fresh backoff, and its executions are numbered on", async () => {
    const job = await kept(failedJob);
    advance(HOUR);
    const again = Date.now();
    await job.retry();
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "retrying", attempts: 3 });
    expect(await job.alarm()).toBe(Date.now() + 1_000);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 4 });
    const executions = await job.executions();
    expect(executions.map(({ attempt, trigger }) => [attempt, trigger])).toEqual([
      [1, "scheduled"],
      [2, "system_retry"],
      [3, "manual_retry"],
      [4, "system_retry"],
    ]);
    expect(executions[2]?.due_at).toBe(iso(again));
  });

  it("completes, and the read model agrees", async () => {
    const job = await kept(failedJob);
    receiver.answers(200);
    await job.retry();
    await job.ringWhenSet();
    const [live, executions] = [await job.show(), await job.executions()];
    expect(live).toMatchObject({ status: "completed", attempts: 3 });
    expect(await job.isEmpty()).toBe(true);
    expect([await job.show(), await job.executions()]).toEqual([live, executions]);
  });

  it("retried by many at once runs once", async () => {
    const job = await kept(failedJob);
    receiver.answers(200);
    const answers = await Promise.all(Array.from({ length: 8 }, () => job.retry()));
    expect(answers.some(({ status }) => status === 200)).toBe(true);
    const before = receiver.received.length;
    await job.ringWhenSet();
    await job.ring();
    expect(receiver.received.length - before).toBe(1);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 3 });
  });

  it("can be cancelled again before it runs", async () => {
    const job = await kept(failedJob);
    await job.retry();
    expect((await job.cancel()).status).toBe(200);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "cancelled", attempts: 2 });
  });
});

describe.each(OWNERS)("a cancelled job, %s", (_, kept) => {
  it("is retried as well", async () => {
    const job = await kept(async () => {
      const made = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
      await made.cancel();
      return made;
    });
    const { body } = await job.retry();
    expect(body.data).toMatchObject({ status: "pending", scheduled_for: iso(NOON + HOUR), run_at: iso(Date.now()) });
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });
});

describe.each(OWNERS)("a completed job, %s", (_, kept) => {
  it("is 409 job_not_retryable", async () => {
    const job = await kept(async () => {
      const made = await newJob(account);
      await made.ring();
      return made;
    });
    const before = await job.show();
    const { status, body } = await job.retry();
    expect([status, body.code]).toEqual([409, "job_not_retryable"]);
    expect(await job.show()).toEqual(before);
  });
});

it.each([
  ["pending", {}],
  ["retrying", { attempts: 1 }],
])("a job that is %s is 409 job_not_retryable", async (status, { attempts = 0 }: { attempts?: number }) => {
  receiver.answers(500);
  const job = await newJob(account);
  if (attempts > 0) await job.ring();
  const { status: code, body } = await job.retry();
  expect([code, body.code]).toEqual([409, "job_not_retryable"]);
  expect((await job.show()).status).toBe(status);
});

it("a running job is 409 job_not_retryable", async () => {
  const job = await newJob(account);
  const held = receiver.holds();
  const ringing = job.ring();
  await held.arrived();
  expect((await job.retry()).body.code).toBe("job_not_retryable");
  held.release(200);
  await ringing;
});

it("a job that retention took is 404, and its owner stays empty", async () => {
  const job = await forgotten(failedJob);
  await job.deleteRow();
  const { status, body } = await job.retry();
  expect([status, body.code, await job.isEmpty()]).toEqual([404, "job_not_found", true]);
});

it("the row is claimed: it is pending at once, and a late report of the old end does not end it again", async () => {
  const job = await forgotten(failedJob);
  const old = post.take();
  await job.retry();
  expect(await job.row()).toMatchObject({ status: "pending", completedAt: null, reportDueAt: Date.now() });
  await post.deliver(old);
  expect(await job.row()).toMatchObject({ status: "pending" });
  expect(await job.show()).toMatchObject({ status: "pending" });
});

it("a retry whose row was claimed although D1's answer was lost is picked up by the sweeper's wake", async () => {
  const job = await forgotten(failedJob);
  receiver.answers(200);
  const down = answerLost("update", "D1_ERROR: D1 DB exceeded timeout");
  const { status } = await job.retry();
  down.end();
  expect(status).toBe(503);
  expect(await job.row()).toMatchObject({ status: "pending" });
  await job.owner.wake(job.ref);
  await job.ringWhenSet();
  expect(await job.show()).toMatchObject({ status: "completed", attempts: 3 });
  expect((await job.executions()).at(-1)).toMatchObject({ trigger: "manual_retry" });
});

it("an end that is not confirmed yet is retried without asking D1", async () => {
  post.stop();
  const job = await failedJob();
  databaseDown();
  expect((await job.retry()).status).toBe(200);
});

it("the confirmation of the end that was retried does not end it again", async () => {
  const job = await failedJob();
  const end = post.take();
  await job.retry();
  setClock(NOON + MINUTE);
  await post.deliver(end);
  expect(await job.show()).toMatchObject({ status: "pending", attempts: 2 });
  receiver.answers(200);
  await job.ringWhenSet();
  expect(await job.show()).toMatchObject({ status: "completed", attempts: 3 });
  expect(await job.executions()).toHaveLength(3);
});
