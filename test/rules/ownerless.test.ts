// A row that nobody owns: who may take it for one, what is made of it, and how its revision counts.

import { describe, expect, it } from "vitest";
import type { Job, JobSpec } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import { ARM_AHEAD_MS, CONTESTED_MS, HORIZON_MS, OWNERLESS_MS } from "../../src/domain/timer.ts";
import { rowOfJob } from "../../src/store/report.ts";
import {
  isContested,
  isOwnerless,
  type JobRow,
  jobOfRow,
  rowOfSpec,
  viewOfRow,
  viewOfSpec,
} from "../../src/store/rows.ts";
import { aSpec, cancelled, DAY, FAILURE, given, HOUR, must, NOON, pushing, SECOND, settled, waiting } from "./a-job.ts";

/** As D1 gives it back. */
const rowOf = (values: Partial<JobRow> = {}, spec: Partial<JobSpec> = {}): JobRow =>
  ({
    revision: 0,
    sweeps: 0,
    operation: null,
    attempt: 0,
    started: 0,
    tries: 0,
    interruptions: 0,
    lastError: null,
    result: null,
    completedAt: null,
    executionId: null,
    executionTrigger: null,
    executionStatus: null,
    ...rowOfSpec(aSpec(spec)),
    ...values,
  }) as JobRow;

it("a row that is made after it was due is not overdue yet: its owner has only just been told", () => {
  expect(rowOf({}, { scheduledFor: NOON, createdAt: NOON + 120 * SECOND }).reportDueAt).toBe(NOON + 120 * SECOND);
  expect(rowOf({}, { scheduledFor: NOON + HOUR, createdAt: NOON }).reportDueAt).toBe(NOON + HOUR);
});

describe("a row has no owner", () => {
  const at = (dueInMs: number, values: Partial<JobRow> = {}) => rowOf({ runAt: NOON + dueInMs, ...values });

  it("when it is due beyond what anybody arms, and not a millisecond earlier", () => {
    expect(isOwnerless(at(OWNERLESS_MS), NOON)).toBe(false);
    expect(isOwnerless(at(OWNERLESS_MS + 1), NOON)).toBe(true);
  });

  it("unless an owner has reported of it, or it has ended", () => {
    expect(isOwnerless(at(DAY, { revision: 1 }), NOON)).toBe(false);
    expect(isOwnerless(at(DAY, { revision: -7 }), NOON)).toBe(true);
    expect(isOwnerless(at(0, { runAt: null, status: "cancelled" }), NOON)).toBe(false);
  });

  it("in nobody's eyes while it is armed: clocks may differ by half a minute", () => {
    expect(OWNERLESS_MS - ARM_AHEAD_MS).toBe(30 * SECOND);
  });

  it("in the eyes of one whose clock is behind by minutes: an owner that takes it up says so first", () => {
    expect(isContested(at(CONTESTED_MS), NOON)).toBe(false);
    expect(isContested(at(CONTESTED_MS + 1), NOON)).toBe(true);
    expect(isContested(at(DAY, { revision: 1 }), NOON)).toBe(false);
    expect(OWNERLESS_MS - CONTESTED_MS).toBeGreaterThanOrEqual(4 * 60 * SECOND);
    expect(CONTESTED_MS, "the look ahead, an hour before, touches no row").toBeGreaterThan(HORIZON_MS + 30 * SECOND);
  });
});

/** What a change makes of the row, as `changeRow` writes it. */
const changedRow = (row: JobRow, next: Job): JobRow =>
  ({ ...row, ...rowOfJob(next), revision: row.revision - 1 }) as JobRow;

describe("the revision of a row", () => {
  it("that nobody has changed is 1, as that of a job just made and of its owner", () => {
    expect([viewOfRow(rowOf()).revision, viewOfSpec(aSpec()).revision, waiting().revision]).toEqual([1, 1, 1]);
    expect(given(jobOfRow(rowOf(), NOON)).revision).toBe(1);
  });

  it("counts each change, and an owner goes on where it stands", () => {
    let row = rowOf();
    for (let n = 2; n <= 5; n++) {
      const seen = given(jobOfRow(row, NOON - DAY));
      row = changedRow(row, must(life.edit(seen, { ...seen, name: `no. ${n}`, retimed: false }, NOON - DAY)));
      expect([viewOfRow(row).revision, given(jobOfRow(row, NOON)).revision]).toEqual([n, n]);
      expect(given(jobOfRow(row, NOON)).name).toBe(`no. ${n}`);
    }
    expect(row.revision).toBe(-4);
  });

  it("is below whatever its owner will report", () => {
    const row = rowOf({ revision: -4 });
    expect(must(life.cancel(given(jobOfRow(row, NOON)), NOON)).revision).toBeGreaterThan(row.revision);
  });

  it("of an owner's is counted on when that has lost its state", () => {
    expect(viewOfRow(rowOf({ revision: 7 })).revision).toBe(7);
    expect(given(jobOfRow(rowOf({ revision: 7 }), NOON)).revision).toBe(8);
  });
});

describe("the job that a row stands for", () => {
  it("is the one that its owner would have armed", () => {
    for (const patch of [{}, { expiresAfterMs: HOUR, tags: ["a"], flow: "f" }, { idempotencyKey: "k" }]) {
      const job = given(jobOfRow(rowOf({}, patch), NOON));
      expect({ ...job, keepUntil: 0 }).toEqual(waiting(patch));
    }
  });

  it("after a change is the one that was changed", () => {
    const far = given(jobOfRow(rowOf({}, { expiresAfterMs: HOUR }), NOON - DAY));
    const moved = must(life.edit(far, { ...far, scheduledFor: NOON + DAY, retimed: true }, NOON - DAY));
    const job = given(jobOfRow(changedRow(rowOf(), moved), NOON - DAY));
    expect(job).toEqual({ ...moved, editedAt: 0, reportAt: null });
    expect(job.expiresAt).toBe(NOON + DAY + HOUR);
  });

  it("is none when it has ended", () => {
    expect(jobOfRow(changedRow(rowOf(), cancelled()), NOON)).toBeUndefined();
  });
});

describe("why the next attempt of a row starts", () => {
  const triggerOf = (row: JobRow) => {
    const { phase } = given(jobOfRow(row, NOON));
    return phase.name === "waiting" ? phase.trigger : phase.name;
  };
  const moved = (job: Job) => must(life.edit(job, { ...job, scheduledFor: NOON + DAY, retimed: true }, NOON));
  const live = (job: Job) => rowOf({ ...(rowOfJob(job) as JobRow) });

  it.each([
    ["it is due", rowOf(), "scheduled"],
    ["it was moved", rowOf({ revision: -1 }, { scheduledFor: NOON + DAY }), "scheduled"],
    ["it was run by hand", live(must(life.run(waiting(), NOON - HOUR))), "manual_run"],
    ["it was cancelled and taken back to life", live(must(life.retry(cancelled(), NOON + HOUR))), "manual_retry"],
    ["it was taken back to life and moved", live(moved(must(life.retry(cancelled(), NOON)))), "manual_retry"],
    ["it is to be tried again", live(settled(pushing(), FAILURE)), "system_retry"],
    ["it was run by hand between two attempts", live(must(life.run(settled(pushing(), FAILURE), NOON))), "manual_run"],
    [
      "it failed and was taken back to life",
      live(must(life.retry(must(life.cancel(pushing(), NOON)), NOON))),
      "manual_retry",
    ],
  ])("%s", (_, row, trigger) => {
    expect(triggerOf(row)).toBe(trigger);
  });
});
