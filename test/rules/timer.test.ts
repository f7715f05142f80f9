// The clocks of a job: when its owner wakes, what it finds to do then, and by when the read model may expect its word.

import { describe, expect, it } from "vitest";
import { type Task, taskAt } from "../../src/domain/agenda.ts";
import type { Job, Phase } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { attentionAt, unarmedAttentionAt, wakeAt } from "../../src/domain/timer.ts";
import {
  cancelled,
  completed,
  E1,
  FAILURE,
  failed,
  leased,
  MINUTE,
  must,
  NAMED,
  NOON,
  pushing,
  queued,
  SECOND,
  STRANGER,
  settled,
  TIMEOUT,
  waiting,
} from "./a-job.ts";

const DAY = 24 * 60 * MINUTE;
const YOUNG = { createdAt: NOON - 10 * SECOND };

const confirmed = (job: Job): Job => reporting.confirm(job, job.revision, job.attempt);
const soon = (job: Job): Job => ({ ...job, phase: { ...job.phase, offerAt: NOON + 3 * SECOND } as Phase });

/** In each state: when its owner wakes, what for, and when the sweeper would miss it. */
const STATES: [string, Job, number, Task, number | null][] = [
  ["a job that waits", waiting(), NOON, "deliver", NOON],
  ["a held job", life.hold(waiting(), NOON), NOON + MINUTE, "deliver", NOON + MINUTE],
  ["a retrying job", settled(pushing(), FAILURE), NOON + SECOND, "deliver", NOON + SECOND],
  ["a queued job not reported", queued(), NOON + 5 * SECOND, "report", NOON + MINUTE],
  ["a queued job", reporting.reported(queued()), NOON + MINUTE, "offer", NOON + MINUTE],
  ["a queued job whose offer failed", soon(queued()), NOON + 3 * SECOND, "offer", NOON + 3 * SECOND],
  ["a job on a named queue", reporting.reported(queued({ delivery: NAMED })), NOON + DAY, "offer", NOON + DAY],
  ["a lease not reported", leased(), NOON + 5 * SECOND, "report", NOON + TIMEOUT],
  ["a lease", reporting.reported(leased()), NOON + TIMEOUT, "expire", NOON + TIMEOUT],
  ["a lease too short to report", leased({ timeoutSeconds: 3 }), NOON + 3 * SECOND, "expire", NOON + 3 * SECOND],
  ["a short push not confirmed", completed(), NOON + 35 * SECOND, "report_end", null],
  ["an end not confirmed", cancelled(), NOON + 30 * SECOND, "report_end", null],
  ["an end reported again", reporting.reportAgain(failed(), NOON), NOON + MINUTE, "report_end", null],
  ["a very young end not confirmed", cancelled({ createdAt: NOON }), NOON + 35 * SECOND, "report_end", null],
  ["a young end", confirmed(cancelled(YOUNG)), NOON + 30 * SECOND, "forget", null],
];

describe("the owner of", () => {
  it.each(STATES)("%s wakes when there is something to do, and not a millisecond earlier", (_, job, at, task) => {
    expect(wakeAt(job, NOON)).toBe(at);
    expect([taskAt(job, null, at - 1), taskAt(job, null, at)]).toEqual(["rest", task]);
  });

  it.each(STATES)("%s is missed by the sweeper when it should have spoken", (_, job, __, ___, missedAt) => {
    expect(attentionAt(job)).toBe(missedAt);
  });

  it("an end forgets it with its confirmation, unless the job is younger than 35 seconds", () => {
    const { createdAt } = completed();
    const forgets = (job: Job, at: number) => reporting.isForgettable(job, at);
    expect(forgets(confirmed(completed()), createdAt + 35 * SECOND - 1)).toBe(false);
    expect(forgets(confirmed(completed()), createdAt + 35 * SECOND)).toBe(true);
    expect(forgets(completed(), createdAt + DAY)).toBe(false);
  });
});

describe("a held job", () => {
  it("waits for the later of its time and the end of the hold", () => {
    const early = must(life.retry(failed(), NOON + 2 * MINUTE));
    const job: Job = { ...early, phase: { ...early.phase, heldUntil: NOON + MINUTE } as Phase };
    expect([wakeAt(job, NOON), attentionAt(job)]).toEqual([NOON + 2 * MINUTE, NOON + 2 * MINUTE]);
    expect(taskAt(job, null, NOON + 2 * MINUTE - 1)).toBe("rest");
  });
});

describe("a running push", () => {
  const WATCH = 35 * SECOND;

  it("is nobody's business while this instance has it in the air, whatever the time", () => {
    expect([NOON, NOON + TIMEOUT, NOON + DAY].map((now) => taskAt(pushing(), E1, now))).toEqual([
      "rest",
      "rest",
      "rest",
    ]);
  });

  it.each([null, STRANGER])("that this instance did not start (it has %s) is interrupted at once", (inFlight) => {
    expect(taskAt(pushing(), inFlight, NOON)).toBe("interrupt");
  });

  it.each([
    ["just begun", 0, WATCH],
    ["before the first ring", WATCH - 1, WATCH],
    ["at the first ring", WATCH, 2 * WATCH],
    ["after it", WATCH + 1, 2 * WATCH],
    ["much later", 100 * WATCH - 1, 100 * WATCH],
    ["with a clock gone back", -DAY, WATCH],
  ])("%s is watched each 35 s from its start", (_, afterMs, ringMs) => {
    expect(wakeAt(pushing(), NOON + afterMs)).toBe(NOON + ringMs);
  });

  it("is missed by the sweeper when its timeout has passed", () => {
    expect(attentionAt(pushing())).toBe(NOON + TIMEOUT);
  });
});

it("a row nobody has armed is missed when it is due, but not within 15 s of its creation", () => {
  expect(unarmedAttentionAt(NOON + 15 * SECOND - 1, NOON)).toBe(NOON + 15 * SECOND);
  expect(unarmedAttentionAt(NOON + 15 * SECOND + 1, NOON)).toBe(NOON + 15 * SECOND + 1);
});
