// How a job is stopped, taken up again, held back, and how its end is made known until the read model confirms it.

import { describe, expect, it } from "vitest";
import { type Job, statusOf, viewOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
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
  runAtIn,
  SECOND,
  settled,
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
  it("what lasts is reported once", () => {
    for (const job of [queued(), pushing(), leased()])
      expect(reporting.reported(job)).toEqual({ ...job, phase: { ...job.phase, reported: true } });
  });

  it.each([
    ["with the ring of the watch after a push of 5 s", 5 * SECOND, NOON + 35 * SECOND],
    ["30 s after a longer one", 6 * SECOND, NOON + 36 * SECOND],
  ])("an end nobody confirms is reported again %s", (_, lastsMs, reportAt) => {
    const { phase } = settled(pushing({ createdAt: NOON - DAY }), { kind: "completed" }, NOON + lastsMs);
    expect(phase).toMatchObject({ name: "completed", reports: 0, reportAt, confirmed: false });
  });

  it.each([
    ["an old job", NOON - DAY, NOON + 30 * SECOND],
    ["a job whose `arm` may be on its way", NOON - SECOND, NOON + 34 * SECOND],
  ])(
    "the end of %s that was not pushed is reported again after 30 s, and not before it is 35 s old",
    (_, createdAt, reportAt) => {
      expect(cancelled({ createdAt }).phase).toMatchObject({ reports: 0, reportAt, confirmed: false });
    },
  );

  it("doubles its patience up to 15 minutes", () => {
    let job: Job = completed();
    const waits = [1, 2, 3, 4, 5, 6].map(() => {
      job = reporting.reportAgain(job, NOON);
      return "reportAt" in job.phase ? job.phase.reportAt - NOON : 0;
    });
    expect(waits).toEqual([MINUTE, 2 * MINUTE, 4 * MINUTE, 8 * MINUTE, 15 * MINUTE, 15 * MINUTE]);
    expect(job.phase).toMatchObject({ name: "completed", endedAt: NOON, reports: 6 });
  });
});

describe("a confirmation", () => {
  /** Three attempts that failed, the last for good. */
  const thrice = settled(begun(settled(begun(settled(pushing(), FAILURE)), FAILURE)), FINAL);
  const numbers = (job: Job) => job.executions.map(({ attempt }) => attempt);
  const isConfirmed = ({ phase }: Job) => "confirmed" in phase && phase.confirmed;

  it("of the whole confirms the end", () => {
    const job = reporting.confirm(thrice, thrice.revision, 3);
    expect([numbers(job), isConfirmed(job)]).toEqual([[], true]);
  });

  it("of a part lets that part go, and the end waits for the rest", () => {
    const part = reporting.confirm(thrice, thrice.revision, 2);
    expect([numbers(part), isConfirmed(part)]).toEqual([[3], false]);
    const rest = reporting.confirm(part, thrice.revision, 3);
    expect([numbers(rest), isConfirmed(rest)]).toEqual([[], true]);
  });

  it("of an earlier revision lets go only what has not changed since", () => {
    const before = reporting.confirm(thrice, thrice.revision - 1, 3);
    expect([numbers(before), isConfirmed(before)]).toEqual([[3], false]);
    expect(isConfirmed(reporting.confirm(before, thrice.revision + 1, 3))).toBe(false);
  });

  it("of an end without any execution needs none", () => {
    const job = cancelled();
    expect(isConfirmed(reporting.confirm(job, job.revision, 0))).toBe(true);
    expect(reporting.confirm(job, job.revision - 1, 0)).toBe(job);
  });

  it("of a live job lets closed executions go and keeps the open one", () => {
    const second = begun(settled(pushing(), FAILURE));
    expect(numbers(reporting.confirm(second, second.revision, 2))).toEqual([2]);
    expect(runAtIn(reporting.confirm(settled(pushing(), FAILURE), 99, 1))).toBe(NOON + SECOND);
  });

  it("that says nothing new changes nothing", () => {
    expect(reporting.confirm(thrice, thrice.revision, 0)).toBe(thrice);
    expect(reporting.confirm(pushing(), 99, 99)).toEqual(pushing());
  });

  it("is no change of the job", () => {
    expect(reporting.confirm(thrice, thrice.revision, 3)).toMatchObject({
      revision: thrice.revision,
      updatedAt: thrice.updatedAt,
    });
  });
});
