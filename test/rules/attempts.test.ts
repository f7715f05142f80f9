// How attempts begin: when they are due, how they are numbered, and how a worker comes by its lease and keeps it.

import { describe, expect, it } from "vitest";
import { newest, viewOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import { confirm } from "../../src/domain/reporting.ts";
import { reportOf } from "../../src/store/report.ts";
import {
  aSpec,
  begun,
  E1,
  FAILURE,
  FINAL,
  failed,
  given,
  HOUR,
  leased,
  MINUTE,
  must,
  NAMED,
  NOON,
  openIn,
  PULL,
  pushing,
  queued,
  runAtIn,
  SECOND,
  STRANGER,
  settled,
  TIMEOUT,
  waiting,
} from "./a-job.ts";

it("a job is armed waiting for its time, at a revision above its row's", () => {
  const signing = { signingVersion: 1, overlapEndsAt: null, masterKeyId: "a1b2", previousMasterKeyId: null };
  expect(life.arm(aSpec(), signing)).toEqual({
    ...aSpec(),
    v: 1,
    updatedAt: aSpec().createdAt,
    revision: 1,
    editedAt: 0,
    operation: null,
    expiresAt: null,
    attempt: 0,
    started: 0,
    tries: 0,
    interruptions: 0,
    interruptedSince: null,
    lastError: null,
    signing,
    phase: { name: "waiting", runAt: NOON, trigger: "scheduled" },
    claim: null,
    untold: [],
    executions: [],
    reportAt: null,
    failedReports: 0,
    keepUntil: 0,
  });
});

describe("an attempt", () => {
  it("starts when it is due and not a millisecond earlier", () => {
    expect(life.start(waiting(), E1, NOON - 1)).toBeUndefined();
    expect(given(life.start(waiting(), E1, NOON))).toMatchObject({
      updatedAt: NOON,
      attempt: 1,
      started: 1,
      phase: { name: "running", executionId: E1, startedAt: NOON, leaseEndsAt: NOON + TIMEOUT },
      executions: [{ id: E1, attempt: 1, trigger: "scheduled", status: "running", dueAt: NOON, startedAt: NOON }],
    });
  });

  it("is queued for a worker when it is due and not a millisecond earlier", () => {
    const job = waiting({ delivery: PULL });
    expect(life.enqueue(job, E1, NOON - 1)).toBeUndefined();
    expect(given(life.enqueue(job, E1, NOON))).toMatchObject({
      attempt: 1,
      started: 0,
      phase: { name: "queued", executionId: E1, since: NOON, offers: 1 },
      executions: [{ id: E1, attempt: 1, status: "queued", workerId: null, dueAt: NOON, startedAt: null }],
    });
  });

  it("that starts late tells when it was due", () => {
    const late = given(life.start(waiting(), E1, NOON + HOUR));
    expect(newest(late)).toMatchObject({ dueAt: NOON, startedAt: NOON + HOUR });
    expect(late.phase).toMatchObject({ leaseEndsAt: NOON + HOUR + TIMEOUT });
  });

  it("carries the revision that changed it last", () => {
    const first = pushing();
    const second = begun(settled(first, FAILURE));
    expect(second.executions.map(({ revision }) => revision)).toEqual([first.revision + 1, second.revision]);
  });

  it("is numbered on through retries, manual retries and what the read model has taken over", () => {
    const ended = failed();
    const again = begun(must(life.retry(confirm(ended, reportOf(ended)), NOON)));
    const third = begun(settled(again, FAILURE));
    expect(third.executions.map(({ attempt, trigger }) => [attempt, trigger])).toEqual([
      [1, "scheduled"],
      [2, "manual_retry"],
      [3, "system_retry"],
    ]);
    expect(viewOf(third).attempts).toBe(3);
  });
});

describe("an offer", () => {
  it("is made again after 1, 5 and 30 minutes, then each hour", () => {
    const waits: number[] = [];
    let job = queued();
    let now = NOON;
    for (let offer = 1; offer <= 6; offer++) {
      const at = job.phase.name === "queued" ? job.phase.offerAt : 0;
      waits.push(at - now);
      expect(life.offerAgain(job, at - 1)).toBeUndefined();
      now = at;
      job = given(life.offerAgain(job, now));
    }
    expect(waits).toEqual([MINUTE, 5 * MINUTE, 30 * MINUTE, HOUR, HOUR, HOUR]);
    expect(job).toMatchObject({ attempt: 1, phase: { name: "queued", executionId: E1, since: NOON, offers: 7 } });
  });

  it("on a named queue is made again soon until it is taken: its owner may have died before it sent it", () => {
    expect(queued({ delivery: NAMED }).phase).toMatchObject({ offerAt: NOON + MINUTE });
    expect(life.offerTaken(queued(), NOON + SECOND)).toEqual(queued());
  });

  it("on a named queue is made again once a day", () => {
    const job = life.offerTaken(queued({ delivery: NAMED }), NOON);
    expect(job.phase).toMatchObject({ offerAt: NOON + 24 * HOUR });
    const again = given(life.offerAgain(job, NOON + 24 * HOUR));
    expect(again.phase).toMatchObject({ offers: 2, offerAt: NOON + 48 * HOUR });
  });

  it("that no queue took is made again in half a minute", () => {
    expect(life.offerSoon(queued(), NOON).phase).toMatchObject({ executionId: E1, offerAt: NOON + 30 * SECOND });
  });
});

describe("a lease", () => {
  it("goes to the queued execution for `timeout` from now, and is told whose it is", () => {
    const job = must(life.lease(queued(), E1, "worker-7", NOON + MINUTE));
    expect(job).toMatchObject({
      started: 1,
      phase: { name: "running", startedAt: NOON + MINUTE, leaseEndsAt: NOON + MINUTE + TIMEOUT },
      executions: [{ status: "running", startedAt: NOON + MINUTE, workerId: "worker-7", dueAt: NOON }],
    });
  });

  it("is refused to any execution but the queued one, and to a second worker", () => {
    expect(life.lease(queued(), STRANGER, null, NOON)).toMatchObject({ error: { code: "lease_lost" } });
    expect(life.lease(leased(), E1, null, NOON)).toMatchObject({ error: { code: "lease_lost", status: "running" } });
  });
});

describe("a heartbeat", () => {
  it("makes the lease last `timeout` from now", () => {
    const beaten = must(life.heartbeat(leased(), E1, NOON + SECOND));
    expect(beaten.phase).toMatchObject({ leaseEndsAt: NOON + SECOND + TIMEOUT, startedAt: NOON });
  });

  it("never shortens a lease, not even when the clock has gone back", () => {
    expect(must(life.heartbeat(leased(), E1, NOON - HOUR)).phase).toMatchObject({ leaseEndsAt: NOON + TIMEOUT });
  });

  it("comes in time up to the last millisecond", () => {
    expect(life.heartbeat(leased(), E1, NOON + TIMEOUT - 1).ok).toBe(true);
    expect(life.heartbeat(leased(), E1, NOON + TIMEOUT).ok).toBe(false);
    expect(life.heartbeat(leased(), STRANGER, NOON).ok).toBe(false);
  });
});

describe("a released lease", () => {
  const released = must(life.release(leased(), E1, NOON + SECOND));

  it("burns nothing: the same execution waits as if nobody had taken it", () => {
    const { started, tries, attempt, lastError, executions } = queued();
    const [execution] = executions;
    expect(released).toMatchObject({ started, tries, attempt, lastError });
    expect(released.executions).toEqual([{ ...execution, revision: released.revision }]);
  });

  it("is offered anew, from the moment of the release", () => {
    expect(released.phase).toEqual({
      name: "queued",
      executionId: E1,
      since: NOON + SECOND,
      offers: 1,
      offerAt: NOON + SECOND + MINUTE,
    });
    expect(life.lease(released, E1, "worker-8", NOON + MINUTE).ok).toBe(true);
  });

  it("can be given back only by its holder, while it lasts", () => {
    expect(life.release(leased(), STRANGER, NOON).ok).toBe(false);
    expect(life.release(leased(), E1, NOON + TIMEOUT - 1).ok).toBe(true);
    expect(life.release(leased(), E1, NOON + TIMEOUT).ok).toBe(false);
  });
});

it("a later attempt waits for its own time", () => {
  const retrying = settled(pushing(), FAILURE);
  const due = runAtIn(retrying);
  expect(life.start(retrying, "e2", due - 1)).toBeUndefined();
  expect(openIn(given(life.start(retrying, "e2", due)))).toBe("e2");
  expect(life.start(settled(pushing(), FINAL), "e2", due)).toBeUndefined();
});
