// What a job's owner remembers of its flow: which claims are needed, which are given back, and how late a turn is.

import { describe, expect, it } from "vitest";
import { taskAt } from "../../src/domain/agenda.ts";
import * as claims from "../../src/domain/flow-claim.ts";
import { type Job, workOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import { confirm, isForgettable } from "../../src/domain/reporting.ts";
import { wakeAt } from "../../src/domain/timer.ts";
import { reportOf } from "../../src/store/report.ts";
import {
  begun,
  E1,
  FAILURE,
  HOUR,
  MINUTE,
  must,
  NO_CHANCE,
  NOON,
  PULL,
  runAtIn,
  SECOND,
  settled,
  waiting,
} from "./a-job.ts";

const FLOW = { flow: "calls" };
const standing = (): Job => life.standInLine(waiting(FLOW), NOON);
const turned = (): Job => claims.called(standing(), NOON);
const editOf = (job: Job, patch: Partial<ReturnType<typeof workOf>> = {}) => ({
  ...workOf(job),
  scheduledFor: job.scheduledFor,
  retimed: false,
  ...patch,
});

/** What the owner does then. */
const task = (job: Job, now = NOON) => taskAt(job, null, now);

describe("in line", () => {
  it("a job looks by itself after ten minutes, then as long as it has waited, at most an hour", () => {
    expect(wakeAt({ ...standing(), reportAt: null })).toBe(NOON + 10 * MINUTE);
    const later = life.standInLine(waiting(FLOW), NOON + 30 * MINUTE);
    expect(wakeAt({ ...later, reportAt: null })).toBe(NOON + 60 * MINUTE);
    const muchLater = life.standInLine(waiting(FLOW), NOON + 10 * HOUR);
    expect(wakeAt({ ...muchLater, reportAt: null })).toBe(NOON + 11 * HOUR);
  });

  it("its expiry rings all the same", () => {
    const job = life.standInLine(waiting({ ...FLOW, expiresAfterMs: MINUTE }), NOON);
    expect(wakeAt({ ...job, reportAt: null })).toBe(NOON + MINUTE);
    expect(task(job, NOON + MINUTE)).toBe("give-up");
  });

  it("a run keeps the place: the attempt is due when it was", () => {
    const run = must(life.run(standing(), NOON + MINUTE));
    expect(claims.ticketOf(run)).toEqual(claims.ticketOf(standing()));
    expect(claims.isClaimNeeded(run)).toBe(true);
    expect(task(run, NOON + MINUTE)).toBe("deliver"); // it asks again
  });

  it("a job without an answer asks again within five seconds, later within a minute, and may have a place", () => {
    const once = claims.unanswered(waiting(FLOW), NO_CHANCE, NOON);
    expect(wakeAt({ ...once, reportAt: null })).toBe(NOON + 2.5 * SECOND);
    expect(claims.isClaimNeeded(once)).toBe(true);
    const late = claims.unanswered(waiting(FLOW), 0.999, NOON + HOUR);
    expect(wakeAt({ ...late, reportAt: null })).toBeLessThanOrEqual(NOON + HOUR + MINUTE);
  });
});

describe("a turn", () => {
  it("holds for a second, and not a millisecond longer", () => {
    expect(claims.hasTurn(turned(), NOON + SECOND)).toBe(true);
    expect(claims.hasTurn(turned(), NOON + SECOND + 1)).toBe(false);
  });

  it("of a clock that was set back holds for nothing", () => {
    expect(claims.hasTurn(turned(), NOON - 1)).toBe(false);
  });

  it("makes the job due now", () => {
    expect(task(turned())).toBe("deliver");
    expect(wakeAt({ ...turned(), reportAt: null })).toBe(NOON);
  });
});

describe("a claim is given back, before anything else is done with it,", () => {
  const cases: Record<string, () => Job> = {
    "of a job that was cancelled": () => must(life.cancel(turned(), NOON)),
    "of a job that was edited into another flow": () =>
      must(life.edit(turned(), editOf(turned(), { flow: "b" }), NOON)),
    "of a job that was taken out of its flow": () => must(life.edit(turned(), editOf(turned(), { flow: null }), NOON)),
    "of a job whose time was moved": () =>
      must(life.edit(turned(), { ...editOf(turned()), scheduledFor: NOON + HOUR, retimed: true }, NOON)),
    "of an attempt that failed": () => settled(begun(turned()), FAILURE),
    "of an attempt that completed": () => settled(begun(turned()), { kind: "completed" }),
    "of an attempt that was interrupted": () => {
      const interrupted = life.interrupt(begun(turned()), NO_CHANCE, NOON);
      if (!interrupted) throw new Error("it was not");
      return interrupted;
    },
    "of a job that is held because its account is suspended": () => life.hold(turned(), NOON, "suspended"),
    "of a job that has expired": () => {
      const given = life.giveUp(life.standInLine(waiting({ ...FLOW, expiresAfterMs: MINUTE }), NOON), NOON + MINUTE);
      if (!given) throw new Error("it has not");
      return given;
    },
  };

  it.each(Object.entries(cases))("%s", (_, make) => {
    const job = make();
    expect(claims.isClaimNeeded(job)).toBe(false);
    expect(task(job, NOON + MINUTE)).toBe("give-back");
    expect(wakeAt(job)).toBeLessThanOrEqual(NOON + MINUTE);
    expect(claims.uselessSince(claims.givenBack(job))).toBeNull();
  });

  it("and an end does not let go of itself before", () => {
    const ended = settled(begun(turned()), { kind: "completed" });
    const confirmed = confirm(ended, reportOf(ended));
    expect(isForgettable(confirmed, NOON + HOUR)).toBe(false);
    expect(isForgettable(claims.givenBack(confirmed), NOON + HOUR)).toBe(true);
  });

  it("and repeated after five seconds doubling to a minute when nobody heard it", () => {
    const ended = must(life.cancel(turned(), NOON));
    expect(claims.uselessSince(claims.giveBackAgain(ended, NOON))).toBe(NOON + 5 * SECOND);
    expect(claims.uselessSince(claims.giveBackAgain(ended, NOON + 20 * SECOND))).toBe(NOON + 40 * SECOND);
    expect(claims.uselessSince(claims.giveBackAgain(ended, NOON + HOUR))).toBe(NOON + HOUR + MINUTE);
  });
});

describe("what the breaker learns of an attempt", () => {
  it.each([
    ["completed", () => settled(begun(turned()), { kind: "completed" })],
    ["failed", () => settled(begun(turned()), FAILURE)],
    ["failed", () => settled(begun(turned()), { ...FAILURE, kind: "timed_out" as const })],
    ["neither", () => must(life.cancel(begun(turned()), NOON))],
    ["neither", () => must(life.cancel(turned(), NOON))],
  ] as const)("%s", (end, make) => {
    expect(claims.endOf(make())).toBe(end);
  });

  it("is of that attempt, not of the one before", () => {
    const retrying = claims.givenBack(settled(begun(turned()), FAILURE));
    const again = claims.called(life.standInLine(retrying, runAtIn(retrying)), runAtIn(retrying));
    expect(again.claim?.attempt).toBe(2);
    expect(claims.endOf(must(life.cancel(again, NOON + HOUR)))).toBe("neither");
  });
});

describe("how a slot is used", () => {
  const use = (job: Job | undefined, now = NOON) => claims.slotUse(job, "calls", 1, now);

  it("by a push until its time is over, with half a minute to say so", () => {
    expect(use(begun(turned()))).toEqual({ until: NOON + 30 * SECOND + 30 * SECOND });
  });

  it("by a leased job until its lease ends, so that a heartbeat needs no call", () => {
    const pull = claims.called(life.standInLine(waiting({ ...FLOW, delivery: PULL }), NOON), NOON);
    const queued = life.enqueue(pull, E1, NOON);
    if (!queued) throw new Error("it was not offered");
    expect(use(queued)).toEqual({ until: NOON + 10 * MINUTE });
    const leased = must(life.lease(queued, E1, null, NOON));
    const beaten = must(life.heartbeat(leased, E1, NOON + 20 * SECOND, null));
    expect(use(beaten, NOON + 25 * SECOND)).toEqual({ until: NOON + 20 * SECOND + 30 * SECOND + 30 * SECOND });
  });

  it("no more once its attempt is over: the answer says how it ended", () => {
    const failed = settled(begun(turned()), FAILURE);
    expect(use(failed)).toEqual({ until: null, end: "failed", startedAt: NOON });
    expect(use(must(life.cancel(turned(), NOON)))).toEqual({ until: null, end: "neither", startedAt: null });
  });

  it("not at all by an owner that knows nothing of it", () => {
    const never = { until: null, end: "neither", startedAt: null };
    expect(use(undefined)).toEqual(never);
    expect(claims.slotUse(turned(), "others", 1, NOON)).toEqual(never);
    expect(claims.slotUse(turned(), "calls", 2, NOON)).toEqual(never);
  });
});
