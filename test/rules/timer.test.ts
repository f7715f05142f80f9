// The clocks of a job: when its owner wakes, what it finds to do then, and by when the read model may expect its word.

import { describe, expect, it } from "vitest";
import { type Task, taskAt } from "../../src/domain/agenda.ts";
import type { Job, Phase } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { reportDueAt, wakeAt } from "../../src/domain/timer.ts";
import { reportOf } from "../../src/store/report.ts";
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

const confirmed = (job: Job): Job => reporting.confirm(job, reportOf(job));
/** Made from a row whose `arm` may still be under way. */
const young = (job: Job): Job => ({ ...job, keepUntil: NOON + 25 * SECOND });
const soon = (job: Job): Job => ({ ...job, phase: { ...job.phase, offerAt: NOON + 3 * SECOND } as Phase });

/** In each state: when its owner wakes, what for, and when the sweeper would miss it. */
const STATES: [string, Job, number, Task, number | null][] = [
  ["a job that waits", waiting(), NOON, "deliver", NOON],
  ["a held job", confirmed(life.hold(waiting(), NOON)), NOON + MINUTE, "deliver", NOON + MINUTE],
  ["a retrying job", settled(pushing(), FAILURE), NOON + SECOND, "deliver", NOON + SECOND],
  ["a held job not reported", life.hold(waiting(), NOON), NOON + 5 * SECOND, "report", NOON + MINUTE],
  ["a queued job not reported", queued(), NOON + 5 * SECOND, "report", NOON + MINUTE],
  ["a queued job", confirmed(queued()), NOON + MINUTE, "offer", NOON + MINUTE],
  ["a queued job whose offer failed", soon(queued()), NOON + 3 * SECOND, "offer", NOON + 3 * SECOND],
  [
    "a job on a named queue",
    confirmed(life.offerTaken(queued({ delivery: NAMED }), NOON)),
    NOON + DAY,
    "offer",
    NOON + DAY,
  ],
  ["a lease not reported", leased(), NOON + 5 * SECOND, "report", NOON + TIMEOUT],
  ["a lease", confirmed(leased()), NOON + TIMEOUT, "expire", NOON + TIMEOUT],
  ["a lease too short to report", leased({ timeoutSeconds: 3 }), NOON + 3 * SECOND, "expire", NOON + 3 * SECOND],
  ["an end not confirmed", completed(), NOON + 5 * SECOND, "report", null],
  [
    "an end reported again",
    reporting.reportAgain(failed(), "unavailable", 0, NOON),
    NOON + 10 * SECOND,
    "report",
    null,
  ],
  ["a young end not confirmed", young(cancelled()), NOON + 5 * SECOND, "report", null],
  ["a young end", confirmed(young(cancelled())), NOON + 25 * SECOND, "forget", null],
];

describe("the owner of", () => {
  it.each(STATES)("%s wakes when there is something to do, and not a millisecond earlier", (_, job, at, task) => {
    expect(wakeAt(job)).toBe(at);
    expect([taskAt(job, null, at - 1), taskAt(job, null, at)]).toEqual(["rest", task]);
  });

  it.each(STATES)("%s is missed by the sweeper when it should have spoken", (_, job, __, ___, missedAt) => {
    expect(reportDueAt(job)).toBe(missedAt);
  });

  it("an end forgets it with its confirmation, unless it was made from the row of a young job", () => {
    expect(reporting.isForgettable(completed(), NOON + DAY)).toBe(false);
    expect(reporting.isForgettable(confirmed(completed()), NOON)).toBe(true);
    expect(reporting.isForgettable(confirmed(young(completed())), NOON + 25 * SECOND - 1)).toBe(false);
    expect(reporting.isForgettable(confirmed(young(completed())), NOON + 25 * SECOND)).toBe(true);
  });
});

describe("a held job", () => {
  it("waits for the later of its time and the end of the hold", () => {
    const early = must(life.retry(failed(), NOON + 2 * MINUTE));
    const job: Job = confirmed({ ...early, phase: { ...early.phase, heldUntil: NOON + MINUTE } as Phase });
    expect([wakeAt(job), reportDueAt(job)]).toEqual([NOON + 2 * MINUTE, NOON + 2 * MINUTE]);
    expect(taskAt(job, null, NOON + 2 * MINUTE - 1)).toBe("rest");
  });
});

describe("a lease that goes on", () => {
  it("is reported every 15 seconds, however short it is and however often its worker beats", () => {
    let job: Job = leased({ timeoutSeconds: 1 });
    const reports: number[] = [];
    for (let now = NOON; now < NOON + MINUTE; now += SECOND / 2) {
      job = must(life.heartbeat(job, E1, now));
      if (taskAt(job, null, now) !== "report") continue;
      reports.push((now - NOON) / SECOND);
      job = confirmed(job);
    }
    expect(reports).toEqual([5, 20, 35, 50]);
  });
});

describe("a running push", () => {
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

  it("needs no timer of its own: the platform rings again when its instance dies", () => {
    expect(wakeAt(confirmed(pushing()))).toBeNull();
  });

  it("is missed by the sweeper when its timeout has passed", () => {
    expect(reportDueAt(pushing())).toBe(NOON + TIMEOUT);
  });
});
