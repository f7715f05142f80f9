// `expires_after`: from its moment on nothing starts, and what waits gives up then.

import { describe, expect, it } from "vitest";
import { taskAt } from "../../src/domain/agenda.ts";
import type { Job } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { reportDueAt, wakeAt } from "../../src/domain/timer.ts";
import { reportOf } from "../../src/store/report.ts";
import { executionOfRow, type JobRow } from "../../src/store/rows.ts";
import {
  begun,
  cancelled,
  completed,
  E1,
  FAILURE,
  failed,
  given,
  HOUR,
  leased,
  MINUTE,
  must,
  NAMED,
  NOON,
  PULL,
  pushing,
  queued,
  SECOND,
  settled,
  TIMEOUT,
  waiting,
} from "./a-job.ts";

const HALF_A_MINUTE = { expiresAfterMs: 30 * SECOND };
const END = NOON + 30 * SECOND;

const heard = (job: Job): Job => reporting.confirm(job, reportOf(job));
const retrying = (): Job => settled(pushing(HALF_A_MINUTE), { ...FAILURE, retryAfterMs: HOUR });

describe("gives up at its moment and not a millisecond earlier", () => {
  const WAITING: [string, Job][] = [
    ["a job that is held", heard(life.hold(waiting(HALF_A_MINUTE), NOON))],
    ["a job whose retry would be too late", heard(retrying())],
    ["a job that waits for a worker", heard(queued(HALF_A_MINUTE))],
    ["a job on a named queue", heard(queued({ ...HALF_A_MINUTE, delivery: NAMED }))],
    ["a job that is made to run so late", { ...waiting({ scheduledFor: NOON + HOUR }), expiresAt: END }],
  ];

  it.each(WAITING)("%s", (_, job) => {
    expect([wakeAt(job), reportDueAt(job)]).toEqual([END, END]);
    expect([taskAt(job, null, END - 1), taskAt(job, null, END)]).toEqual(["rest", "give-up"]);
    expect(life.giveUp(job, END - 1)).toBeUndefined();
    expect(given(life.giveUp(job, END))).toMatchObject({
      phase: { name: "failed", endedAt: END, announced: false, confirmed: false },
      lastError: { code: "expired" },
      revision: job.revision + 1,
    });
  });

  it("even if it is due at that very moment: then it is too late", () => {
    const job = { ...waiting(), expiresAt: NOON };
    expect(taskAt(job, null, NOON)).toBe("give-up");
    expect(life.start(job, E1, NOON)).toBeUndefined();
    expect(life.enqueue({ ...job, delivery: PULL }, E1, NOON)).toBeUndefined();
  });
});

describe("nothing gives up", () => {
  it.each([
    ["a push in flight", pushing(HALF_A_MINUTE)],
    ["a lease", leased(HALF_A_MINUTE)],
    ["what has completed", completed(HALF_A_MINUTE)],
    ["what has failed", failed(HALF_A_MINUTE)],
    ["what was cancelled", cancelled(HALF_A_MINUTE)],
  ])("that is %s", (_, job) => {
    expect(life.giveUp(job, END + HOUR)).toBeUndefined();
    expect(taskAt(job, E1, END + HOUR)).not.toBe("give-up");
  });

  it("without an expiry", () => {
    expect(life.giveUp(queued(), NOON + 1_000 * HOUR)).toBeUndefined();
  });
});

describe("an attempt", () => {
  it("starts to the last millisecond", () => {
    expect(life.start(waiting(HALF_A_MINUTE), E1, END - 1)?.phase.name).toBe("running");
    expect(life.start(waiting(HALF_A_MINUTE), E1, END)).toBeUndefined();
  });

  it("is leased to the last millisecond", () => {
    expect(life.lease(queued(HALF_A_MINUTE), E1, null, END - 1).ok).toBe(true);
    expect(life.lease(queued(HALF_A_MINUTE), E1, null, END)).toMatchObject({ error: { code: "lease_lost" } });
  });

  it("under way is timed by its timeout and lease, whatever the expiry", () => {
    expect(wakeAt(heard(leased({ ...HALF_A_MINUTE, timeoutSeconds: 60 })))).toBe(NOON + MINUTE);
    expect(wakeAt(heard(pushing(HALF_A_MINUTE)))).toBeNull();
  });

  it("that goes beyond the moment and fails is the last: the job gives up at once", () => {
    const job = leased({ ...HALF_A_MINUTE, timeoutSeconds: 60 });
    const late = must(life.report(job, E1, FAILURE, 0, END + SECOND));
    expect(late.phase.name).toBe("waiting");
    expect(taskAt(late, null, END + SECOND)).toBe("give-up");
  });

  it("that goes beyond the moment and is interrupted is the last as well", () => {
    const job = given(life.interrupt(pushing(HALF_A_MINUTE), 0, END + SECOND));
    expect(taskAt(job, null, END + SECOND)).toBe("give-up");
  });

  it("given back by a worker at the moment is not offered again", () => {
    const job = must(life.release(leased(HALF_A_MINUTE), E1, NOON + TIMEOUT - 1));
    expect(taskAt(job, null, END)).toBe("give-up");
  });
});

describe("what an expired job tells", () => {
  it("is why it came to nothing", () => {
    expect(life.giveUp(queued(HALF_A_MINUTE), END)?.lastError?.message).toBe(
      "No worker took it before 2030-01-01T12:00:30.000Z.",
    );
    expect(life.giveUp(waiting(HALF_A_MINUTE), END)?.lastError?.message).toBe(
      "No attempt could start before 2030-01-01T12:00:30.000Z.",
    );
    expect(life.giveUp(retrying(), END)?.lastError?.message).toContain(FAILURE.error.message);
  });

  it("is never longer than a message may be", () => {
    const lastError = { code: "handler_error" as const, message: "x".repeat(4_096) };
    expect(life.giveUp({ ...retrying(), lastError }, END)?.lastError?.message).toHaveLength(4_096);
  });

  it("leaves the error of its last attempt to that: it is stored apart, the row shows the job's", () => {
    const { facts, apart } = reportOf(given(life.giveUp(retrying(), END)));
    expect(facts.lastError?.code).toBe("expired");
    expect(apart).toMatchObject([{ id: E1, error: { code: "http_status" } }]);
    const neverTried = reportOf(given(life.giveUp(queued(HALF_A_MINUTE), END)));
    expect(neverTried.apart).toEqual([]);
    expect(executionOfRow(neverTried.facts as unknown as JobRow)).toMatchObject({ status: "cancelled", error: null });
  });
});

describe("a retry by hand", () => {
  it("has as much time again, from now", () => {
    const job = must(life.retry(given(life.giveUp(retrying(), END)), NOON + HOUR));
    expect(job).toMatchObject({ expiresAt: NOON + HOUR + 30 * SECOND, tries: 0 });
    expect(begun(job).phase.name).toBe("running");
  });

  it("of a job without an expiry has none", () => {
    expect(must(life.retry(failed(), NOON + HOUR)).expiresAt).toBeNull();
  });
});
