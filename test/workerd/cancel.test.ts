// POST /v1/jobs/:id/cancel (contract §2): in every phase, and against an attempt in flight.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, HOUR, iso, MINUTE, NOON, setClock } from "./harness/clock.ts";
import { JobUnderTest, newJob, unarmedJob } from "./harness/job.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

const PULL = { handler: "h", delivery: { type: "pull" } };

/** A pull job that a worker holds, and the execution it holds. */
async function leasedJob() {
  const job = await newJob(account, PULL);
  await job.ring();
  const execution_id = (await job.executions())[0]?.id;
  const report = (action: string, body: object = {}) =>
    api<Record<string, unknown>>("POST", `/v1/worker/jobs/${job.id}/${action}`, {
      key: account.key,
      body: { execution_id, ...body },
    });
  expect((await report("start", { worker_id: "w" })).status).toBe(200);
  return { job, report };
}

describe("a job is cancelled, and no attempt starts after the answer", () => {
  const open: Record<string, () => Promise<JobUnderTest>> = {
    "that waits for its time": () => newJob(account, { scheduled_for: iso(NOON + HOUR) }),
    "that is due this very moment": () => newJob(account),
    "that nobody has armed": () => unarmedJob(account),
    "that waits for its retry": async () => {
      receiver.answers(500);
      const job = await newJob(account);
      await job.ring();
      return job;
    },
    "that waits for a worker": async () => {
      const job = await newJob(account, PULL);
      await job.ring();
      return job;
    },
  };

  it.each(Object.entries(open))("%s", async (_, made) => {
    const job = await made();
    const before = await job.show();
    const sent = receiver.received.length;
    advance(1);
    const { status, body } = await job.cancel();
    expect(status).toBe(200);
    expect(body.data).toEqual({
      ...before,
      status: "cancelled",
      run_at: null,
      updated_at: iso(NOON + 1),
      completed_at: iso(NOON + 1),
      revision: before.revision + 1,
    });
    expect(await job.show()).toEqual(body.data);
    await job.ringAt(NOON + 2 * HOUR);
    expect(receiver.received).toHaveLength(sent);
    expect(await job.show()).toEqual(body.data);
  });

  it("and the execution that waited for a worker is cancelled with it", async () => {
    const job = await newJob(account, PULL);
    await job.ring();
    await job.cancel();
    expect(await job.executions()).toMatchObject([{ status: "cancelled", completed_at: iso(NOON), started_at: null }]);
  });
});

describe("a push in flight", () => {
  it("is aborted; its job and its execution are cancelled at once", async () => {
    const job = await newJob(account);
    const held = receiver.holds();
    const ringing = job.ring();
    const request = await held.arrived();
    expect((await job.cancel()).body.data).toMatchObject({ status: "cancelled", attempts: 1, last_error: null });
    expect(request.signal.aborted).toBe(true);
    await ringing;
    expect(await job.show()).toMatchObject({ status: "cancelled", attempts: 1, last_error: null });
    expect(await job.executions()).toMatchObject([{ status: "cancelled", response: null, error: null }]);
  });

  it.each([200, 500, 404])("that answers %i after all changes nothing any more", async (status) => {
    let late = false;
    let arrived = false;
    receiver.answers(async () => {
      arrived = true;
      while (!late) await scheduler.wait(1);
      return new Response(null, { status });
    });
    const job = await newJob(account);
    const ringing = job.ring();
    while (!arrived) await scheduler.wait(1);
    const { body } = await job.cancel();
    const executions = await job.executions();
    advance(MINUTE);
    late = true;
    await ringing;
    expect(await job.show()).toEqual(body.data);
    expect(await job.executions()).toEqual(executions);
    await job.ring();
    expect(receiver.received).toHaveLength(1);
  });

  it("that answers late does not touch a manual retry made meanwhile", async () => {
    let late = false;
    receiver.answers(async () => {
      while (!late) await scheduler.wait(1);
      return new Response("the first");
    }, 200);
    const job = await newJob(account);
    const ringing = job.ring();
    while (receiver.received.length === 0) await scheduler.wait(1);
    await job.cancel();
    await job.retry();
    late = true;
    await ringing;
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
    expect(await job.executions()).toMatchObject([
      { status: "cancelled", response: null },
      { status: "completed", trigger: "manual_retry" },
    ]);
  });
});

describe("a job in the hands of a worker", () => {
  it("is cancelled at once; the worker learns it from its next heartbeat", async () => {
    const { job, report } = await leasedJob();
    expect((await job.cancel()).body.data).toMatchObject({ status: "cancelled", attempts: 1 });
    const { status, body } = await report("heartbeat");
    expect([status, body.data]).toEqual([200, { lease_expires_at: null, cancel_requested: true }]);
  });

  it("takes no report any more: 409 lease_lost, and nothing changes", async () => {
    const { job, report } = await leasedJob();
    const { body } = await job.cancel();
    const complete = await report("complete", { result: 1 });
    const fail = await report("fail", { error: { message: "x" } });
    for (const answer of [complete, fail]) expect([answer.status, answer.body.code]).toEqual([409, "lease_lost"]);
    expect(await job.show()).toEqual(body.data);
  });

  it("says the same when its owner has forgotten it", async () => {
    const { job, report } = await leasedJob();
    await job.cancel();
    setClock(NOON + MINUTE);
    expect(await job.isEmpty()).toBe(true);
    expect((await report("heartbeat")).body.data).toEqual({ lease_expires_at: null, cancel_requested: true });
    expect((await report("complete")).body.code).toBe("lease_lost");
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("a job that has ended is 409 job_not_cancellable, and stays what it is", () => {
  const ends: [string, number[]][] = [
    ["completed", [200]],
    ["failed", [400]],
  ];

  it.each(ends)("%s", async (status, answers) => {
    receiver.answers(...answers);
    const job = await newJob(account);
    await job.ring();
    const before = await job.show();
    const { status: code, body } = await job.cancel();
    expect([code, body.code]).toEqual([409, "job_not_cancellable"]);
    expect(before.status).toBe(status);
    expect(await job.show()).toEqual(before);
  });

  it("cancelled already", async () => {
    const job = await newJob(account);
    await job.cancel();
    expect((await job.cancel()).body.code).toBe("job_not_cancellable");
  });

  it("and forgotten by its owner, whose storage stays empty", async () => {
    const job = await newJob(account);
    await job.ring();
    setClock(NOON + MINUTE);
    const before = await job.show();
    expect((await job.cancel()).body.code).toBe("job_not_cancellable");
    expect([await job.show(), await job.isEmpty()]).toEqual([before, true]);
  });
});

it("of many cancels at once one is 200, the others 409", async () => {
  const job = await newJob(account);
  const answers = await Promise.all(Array.from({ length: 10 }, () => job.cancel()));
  expect(answers.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)]);
});

it("a cancel against the alarm: either nothing was sent, or what was sent is on record", async () => {
  for (let round = 0; round < 10; round++) {
    const job = await newJob(account);
    const before = receiver.received.length;
    const [, cancelled] = await Promise.all([job.ring(), job.cancel()]);
    const sent = receiver.received.length - before;
    const { status, attempts } = await job.show();
    expect(attempts).toBe(sent);
    expect(status).toBe(cancelled.status === 200 ? "cancelled" : "completed");
  }
});

it("a job nobody has is 404 job_not_found", async () => {
  const nobody = new JobUnderTest(account, crypto.randomUUID());
  const { status, body } = await nobody.cancel();
  expect([status, body.code]).toEqual([404, "job_not_found"]);
});
