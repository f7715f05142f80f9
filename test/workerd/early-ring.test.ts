// A timer costs a row each time it is set. What changes more often than its timer has to ring leaves one that is set for an
// earlier moment as it is: that ring finds nothing to do, and sets the timer for what remains.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, NOON, SECOND, until } from "./harness/clock.ts";
import { type JobUnderTest, newJob } from "./harness/job.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** A pull job that waits for a worker since NOON, and how often its timer is set from then on. */
async function queuedJob() {
  const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
  await job.ring();
  const execution_id = (await job.executions())[0]?.id;
  const setAlarm = await runInDurableObject(job.owner, (_, { storage }) => vi.spyOn(storage, "setAlarm"));
  const say = async (word: string) => {
    const path = `/v1/worker/jobs/${job.id}/${word}`;
    expect((await api("POST", path, { key: account.key, body: { execution_id } })).status).toBe(200);
  };
  return { job, say, setAlarm };
}

const status = async (job: JobUnderTest) => (await job.show()).status;

describe("a job that a worker takes and completes within five seconds", () => {
  it("sets no timer for it", async () => {
    const { job, say, setAlarm } = await queuedJob();
    advance(SECOND);
    await say("start");
    advance(SECOND);
    await say("complete");
    await until(() => job.isEmpty());
    expect(setAlarm).not.toHaveBeenCalled();
  });
});

describe("a lease that is kept by heartbeats", () => {
  it("sets its timer once for each time it would have ended, not for each heartbeat", async () => {
    const { job, say, setAlarm } = await queuedJob();
    await say("start");
    await job.ringWhenSet(); // at 5 s: it lasts, and is reported
    expect(await job.alarm()).toBe(NOON + 30 * SECOND);
    for (let beats = 0; beats < 4; beats++) {
      advance(5 * SECOND);
      await say("heartbeat");
    }
    expect(setAlarm).toHaveBeenCalledTimes(1);
    await job.ringWhenSet();
    expect(await status(job)).toBe("running");
    expect(await job.alarm()).toBe(NOON + 55 * SECOND);
  });

  it("ends to the millisecond when they stop", async () => {
    const { job, say } = await queuedJob();
    await say("start");
    await job.ringWhenSet();
    advance(5 * SECOND);
    await say("heartbeat");
    await job.ringWhenSet(); // when the lease would have ended without the heartbeat
    expect(await job.alarm()).toBe(NOON + 40 * SECOND);
    await job.ringAt(NOON + 40 * SECOND - 1);
    expect(await status(job)).toBe("running");
    await job.ringWhenSet();
    expect((await job.executions())[0]).toMatchObject({ status: "timed_out", error: { code: "lease_expired" } });
  });
});

it("an earlier moment than the one that is set always sets the timer", async () => {
  const { job, say } = await queuedJob();
  await job.ringWhenSet(); // at 5 s: it is still queued; offered again at 60 s
  expect(await job.alarm()).toBe(NOON + 60 * SECOND);
  await say("start");
  expect(await job.alarm()).toBe(NOON + 10 * SECOND);
});
