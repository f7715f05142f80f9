// The service dies in the middle of an attempt (contract §3, design rules 5 and 7): `interrupted`, no retry burned, and
// the next attempt follows.

import { beforeEach, describe, expect, it, vi } from "vitest";
import { jsonText } from "../harness/json-text.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { advance, DAY, HOUR, iso, NOON, SECOND, until } from "./harness/clock.ts";
import { type JobUnderTest, newJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  vi.spyOn(Math, "random").mockReturnValue(0);
});

/** Lets the alarm send the push and the instance die before the answer comes. */
async function dieInFlight(job: JobUnderTest): Promise<void> {
  const held = receiver.holds();
  const ringing = job.ringWhenSet().catch(() => {});
  await held.arrived();
  await job.crash();
  await ringing;
  receiver.answers(200);
}

/** Whoever comes first after the death. */
const ENTRIES: [string, (job: JobUnderTest) => Promise<unknown>][] = [
  ["a read", (job) => job.show()],
  ["a look at its executions", (job) => job.executions()],
  ["a wake", (job) => job.owner.wake(job.ref)],
  ["its own alarm", (job) => job.ringAfterDeath()],
];

describe("a push whose instance died", () => {
  it.each(ENTRIES)("is found interrupted by %s", async (_, enter) => {
    const job = await newJob(account, { max_retries: 0 });
    await dieInFlight(job);
    await enter(job);
    expect((await job.executions())[0]).toMatchObject({
      attempt: 1,
      status: "interrupted",
      error: { code: "platform" },
      response: null,
    });
  });

  it("waits with the backoff of a first failure and goes out again, although no retry was asked for", async () => {
    const job = await newJob(account, { max_retries: 0 });
    await dieInFlight(job);
    expect(await job.show()).toMatchObject({
      status: "retrying",
      attempts: 1,
      run_at: iso(Date.now() + SECOND),
      last_error: { code: "platform" },
      completed_at: null,
    });
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
    expect(await job.executions()).toMatchObject([
      { status: "interrupted", trigger: "scheduled" },
      { status: "completed", trigger: "system_retry" },
    ]);
  });

  it("goes out again once the backoff is over", async () => {
    const job = await newJob(account);
    await dieInFlight(job);
    await job.ringAfterDeath();
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });

  it("can be cancelled", async () => {
    const job = await newJob(account);
    await dieInFlight(job);
    expect((await job.cancel()).body.data).toMatchObject({ status: "cancelled", attempts: 1 });
    expect(await job.executions()).toMatchObject([{ status: "interrupted" }]);
  });

  it("is reported", async () => {
    const job = await newJob(account);
    await dieInFlight(job);
    post.take();
    await job.show();
    await until(() => post.sent.length > 0);
    expect(post.takeJobs()).toMatchObject([{ facts: { status: "retrying", executionStatus: "interrupted" } }]);
  });
});

describe("interruptions", () => {
  it("in a row back off further each time", async () => {
    const job = await newJob(account, { max_retries: 0 });
    for (const backoff of [1, 2, 4, 8]) {
      await dieInFlight(job);
      expect((await job.show()).run_at).toBe(iso(Date.now() + backoff * SECOND));
    }
    expect((await job.stored())?.tries).toBe(0);
  });

  it("do not count as retries, and retries begin their backoff anew after them", async () => {
    const job = await newJob(account, { max_retries: 1 });
    await dieInFlight(job);
    await job.show();
    await dieInFlight(job);
    await job.show();
    receiver.answers(500);
    await job.ringWhenSet();
    expect((await job.show()).run_at).toBe(iso(Date.now() + SECOND));
    await dieInFlight(job);
    expect((await job.show()).run_at).toBe(iso(Date.now() + SECOND));
    receiver.answers(500);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 5, last_error: { code: "http_status" } });
  });

  it("and nothing else for 24 hours fail the job with platform, not a millisecond earlier", async () => {
    const since = NOON - DAY;
    for (const [at, status] of [
      [NOON - 1, "retrying"],
      [NOON, "failed"],
    ] as const) {
      const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
      await job.ringAt(NOON);
      await job.store({ ...(await job.stored()), interruptions: 40, interruptedSince: since });
      vi.setSystemTime(NOON + HOUR);
      await dieInFlight(job);
      vi.setSystemTime(at);
      expect(await job.show()).toMatchObject({ status, last_error: { code: "platform" } });
      vi.setSystemTime(NOON);
    }
  });

  it("are over with the first answer", async () => {
    const job = await newJob(account);
    await dieInFlight(job);
    await job.show();
    receiver.answers(500);
    await job.ringWhenSet();
    expect(await job.stored()).toMatchObject({ interruptions: 0, interruptedSince: null, tries: 1 });
  });
});

describe("an instance that is let go in peace", () => {
  it("between attempts changes nothing", async () => {
    receiver.answers(500, 200);
    const job = await newJob(account);
    await job.ring();
    const before = [await job.show(), await job.alarm()];
    await job.crash();
    expect([await job.show(), await job.alarm()]).toEqual(before);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });

  // Known: `AbortSignal.timeout` keeps the object awake, and billed, until the timeout of the push would have ended.
  it("is let go when its push is over, and not kept until the push would have timed out", async () => {
    const job = await newJob(account, { timeout: 600 });
    await job.ring();
    const gone = job.evict().then(
      () => "gone",
      () => "killed",
    );
    const outcome = await Promise.race([gone, scheduler.wait(500).then(() => "still held")]);
    await job.crash();
    await gone;
    expect(outcome).toBe("gone");
  });

  it("while a worker holds the lease takes nothing from the worker", async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    await job.ring();
    const [execution] = await job.executions();
    await job.owner.lease(job.ref, execution?.id ?? "", "w");
    await job.evict();
    advance(29 * SECOND);
    expect(await job.show()).toMatchObject({ status: "running" });
    expect((await job.owner.complete(job.ref, execution?.id ?? "", jsonText({ done: true }))).ok).toBe(true);
    expect(await job.show()).toMatchObject({ status: "completed", result: { done: true } });
  });
});
