// Between the owners and the read model stands one projector, which may be busy, die, answer late or twice, or have a database
// behind it that hangs. Whatever happens: the highest revision wins, no owner waits longer than two seconds, none lets go of
// what the read model does not hold, and nothing piles up.

import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Applied } from "../../../src/domain/reporting.ts";
import type { JobReport } from "../../../src/store/report.ts";
import { type Account, newAccount } from "../../workerd/harness/account.ts";
import { MINUTE, NOON, SECOND, setClock, until } from "../../workerd/harness/clock.ts";
import { type JobUnderTest, newJob } from "../../workerd/harness/job.ts";
import { logs } from "../../workerd/harness/logs.ts";
import { expectPause } from "../../workerd/harness/pause.ts";
import { post } from "../../workerd/harness/post.ts";
import { receiver } from "../../workerd/harness/receiver.ts";
import { factsAt, reportAt } from "../../workerd/harness/reports.ts";
import { Chance } from "../harness/chance.ts";
import { PlatformAlarm } from "./harness/platform.ts";
import { momentsOf, Tripwire } from "./harness/tripwire.ts";

const SEED = Number(env.FAULTS_SEED || 4);

/** An owner waits so long for an answer. */
const PATIENCE_MS = 2 * SECOND;

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await (await newJob(account)).ring(); // the account is known here from now on
  receiver.received.length = 0;
  post.take();
});

/** The projector itself, past the post. */
const projector = () => env.PROJECTORS.get(env.PROJECTORS.idFromName("DB"));

/** D1 takes batches and answers none of them before it is let go. */
function batchesWait() {
  const batch = env.DB.batch.bind(env.DB);
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  const spy = vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
    await released;
    return batch<never>(statements);
  });
  return { calls: () => spy.mock.calls.length, release };
}

/** Timers of at most two seconds ring almost at once; those that are longer never do. */
function onlyPatienceRings(): void {
  const timeout = globalThis.setTimeout;
  const ring = (then: () => void, ms = 0) => (ms <= PATIENCE_MS ? timeout(then, ms / 100) : timeout(() => {}, 0));
  vi.spyOn(globalThis, "setTimeout").mockImplementation(ring as unknown as typeof setTimeout);
}

const hasArrived = async (job: JobUnderTest) => {
  expect(await job.row()).toMatchObject({ status: "completed", attempt: 1, reportDueAt: null });
  expect(await job.isEmpty()).toBe(true);
};

describe("reports", () => {
  /** A job that failed twice, was retried by hand and succeeded; with everything it ever reported, to no avail. */
  async function eventfulJob(): Promise<{ job: JobUnderTest; sent: JobReport[] }> {
    receiver.answers(500, 400, 500, 200);
    post.stop();
    const job = await newJob(account);
    await job.ring();
    const rings = async (attempts: number) => {
      while ((await job.stored())?.started !== attempts) await job.ringWhenSet();
    };
    await rings(2);
    await job.retry();
    await rings(4);
    return { job, sent: post.takeJobs() };
  }

  function shuffled<T>(items: readonly T[], chance: Chance): T[] {
    const left = [...items];
    return items.flatMap(() => left.splice(chance.between(0, left.length - 1), 1));
  }

  it(`in any order, lost before the last or doubled, leave the highest revision (seed ${SEED})`, async () => {
    const chance = new Chance(SEED);
    for (let round = 0; round < 12; round++) {
      const { job, sent } = await eventfulJob();
      expect(sent.length).toBeGreaterThanOrEqual(5);
      const last = sent.at(-1) as JobReport;
      const arriving = sent.slice(0, -1).filter(() => chance.happens(70));
      const doubled = arriving.filter(() => chance.happens(50));
      for (const report of shuffled([...arriving, ...doubled, last], chance)) await post.deliver([report]);
      expect(await job.row()).toMatchObject({ status: "completed", attempt: 4, revision: last.revision });
      const shown = (await job.executions()).map(({ status }) => status);
      expect(shown).toEqual(["failed", "failed", "failed", "completed"]);
      expect((await job.executionRows()).map(({ status }) => status)).toEqual(shown.slice(0, 3));
    }
  });

  it("all in one batch, in any order, leave the highest revision", async () => {
    const chance = new Chance(SEED);
    const { job, sent } = await eventfulJob();
    await post.deliver(shuffled([...sent, ...sent], chance));
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 4, revision: sent.at(-1)?.revision });
    expect(await job.executionRows()).toHaveLength(3);
  });

  it("all lost but the last one: the end arrives", async () => {
    post.stop();
    const job = await newJob(account);
    await job.ring();
    await job.ringWhenSet();
    post.goOn();
    await job.ringWhenSet();
    await hasArrived(job);
  });

  it("of before a manual retry that arrive a minute after it change nothing", async () => {
    receiver.answers(400, 200);
    const job = await newJob(account);
    await job.ring();
    const late = post.takeJobs();
    await job.retry();
    await job.ringWhenSet();
    setClock(Date.now() + MINUTE);
    expect(await post.deliver(late)).toEqual(late.map(() => "stored"));
    expect(await job.row()).toMatchObject({ status: "completed", attempt: 2 });
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });
});

describe("a projector that dies in the middle of a batch", () => {
  const tripwire = new Tripwire();
  afterEach(() => tripwire.remove());

  it.each(momentsOf(["batch"]))("$side D1 has answered it: each owner writes its report itself", async (moment) => {
    const jobs = [await newJob(account), await newJob(account), await newJob(account)];
    await tripwire.watch(projector(), moment, ["batch"]);
    await Promise.all(jobs.map((job) => job.ring()));
    expect(tripwire.hasKilled).toBe(true);
    tripwire.remove();
    for (const job of jobs) await hasArrived(job);
    expect(receiver.received).toHaveLength(3);
    const next = await newJob(account);
    await next.ring();
    await hasArrived(next);
  });

  it("together with all owners: each reports again when its alarm rings", async () => {
    const jobs = [await newJob(account), await newJob(account), await newJob(account)];
    const waiting = batchesWait();
    const alarms = jobs.map((job) => new PlatformAlarm(job));
    const rings = alarms.map((alarm) => alarm.ring());
    await until(() => waiting.calls() > 0 && post.sent.length === 3); // all have ended, and say so
    await jobs[0]?.crash();
    expect(await Promise.all(rings)).toEqual([false, false, false]);
    vi.mocked(env.DB.batch).mockRestore();
    for (const [i, job] of jobs.entries()) while (!(await job.isEmpty())) await alarms[i]?.ring();
    for (const job of jobs) await hasArrived(job);
    expect(receiver.received).toHaveLength(3);
  });
});

describe("a projector that answers", () => {
  /** It does what it is told; its answers wait until they are let go. */
  function answersWait() {
    let reached = 0;
    let released = 0;
    vi.spyOn(env.PROJECTORS, "getByName").mockImplementation(() => {
      const report = async (given: JobReport, bytes: number) => {
        const answer = await projector().report(given, bytes);
        const mine = ++reached;
        while (released < mine) await scheduler.wait(1);
        return answer;
      };
      return { report } as never;
    });
    return {
      reached: () => until(() => reached > released),
      /** The first that waits. */
      release: () => {
        released += 1;
      },
    };
  }

  it("after its owner has given up: the report is repeated, and nothing is delivered again", async () => {
    const job = await newJob(account);
    const answers = answersWait();
    onlyPatienceRings();
    await job.ring();
    expect(await job.stored()).toMatchObject({ phase: { name: "completed", confirmed: false }, failedReports: 1 });
    expectPause(await job.alarm(), 10 * SECOND);
    answers.release();
    await scheduler.wait(5);
    expect(await job.isEmpty()).toBe(false);
    vi.mocked(env.PROJECTORS.getByName).mockImplementation(() => projector() as never);
    await job.ringWhenSet();
    await hasArrived(job);
    expect(receiver.received).toHaveLength(1);
  });

  it("when the job has been retried by hand meanwhile: the new life is not forgotten with the old", async () => {
    receiver.answers(400, 200);
    const job = await newJob(account);
    const answers = answersWait();
    const ringing = job.ring();
    await answers.reached();
    const retrying = job.retry();
    await until(async () => (await job.stored())?.phase.name === "waiting");
    answers.release();
    await ringing;
    await answers.reached();
    answers.release();
    expect((await retrying).status).toBe(200);
    vi.mocked(env.PROJECTORS.getByName).mockImplementation(() => projector() as never);
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
    expect(receiver.received).toHaveLength(2);
  });

  it("on what was, when the job has ended meanwhile: the end is not forgotten before it is stored", async () => {
    const job = await newJob(account, { handler: "work", delivery: { type: "pull" } });
    await job.ring();
    setClock(NOON + 5 * SECOND);
    const answers = answersWait();
    const ringing = job.ring(); // reports that it is queued
    await answers.reached();
    const cancelling = job.cancel();
    await until(async () => (await job.stored())?.phase.name === "cancelled");
    answers.release();
    await ringing;
    expect(await job.stored()).toMatchObject({ phase: { name: "cancelled", confirmed: false } });
    await answers.reached();
    answers.release();
    expect((await cancelling).status).toBe(200);
    expect(await job.isEmpty()).toBe(true);
    expect(await job.row()).toMatchObject({ status: "cancelled" });
  });

  it("twice, because two instances of it live for a moment: the second answer says the same", async () => {
    const job = await newJob(account);
    await job.ring();
    const [report] = post.takeJobs();
    expect(await post.deliver([report as JobReport])).toEqual(["stored"]);
    expect(await job.row()).toMatchObject({ revision: report?.revision, attempt: 1 });
    expect(await job.executionRows()).toEqual([]);
  });
});

describe("a report that D1 refuses for good", () => {
  it("holds up none of the others in its batch, and is logged as ours to mend", async () => {
    const jobs = [await newJob(account), await newJob(account), await newJob(account), await newJob(account)];
    const reports = jobs.map((job, i) =>
      reportAt(job, 7, { facts: factsAt(7, i === 2 ? { status: null as never } : {}) }),
    );
    const waiting = batchesWait();
    const answers = Promise.all(reports.map((report) => projector().report(report, 1_000)));
    await until(() => waiting.calls() > 0);
    waiting.release();
    expect(await answers).toEqual(["stored", "stored", "refused", "stored"]);
    expect(logs.of("report_refused")).toMatchObject([{ level: "error", job_id: jobs[2]?.id, revision: 7 }]);
  });

  it("is repeated by its owner ever more rarely, up to hourly, and never given up", async () => {
    post.stop("refused");
    const job = await newJob(account);
    await job.ring();
    for (const seconds of [10, 20, 40, 80, 160, 320, 640, 1_280, 2_560, 3_600, 3_600, 3_600, 3_600]) {
      expectPause(await job.alarm(), seconds * SECOND);
      await job.ringWhenSet();
    }
    post.goOn();
    await job.ringWhenSet();
    await hasArrived(job);
  });
});

describe("a projector behind which D1 hangs", () => {
  it("holds up no owner longer than two seconds, and one batch is under way, not one for each", async () => {
    const jobs: JobUnderTest[] = [];
    for (let i = 0; i < 30; i++) jobs.push(await newJob(account));
    const waiting = batchesWait();
    onlyPatienceRings();
    await Promise.all(jobs.map((job) => job.ring()));
    expect(waiting.calls()).toBe(1);
    for (const job of jobs) expectPause((await job.stored())?.reportAt, 10 * SECOND);
    waiting.release();
    for (const job of jobs) await job.ringUntilEmpty();
    for (const job of jobs) await hasArrived(job);
    expect(receiver.received).toHaveLength(30);
  });

  it("and that is too busy to take a report holds up its owner no longer", async () => {
    const job = await newJob(account);
    const waiting = batchesWait();
    post.stop("busy");
    onlyPatienceRings();
    await job.ring();
    expect(waiting.calls()).toBe(1);
    expectPause(await job.alarm(), 10 * SECOND);
    waiting.release();
    await job.ringWhenSet();
    await hasArrived(job);
  });

  it("and that the platform calls overloaded is left alone, and D1 with it: its owner does not write either", async () => {
    const job = await newJob(account);
    const batches = vi.spyOn(env.DB, "batch");
    vi.mocked(env.PROJECTORS.getByName).mockImplementation(() => {
      const fault = new Error("Durable Object is overloaded. Too many requests queued.");
      return { report: () => Promise.reject(Object.assign(fault, { overloaded: true, retryable: true })) } as never;
    });
    await job.ring();
    expect(batches).not.toHaveBeenCalled();
    expect(await job.stored()).toMatchObject({ phase: { name: "completed", confirmed: false }, failedReports: 1 });
    batches.mockRestore();
    vi.mocked(env.PROJECTORS.getByName).mockImplementation(() => projector() as never);
    await job.ringWhenSet();
    await hasArrived(job);
  });

  it("and answers that it is down answers all who wait at once", async () => {
    const jobs: JobUnderTest[] = [];
    for (let i = 0; i < 5; i++) jobs.push(await newJob(account));
    let fail = () => {};
    const failed = new Promise<void>((resolve) => {
      fail = resolve;
    });
    const batches = vi.spyOn(env.DB, "batch").mockImplementation(async () => {
      await failed;
      throw new Error("D1_ERROR: D1 DB is overloaded. Too many requests queued.");
    });
    const answers = jobs.map((job) => projector().report(reportAt(job, 7), 1_000));
    await until(() => batches.mock.calls.length > 0);
    await scheduler.wait(20); // the others have come by now
    fail();
    expect(await Promise.all(answers)).toEqual(jobs.map(() => "unavailable"));
    expect(batches).toHaveBeenCalledTimes(1);
  });

  it.each([
    ["2,000 reports", 2_001, 1],
    ["16 MB", 17, 1_000_000],
  ])("keeps %s waiting and answers the next at once that it is busy; then all are written", async (_, count, bytes) => {
    const job = await newJob(account);
    const waiting = batchesWait();
    const answers: Promise<Applied | "busy">[] = [projector().report(reportAt(job, 1), bytes)];
    await until(() => waiting.calls() > 0);
    for (let i = 2; i <= count; i++) answers.push(projector().report(reportAt(job, i), bytes));
    expect(await projector().report(reportAt(job, count + 1), bytes)).toBe("busy");
    waiting.release();
    expect(new Set(await Promise.all(answers))).toEqual(new Set(["stored"]));
    expect(await job.row()).toMatchObject({ revision: count });
    expect(await projector().report(reportAt(job, count + 2), bytes)).toBe("stored");
  });
});
