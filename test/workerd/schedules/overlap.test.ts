// `overlap` (contract §6): with `skip` a tick makes no job as long as the one before has not ended.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "../harness/account.ts";
import { api, must } from "../harness/api.ts";
import { HOUR, iso, NOON, SECOND, setClock } from "../harness/clock.ts";
import { databaseDown } from "../harness/database.ts";
import { JobUnderTest, PUSH } from "../harness/job.ts";
import { logs } from "../harness/logs.ts";
import { post } from "../harness/post.ts";
import { receiver } from "../harness/receiver.ts";
import { type Claimed, claim } from "../pull/worker.ts";
import { gapAt, JOB_INSERT, type Moment } from "./faults.ts";
import { HOURLY, newSchedule, type ScheduleUnderTest } from "./schedule.ts";
import { hasRun } from "./ticks.ts";

const FIRST = NOON + HOUR;
const SECOND_TICK = NOON + 2 * HOUR;
const THIRD = NOON + 3 * HOUR;
const SKIP = { ...HOURLY, overlap: "skip", delivery: PUSH };
/** What asks whether the job before has ended. */
const QUESTION = 'select "id", "idempotency_key", "status" from "jobs"';

let account: Account;
beforeEach(async () => {
  await env.DB.batch(["jobs", "schedules"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  account = await newAccount();
});

const jobOf = async (schedule: ScheduleUnderTest, which = 0): Promise<JobUnderTest> =>
  new JobUnderTest(account, (await schedule.jobs())[which]?.id ?? "");

/** The first tick has its job. */
async function afterFirst(body: Record<string, unknown> = SKIP) {
  const schedule = await newSchedule(account, body);
  await schedule.ringAt(FIRST);
  return { schedule, job: await jobOf(schedule) };
}

describe("a tick whose predecessor has not ended", () => {
  it("is skipped and counted as such; the next one asks again", async () => {
    const { schedule, job } = await afterFirst();
    await schedule.ringAt(SECOND_TICK);
    await hasRun(schedule, [FIRST]);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 1, next_run_at: iso(THIRD) });
    expect(await schedule.row()).toMatchObject({ revision: 2, reportDueAt: THIRD, state: { skippedRuns: 1 } });
    await job.ring();
    await schedule.ringAt(THIRD);
    await hasRun(schedule, [FIRST, THIRD]);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 1 });
  });

  it("makes its job all the same unless it is to skip", async () => {
    const { schedule } = await afterFirst({ ...SKIP, overlap: "allow" });
    await schedule.ringAt(SECOND_TICK);
    await hasRun(schedule, [FIRST, SECOND_TICK]);
  });

  it("goes by the job of the last tick that made one, however many were skipped since", async () => {
    const { schedule } = await afterFirst();
    for (const hours of [2, 3, 4]) await schedule.ringAt(NOON + hours * HOUR);
    await hasRun(schedule, [FIRST]);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 3 });
  });

  it("does not count for `runs`", async () => {
    const { schedule, job } = await afterFirst({ ...SKIP, runs: 2 });
    await schedule.ringAt(SECOND_TICK);
    await job.ring();
    await schedule.ringAt(THIRD);
    await hasRun(schedule, [FIRST, THIRD]);
    expect(await schedule.show()).toMatchObject({ status: "completed", skipped_runs: 1 });
  });

  it("is the last before stop_at: the schedule is completed", async () => {
    const { schedule } = await afterFirst({ ...SKIP, stop_at: iso(SECOND_TICK + 1) });
    await schedule.ringAt(SECOND_TICK);
    expect(await schedule.show()).toMatchObject({ status: "completed", run_count: 1, skipped_runs: 1 });
  });
});

describe("the predecessor", () => {
  const isSkipped = async (schedule: ScheduleUnderTest): Promise<boolean> => {
    await schedule.ringAt(SECOND_TICK);
    const { run_count, skipped_runs } = await schedule.show();
    expect(run_count + skipped_runs).toBe(2);
    expect(await schedule.jobs()).toHaveLength(run_count);
    return skipped_runs === 1;
  };

  it("that waits for a worker, or is in its hands, has not ended; completed it has", async () => {
    const pull = { ...SKIP, delivery: { type: "pull" }, handler: "work", timeout: 86_400 };
    const { schedule, job } = await afterFirst(pull);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "queued" });
    await schedule.ringAt(SECOND_TICK);
    const claimed = await must(claim<Claimed>(account, {}));
    expect(claimed.job_id).toBe(job.id);
    await schedule.ringAt(THIRD);
    expect(await schedule.show()).toMatchObject({ run_count: 1, skipped_runs: 2 });
    const done = { key: account.key, body: { execution_id: claimed.execution_id } };
    await must(api("POST", `/v1/worker/jobs/${job.id}/complete`, done));
    await schedule.ringAt(NOON + 4 * HOUR);
    expect(await schedule.show()).toMatchObject({ run_count: 2, skipped_runs: 2 });
  });

  it("that is to be tried again has not ended", async () => {
    receiver.answers(500);
    const { schedule, job } = await afterFirst();
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "retrying" });
    expect(await isSkipped(schedule)).toBe(true);
  });

  it("that failed has ended", async () => {
    receiver.answers(400);
    const { schedule, job } = await afterFirst();
    await job.ring();
    expect(await isSkipped(schedule)).toBe(false);
  });

  it("that was cancelled has ended, and one that was deleted", async () => {
    const { schedule, job } = await afterFirst();
    await job.cancel();
    await schedule.ringAt(SECOND_TICK);
    const next = await jobOf(schedule, 1);
    await next.cancel();
    await must(api("DELETE", `/v1/jobs/${next.id}`, { key: account.key }));
    await schedule.ringAt(THIRD);
    expect(await schedule.show()).toMatchObject({ run_count: 3, skipped_runs: 0 });
  });

  it("that failed and was taken back to life has not ended", async () => {
    receiver.answers(400);
    const { schedule, job } = await afterFirst();
    await job.ring();
    await job.retry();
    expect(await isSkipped(schedule)).toBe(true);
  });

  it("is asked of its owner: one that has ended and is not reported yet has ended", async () => {
    const { schedule, job } = await afterFirst();
    post.stop();
    await job.ring();
    expect(await job.row()).toMatchObject({ status: "pending" });
    expect(await isSkipped(schedule)).toBe(false);
  });

  it("is none that was triggered by hand", async () => {
    const { schedule, job } = await afterFirst();
    await job.ring();
    await schedule.trigger();
    expect((await schedule.jobs()).filter(({ status }) => status === "pending")).toHaveLength(1);
    await schedule.ringAt(SECOND_TICK);
    expect(await schedule.show()).toMatchObject({ run_count: 2, skipped_runs: 0 });
  });

  it("whose owner never heard of it has not ended", async () => {
    const { schedule, job } = await afterFirst();
    await job.wipe();
    expect(await isSkipped(schedule)).toBe(true);
  });
});

describe("while nobody can tell", () => {
  it("D1 being down, the tick is held, and what falls due meanwhile is missed", async () => {
    const { schedule, job } = await afterFirst();
    await job.ring();
    setClock(SECOND_TICK);
    const outage = databaseDown();
    await schedule.ring();
    expect(await schedule.alarm()).toBe(SECOND_TICK + 5 * SECOND);
    expect(await schedule.stored()).toMatchObject({ held: SECOND_TICK, runCount: 1, skippedRuns: 0 });
    expect(logs.of("tick_held")).toHaveLength(1);
    outage.end();
    await schedule.ringAt(THIRD + 1);
    await hasRun(schedule, [FIRST, SECOND_TICK], 1);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 0 });
  });

  it("its owner being silent, the tick is held, and may be skipped afterwards", async () => {
    const { schedule } = await afterFirst();
    setClock(SECOND_TICK);
    const deaf = vi
      .spyOn(env.JOBS, "getByName")
      .mockReturnValue({ get: () => Promise.reject(new Error("gone")) } as never);
    await schedule.ring();
    deaf.mockRestore();
    expect(await schedule.stored()).toMatchObject({ held: SECOND_TICK });
    await schedule.ringAt(SECOND_TICK + 5 * SECOND);
    await hasRun(schedule, [FIRST]);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 1, next_run_at: iso(THIRD) });
  });
});

describe("when the schedule's owner dies", () => {
  async function dies(schedule: ScheduleUnderTest, moment: Moment, start: string): Promise<void> {
    const gap = gapAt(moment, start);
    const rung = schedule.ring().catch(() => {});
    await gap.reached();
    await schedule.crash();
    gap.leave();
    await rung;
  }

  it.each<Moment>(["before", "after"])("%s the question, the tick is skipped once", async (moment) => {
    const { schedule } = await afterFirst();
    setClock(SECOND_TICK);
    await dies(schedule, moment, QUESTION);
    expect(await schedule.stored()).toMatchObject({ skippedRuns: 0, nextRunAt: SECOND_TICK });
    await schedule.ringAfterDeath();
    await hasRun(schedule, [FIRST]);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 1 });
  });

  it("between the insert and the count: that job is counted, whatever became of the one before", async () => {
    receiver.answers(400);
    const { schedule, job } = await afterFirst();
    await job.ring();
    setClock(SECOND_TICK);
    await dies(schedule, "after", JOB_INSERT);
    await job.retry();
    await schedule.ringAfterDeath();
    await hasRun(schedule, [FIRST, SECOND_TICK]);
    expect(await schedule.show()).toMatchObject({ skipped_runs: 0 });
  });
});

it("a change during the question is asked for anew: what was decided before it does not hold", async () => {
  const { schedule } = await afterFirst();
  setClock(SECOND_TICK);
  const gap = gapAt("after", QUESTION);
  const rung = schedule.ring();
  await gap.reached();
  await schedule.patch({ overlap: "allow" });
  gap.leave();
  await rung;
  await hasRun(schedule, [FIRST, SECOND_TICK]);
  expect(await schedule.show()).toMatchObject({ skipped_runs: 0 });
});

it("a pause during the question leaves the tick its turn: it is skipped, once", async () => {
  const { schedule } = await afterFirst();
  setClock(SECOND_TICK);
  const gap = gapAt("after", QUESTION);
  const rung = schedule.ring();
  await gap.reached();
  await schedule.pause();
  gap.leave();
  await rung;
  await hasRun(schedule, [FIRST]);
  expect(await schedule.show()).toMatchObject({ status: "paused", skipped_runs: 1 });
});

it("after an outage the newest tick is asked for, and those before are missed", async () => {
  const { schedule } = await afterFirst();
  await schedule.ringAt(NOON + 4.5 * HOUR);
  await hasRun(schedule, [FIRST], 2);
  expect(await schedule.show()).toMatchObject({ skipped_runs: 1, next_run_at: iso(NOON + 5 * HOUR) });
});

it("the question finds the jobs by their keys, not by reading the account's rows", async () => {
  const plan = await env.DB.prepare(
    "EXPLAIN QUERY PLAN select id, idempotency_key, status from jobs where account_id = ?1 and idempotency_key in (?2, ?3)",
  )
    .bind("a", "b", "c")
    .all<{ detail: string }>();
  expect(plan.results.map(({ detail }) => detail)).toEqual([expect.stringContaining("jobs_idempotency")]);
});
