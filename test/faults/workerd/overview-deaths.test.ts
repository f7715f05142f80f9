// Whoever counts may die at any await: the projector while it writes or flushes, the cron while it recounts. In the end the overview
// is what the executions say.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { advance, MINUTE } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { cron, flush, groupsOf, projector, recounted, sumsOf, truthOf } from "../../workerd/overview/counts.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await flush();
});

/** Three jobs: one is retried, one fails, one completes. */
async function threeJobs(): Promise<JobUnderTest[]> {
  const jobs: JobUnderTest[] = [];
  for (const answers of [[500, 200], [404], [200]]) {
    receiver.answers(...answers);
    const job = await newJob(account);
    jobs.push(job);
    await job.ring();
    while (!(await job.isEmpty())) await job.ringWhenSet();
  }
  return jobs;
}

const WANTED = { started: 4, completed: 2, failed: 1, retried: 1 };

async function addsUp(jobs: readonly JobUnderTest[]): Promise<void> {
  expect(await truthOf(...jobs)).toEqual(WANTED);
  expect(await sumsOf(account)).toEqual(WANTED);
  expect((await groupsOf(account)).reduce((sum, { count }) => sum + count, 0)).toBe(2);
}

describe("a projector that dies", () => {
  const tripwire = new Tripwire();
  afterEach(() => tripwire.remove());

  // Four reports of ends, and the flush.
  it.each(momentsOf(["batch", "batch", "batch", "batch", "batch"]))("$side its call $call to D1", async (moment) => {
    await tripwire.watch(projector(), moment, ["batch"]);
    const jobs = await threeJobs();
    await flush().catch(() => {});
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    await recounted();
    await addsUp(jobs);
  });

  it("again and again: each of its reports is counted by the next", async () => {
    receiver.answers(500, 500, 500, 200);
    const job = await newJob(account);
    await job.ring();
    while (!(await job.isEmpty())) {
      await job.crash();
      await job.ringWhenSet();
    }
    await recounted();
    expect(await sumsOf(account)).toEqual({ started: 4, completed: 1, failed: 0, retried: 3 });
  });
});

describe("a cron that dies while it recounts", () => {
  const CALLS = 4; // the look, the beginning, the page, what it adds

  const moments = Array.from({ length: CALLS }, (_, i) => i + 1).flatMap((call) =>
    (["before", "after"] as const).map((side) => ({ call, side })),
  );

  it.each(moments)("$side its call $call to D1", async ({ call, side }) => {
    const jobs = await threeJobs();
    await jobs[0]?.crash();
    await flush(); // the next projector claims what the first held
    const batch = env.DB.batch.bind(env.DB);
    let calls = 0;
    const spy = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const isIt = isRecount(statements) && ++calls === call;
      if (isIt && side === "before") throw new Error("killed");
      const answer = await batch<never>(statements);
      if (isIt) throw new Error("killed");
      return answer;
    });
    await cron();
    spy.mockRestore();
    expect(calls).toBeGreaterThanOrEqual(call);
    advance(MINUTE);
    await cron();
    await recounted();
    await addsUp(jobs);
  });

  /** Retention and the sweep run beside it. */
  const isRecount = (statements: readonly D1PreparedStatement[]): boolean =>
    statements.some((one) => JSON.stringify(one).includes("recount") || JSON.stringify(one).includes("tally"));
});
