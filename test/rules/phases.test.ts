// Every transition in every phase: what it makes of the job, or why it does nothing.

import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import {
  aSpec,
  cancelled,
  completed,
  E1,
  FAILURE,
  failed,
  given,
  HOUR,
  leased,
  MINUTE,
  NO_CHANCE,
  NOON,
  pushing,
  queued,
  SECOND,
  TIMEOUT,
  waiting,
} from "./a-job.ts";

const PHASES = { waiting, queued, pushing, leased, completed, failed, cancelled };
type Column = keyof typeof PHASES;

const WORKING = NOON + SECOND;
const LATER = NOON + HOUR;

const TRANSITIONS = {
  start: (job: Job) => life.start(job, "e2", LATER),
  enqueue: (job: Job) => life.enqueue(job, "e2", LATER),
  offerAgain: (job: Job) => life.offerAgain(job, LATER),
  offerSoon: (job: Job) => life.offerSoon(job, LATER),
  lease: (job: Job) => life.lease(job, E1, null, WORKING),
  release: (job: Job) => life.release(job, E1, WORKING),
  heartbeat: (job: Job) => life.heartbeat(job, E1, WORKING),
  reportDone: (job: Job) => life.report(job, E1, { kind: "completed" }, NO_CHANCE, WORKING),
  complete: (job: Job) => life.settle(job, E1, { kind: "completed" }, NO_CHANCE, WORKING),
  fail: (job: Job) => life.settle(job, E1, FAILURE, NO_CHANCE, WORKING),
  expire: (job: Job) => life.expire(job, NO_CHANCE, NOON + TIMEOUT),
  interrupt: (job: Job) => life.interrupt(job, NO_CHANCE, WORKING),
  cancel: (job: Job) => life.cancel(job, WORKING),
  retry: (job: Job) => life.retry(job, WORKING),
  edit: (job: Job) => life.edit(job, { ...aSpec({ name: "new" }), retimed: false }, WORKING),
  move: (job: Job) => life.edit(job, { ...aSpec({ scheduledFor: LATER }), retimed: true }, WORKING),
  run: (job: Job) => life.run(job, WORKING),
  dropKey: (job: Job) => life.dropKey({ ...job, idempotencyKey: "k" }, WORKING),
  giveUp: (job: Job) => life.giveUp({ ...job, expiresAt: WORKING }, WORKING),
  hold: (job: Job) => life.hold(job, NOON + MINUTE),
  reportAgain: (job: Job) => reporting.reportAgain(job, "unavailable", 0, LATER),
} satisfies Record<string, (job: Job) => life.Step | Job | undefined>;

/** The phase a transition led to, the code it was refused with, or "–" when nothing came of it. */
function verdict(before: Job, outcome: life.Step | Job | undefined): string {
  if (outcome === undefined || outcome === before) return "–";
  if ("phase" in outcome) return outcome.phase.name;
  return outcome.ok ? outcome.value.phase.name : outcome.error.code;
}

const LOST = "lease_lost";
const FIRM = "job_not_cancellable";
const NOT = "job_not_retryable";
const KEPT = "job_not_editable";
const HALT = "job_not_runnable";

// biome-ignore format: a table
const TABLE: Record<keyof typeof TRANSITIONS, string[]> = {
  //            waiting      queued       pushing      leased       completed    failed       cancelled
  start:       ["running",   "–",         "–",         "–",         "–",         "–",         "–"],
  enqueue:     ["queued",    "–",         "–",         "–",         "–",         "–",         "–"],
  offerAgain:  ["–",         "queued",    "–",         "–",         "–",         "–",         "–"],
  offerSoon:   ["–",         "queued",    "–",         "–",         "–",         "–",         "–"],
  lease:       [LOST,        "running",   LOST,        LOST,        LOST,        LOST,        LOST],
  release:     [LOST,        LOST,        LOST,        "queued",    LOST,        LOST,        LOST],
  heartbeat:   [LOST,        LOST,        LOST,        "running",   LOST,        LOST,        LOST],
  reportDone:  [LOST,        LOST,        LOST,        "completed", LOST,        LOST,        LOST],
  complete:    [LOST,        LOST,        "completed", "completed", LOST,        LOST,        LOST],
  fail:        [LOST,        LOST,        "waiting",   "waiting",   LOST,        LOST,        LOST],
  expire:      ["–",         "–",         "–",         "waiting",   "–",         "–",         "–"],
  interrupt:   ["–",         "–",         "waiting",   "–",         "–",         "–",         "–"],
  cancel:      ["cancelled", "cancelled", "cancelled", "cancelled", FIRM,        FIRM,        FIRM],
  retry:       [NOT,         NOT,         NOT,         NOT,         NOT,         "waiting",   "waiting"],
  edit:        ["waiting",   KEPT,        KEPT,        KEPT,        KEPT,        KEPT,        KEPT],
  move:        ["waiting",   KEPT,        KEPT,        KEPT,        KEPT,        KEPT,        KEPT],
  run:         ["waiting",   HALT,        HALT,        HALT,        HALT,        HALT,        HALT],
  dropKey:     ["waiting",   "queued",    "running",   "running",   "completed", "failed",    "cancelled"],
  giveUp:      ["failed",    "failed",    "–",         "–",         "–",         "–",         "–"],
  hold:        ["waiting",   "–",         "–",         "–",         "–",         "–",         "–"],
  reportAgain: ["waiting",   "queued",    "running",   "running",   "completed", "failed",    "cancelled"],
};

const COLUMNS = Object.keys(PHASES) as Column[];
const CELLS = (Object.keys(TABLE) as (keyof typeof TABLE)[]).flatMap((transition) =>
  COLUMNS.map((column, i) => ({ transition, column, expected: given(TABLE[transition][i]) })),
);

describe("every transition in every phase", () => {
  it.each(CELLS)("$transition of a job that is $column: $expected", ({ transition, column, expected }) => {
    const job = PHASES[column]();
    const before = structuredClone(job);
    expect(verdict(job, TRANSITIONS[transition](job))).toBe(expected);
    expect(job, "a transition never changes the job it was given").toEqual(before);
  });

  it("a refusal tells how the job stands", () => {
    expect(life.cancel(completed(), NOON)).toEqual({
      ok: false,
      error: { code: "job_not_cancellable", status: "completed" },
    });
    expect(life.retry(waiting(), NOON)).toEqual({ ok: false, error: { code: "job_not_retryable", status: "pending" } });
    const retrying = life.settle(pushing(), E1, FAILURE, NO_CHANCE, WORKING);
    expect(retrying.ok && life.heartbeat(retrying.value, E1, WORKING)).toEqual({
      ok: false,
      error: { code: "lease_lost", status: "retrying" },
    });
  });
});

/** Reporting is bookkeeping; all else is news. `offerSoon` corrects an offer that was not made. */
const SILENT: readonly string[] = ["offerSoon", "reportAgain"];

describe("the revision", () => {
  const news = CELLS.filter(({ expected }) => COLUMNS.some((column) => PHASES[column]().phase.name === expected));

  it.each(news)("$transition of a job that is $column counts as it should", ({ transition, column }) => {
    const job = PHASES[column]();
    const outcome = TRANSITIONS[transition](job);
    const after = outcome && "ok" in outcome ? (outcome.ok ? outcome.value : undefined) : outcome;
    expect(after?.revision).toBe(job.revision + (SILENT.includes(transition) ? 0 : 1));
  });
});
