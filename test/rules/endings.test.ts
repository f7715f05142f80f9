// How a job is stopped, taken up again, held back, and how its end is made known until the read model confirms it.

import { describe, expect, it } from "vitest";
import { type Job, statusOf, viewOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { reportOf } from "../../src/store/report.ts";
import {
  begun,
  cancelled,
  completed,
  DAY,
  E1,
  FAILURE,
  FINAL,
  failed,
  HOUR,
  leased,
  MINUTE,
  must,
  NOON,
  pushing,
  queued,
  SECOND,
  settled,
  TIMEOUT,
  waiting,
} from "./a-job.ts";

describe("cancelling", () => {
  it.each([
    ["queued", queued],
    ["a running push", pushing],
    ["in a worker's hands", leased],
  ])("a job that is %s closes its execution", (_, made) => {
    const job = must(life.cancel(made(), NOON + SECOND));
    expect(job.executions).toMatchObject([{ id: E1, status: "cancelled", completedAt: NOON + SECOND, error: null }]);
    expect(viewOf(job)).toMatchObject({ status: "cancelled", completedAt: NOON + SECOND, runAt: null, result: null });
  });

  it("a job between two attempts leaves the one that is over as it was", () => {
    const retrying = settled(pushing(), FAILURE);
    expect(must(life.cancel(retrying, NOON)).executions).toEqual(retrying.executions);
  });

  it("a job leaves nothing that could start", () => {
    expect(life.start(cancelled(), E1, NOON + DAY)).toBeUndefined();
    expect(life.enqueue(cancelled(), E1, NOON + DAY)).toBeUndefined();
  });
});

describe("a manual retry", () => {
  it("is due at once, and says so", () => {
    const job = must(life.retry(failed(), NOON + HOUR));
    expect(job.phase).toEqual({ name: "waiting", runAt: NOON + HOUR, trigger: "manual_retry" });
    expect(viewOf(job)).toMatchObject({ status: "pending", completedAt: null, scheduledFor: NOON });
    expect(begun(job).executions.at(-1)).toMatchObject({ attempt: 2, trigger: "manual_retry", dueAt: NOON + HOUR });
  });

  it("keeps what is known of the attempts before", () => {
    const job = must(life.retry(failed(), NOON));
    expect(job).toMatchObject({ attempt: 1, started: 1, tries: 0, lastError: FINAL.error });
    expect(job.executions).toEqual(failed().executions);
  });
});

describe("holding a due job back", () => {
  it.each([
    ["on time", 0, MINUTE],
    ["ten minutes late", 10 * MINUTE, 6 * MINUTE],
    ["just short of the limit", 28 * MINUTE - 2, 15 * MINUTE - 1],
    ["at the limit", 28 * MINUTE, 15 * MINUTE],
    ["beyond it", 28 * MINUTE + 2, 15 * MINUTE],
    ["a week late", 7 * DAY, 15 * MINUTE],
  ])("%s looks again after a minute and half the lateness, at most 15 min", (_, lateMs, waitMs) => {
    const now = NOON + lateMs;
    expect(life.hold(waiting(), now).phase).toEqual({
      name: "waiting",
      runAt: NOON,
      trigger: "scheduled",
      heldUntil: now + waitMs,
      heldFor: "suspended",
    });
  });

  it("keeps the trigger, so that a retry is still called one", () => {
    expect(statusOf(life.hold(settled(pushing(), FAILURE), NOON + MINUTE))).toBe("retrying");
  });

  it("does not falsify the lateness of the attempt that follows", () => {
    expect(begun(life.hold(waiting(), NOON)).executions).toMatchObject([{ dueAt: NOON }]);
  });
});

describe("reporting", () => {
  it.each([
    ["a queued job", queued()],
    ["a push", pushing()],
    ["a lease", leased()],
    ["a retry", settled(pushing(), FAILURE)],
    ["an end", completed()],
    ["a held job", life.hold(waiting(), NOON)],
  ])("%s that the read model has not heard of is reported after 5 s", (_, { reportAt }) => {
    expect(reportAt).toBe(NOON + 5 * SECOND);
  });

  it("a job that has only been armed is not: its row says it all", () => {
    expect(waiting().reportAt).toBeNull();
  });

  const waits = (receipt: "unavailable" | "refused", times: number, random = 0): number[] => {
    let job: Job = completed();
    return Array.from({ length: times }, () => {
      job = reporting.reportAgain(job, receipt, random, NOON);
      return ((job.reportAt ?? 0) - NOON) / SECOND;
    });
  };

  it("while the database is away it is repeated within a minute", () => {
    expect(waits("unavailable", 6)).toEqual([10, 20, 40, 60, 60, 60]);
  });

  it("those that failed together come again one after the other: up to four fifths of the pause are left out", () => {
    expect(waits("unavailable", 4, 0.5)).toEqual([6, 12, 24, 36]);
    expect(waits("unavailable", 4, 1 - 2 ** -52)).toEqual([2, 4, 8, 12]);
  });

  it("what the database refuses for good is repeated hourly", () => {
    expect(waits("refused", 12).slice(0, 4)).toEqual([10, 20, 40, 80]);
    expect(waits("refused", 12).at(-1)).toBe(3_600);
  });

  it("the next change begins anew", () => {
    const late = reporting.reportAgain(reporting.reportAgain(queued(), "refused", 0, NOON), "refused", 0, NOON);
    expect(must(life.cancel(late, NOON))).toMatchObject({ failedReports: 0, reportAt: NOON + 5 * SECOND });
  });

  it("one that failed is repeated after a pause although a worker has beaten meanwhile, and left to whatever reports sooner", () => {
    const due = NOON + TIMEOUT;
    const told = reporting.confirm(leased(), reportOf(leased()));
    const beaten = must(life.heartbeat(must(life.heartbeat(told, E1, due - 2)), E1, due - 1));
    expect(beaten.revision).toBeGreaterThan(told.revision);
    expect([due - 1, due].map((now) => reporting.isRepeated(beaten, told.revision, now))).toEqual([false, true]);
    expect(reporting.isRepeated(told, told.revision, NOON)).toBe(true);
    const ended = must(life.cancel(told, due));
    expect(reporting.isRepeated(ended, told.revision, due)).toBe(false);
  });

  it("a beat is no news: it leaves the next report where it is", () => {
    const told = reporting.confirm(leased(), reportOf(leased()));
    expect(told.reportAt).toBe(NOON + TIMEOUT);
    expect(must(life.heartbeat(told, E1, NOON + 20 * SECOND)).reportAt).toBe(NOON + TIMEOUT);
  });
});

describe("a confirmation", () => {
  /** Three attempts that failed, the last for good. */
  const thrice = settled(begun(settled(begun(settled(pushing(), FAILURE)), FAILURE)), FINAL);
  const numbers = (job: Job) => job.executions.map(({ attempt }) => attempt);
  const isConfirmed = ({ phase }: Job) => "confirmed" in phase && phase.confirmed;

  it("of the whole confirms the end, and leaves the newest attempt", () => {
    const job = reporting.confirm(thrice, reportOf(thrice));
    expect([numbers(job), isConfirmed(job), job.reportAt]).toEqual([[3], true, null]);
  });

  it("of an earlier report lets go only what that stored apart from the row: the next overwrites the row", () => {
    const first = settled(pushing(), FAILURE);
    const second = settled(begun(first), FAILURE);
    expect(numbers(reporting.confirm(thrice, reportOf(first)))).toEqual([1, 2, 3]);
    const late = reporting.confirm(thrice, reportOf(second));
    expect([numbers(late), isConfirmed(late), late.reportAt]).toEqual([[2, 3], false, thrice.reportAt]);
  });

  it("of an attempt that has changed since keeps it", () => {
    const { apart, revision } = reportOf(thrice);
    const older = apart.map((one) => ({ ...one, revision: one.revision - 1 }));
    expect(numbers(reporting.confirm(thrice, { revision, apart: older }))).toEqual([1, 2, 3]);
  });

  it("of a live job lets superseded executions go and keeps the open one", () => {
    const second = begun(settled(pushing(), FAILURE));
    expect(numbers(reporting.confirm(second, reportOf(second)))).toEqual([2]);
  });

  it("of a lease asks for another report when that would have ended", () => {
    expect(reporting.confirm(leased(), reportOf(leased())).reportAt).toBe(NOON + TIMEOUT);
    expect(reporting.confirm(queued(), reportOf(queued())).reportAt).toBeNull();
  });

  it("of a lease that has been prolonged since asks for no other report until it would have ended", () => {
    const beaten = must(life.heartbeat(leased(), E1, NOON + 20 * SECOND));
    expect(beaten.reportAt).toBe(leased().reportAt);
    expect(reporting.confirm(beaten, reportOf(leased())).reportAt).toBe(NOON + 20 * SECOND + TIMEOUT);
    expect(reporting.confirm(beaten, reportOf(queued())).reportAt).toBe(beaten.reportAt); // that it runs is not known yet
    const edited = must(life.dropKey({ ...beaten, idempotencyKey: "k" }, NOON + 21 * SECOND));
    expect(reporting.confirm(edited, reportOf(leased())).reportAt).toBe(edited.reportAt); // nor that it has no key
  });

  it("that says nothing new changes nothing", () => {
    expect(reporting.confirm(thrice, { revision: 0, apart: [] })).toBe(thrice);
    expect(reporting.confirm(pushing(), { revision: 99, apart: [] })).toEqual(pushing());
  });

  it("is no change of the job", () => {
    expect(reporting.confirm(thrice, reportOf(thrice))).toMatchObject({
      revision: thrice.revision,
      updatedAt: thrice.updatedAt,
    });
  });
});
