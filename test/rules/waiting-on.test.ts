// Why a job has not run yet: the reason at each moment, and words that a person can act on.

import { describe, expect, it } from "vitest";
import type { FlowView } from "../../src/domain/flow.ts";
import type { QueueView } from "../../src/domain/handler.ts";
import { type Job, viewOf, workOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import {
  GRACE_MS,
  NO_WORKER_MS,
  type WaitFacts,
  type WaitingOn,
  waitingOn,
  waitOf,
} from "../../src/domain/waiting-on.ts";
import {
  begun,
  cancelled,
  completed,
  DAY,
  E1,
  FAILURE,
  failed,
  given,
  HOUR,
  JOB_ID,
  leased,
  MINUTE,
  must,
  NAMED,
  NO_CHANCE,
  NOON,
  PULL,
  pushing,
  queued,
  runAtIn,
  SECOND,
  settled,
  waiting,
} from "./a-job.ts";

const NOTHING: WaitFacts = { missingBinding: null, queue: null, line: null };

/** A PullQueue with the job in it, of which a worker asks at this moment. */
const polledAt = (lastPollAt: number | null, more: Partial<QueueView> = {}): WaitFacts => ({
  missingBinding: null,
  queue: { waiting: 1, oldestDueAt: NOON, lastPollAt, lastPollBy: lastPollAt, workers: [], holds: true, ...more },
  line: null,
});

function at(now: number, job: Job, facts = NOTHING): WaitingOn {
  const wait = waitOf(job);
  if (wait === null) throw new Error("it does not wait");
  return waitingOn(viewOf(job), wait, facts, now);
}

it.each(Object.entries({ pushing, leased, completed, failed, cancelled }))(
  "a job that is %s waits for nothing",
  (_, make) => {
    expect(waitOf(make())).toBeNull();
  },
);

describe("not_due", () => {
  it("holds since the job was made, until it is due", () => {
    expect(at(NOON - 1, waiting())).toEqual({
      reason: "not_due",
      message: "Due at 2030-01-01 12:00:00 UTC; it runs then.",
      since: NOON - DAY,
      until: NOON,
    });
  });

  it("says what becomes of a pull job then", () => {
    expect(at(NOON - 1, waiting({ delivery: PULL })).message).toMatch(/; workers of `resize` can take it then\.$/);
    expect(at(NOON - 1, waiting({ delivery: NAMED })).message).toMatch(/; it goes to the queue `images` then\.$/);
  });

  it("covers the moment between due and begun, and becomes overdue after 5 seconds and not a millisecond earlier", () => {
    expect(at(NOON, waiting())).toMatchObject({ reason: "not_due", until: NOON });
    expect(at(NOON + GRACE_MS - 1, waiting()).message).toBe("Due since 2030-01-01 12:00:00 UTC; it is about to start.");
    expect(at(NOON + GRACE_MS, waiting()).reason).toBe("overdue");
  });
});

describe("backoff", () => {
  const retrying = (patch = {}) => settled(pushing(patch), FAILURE);

  it("says what failed and when it goes on, from the failure to the next attempt", () => {
    const job = retrying();
    expect(at(NOON, job)).toEqual({
      reason: "backoff",
      message: "Attempt 1 failed (http_status: The target answered 500). Attempt 2 starts at 2030-01-01 12:00:01 UTC.",
      since: NOON,
      until: runAtIn(job),
    });
    expect(at(runAtIn(job), job).message).toMatch(/Attempt 2 is about to start\.$/);
    expect(at(runAtIn(job) + GRACE_MS, job).reason).toBe("overdue");
  });

  it("counts attempts on", () => {
    const job = settled(begun(retrying()), FAILURE, NOON + 2 * SECOND);
    expect(at(NOON + 2 * SECOND, job).message).toMatch(/^Attempt 2 failed \(.*\)\. Attempt 3 starts at /);
  });

  it("of an interruption says so, and holds since then", () => {
    const job = given(life.interrupt(pushing(), NO_CHANCE, NOON + SECOND));
    expect(at(NOON + SECOND, job)).toMatchObject({ reason: "backoff", since: NOON + SECOND });
    expect(at(NOON + SECOND, job).message).toMatch(/^Attempt 1 was interrupted \(platform: The service stopped/);
  });

  it("keeps its beginning when the job is changed meanwhile", () => {
    const { phase: _, ...work } = retrying();
    const job = must(life.edit(retrying(), { ...work, name: "new", retimed: false }, NOON + 500));
    expect(at(NOON + 600, job).since).toBe(NOON);
  });

  it("says when the job expires before its next attempt, and ends then", () => {
    const job = { ...retrying(), expiresAt: NOON + 500 };
    expect(at(NOON, job)).toMatchObject({ reason: "backoff", until: NOON + 500 });
    expect(at(NOON, job).message).toMatch(/Attempt 2 would start at .*, but the job fails with `expired` at .*\.$/);
  });

  it("shows a long error on one line, cut", () => {
    const error = { code: "handler_error", message: `first\n  second ${"x".repeat(4_000)}` } as const;
    const job = settled(pushing(), { ...FAILURE, error });
    expect(at(NOON, job).message).toMatch(/^Attempt 1 failed \(handler_error: first second x{100,200}\)\. Attempt 2/);
  });

  it("is not the reason of a job that is run by hand", () => {
    expect(at(NOON, must(life.run(retrying(), NOON))).reason).toBe("not_due");
  });
});

describe("waiting_for_worker", () => {
  it("holds since the job is queued, and says how many wait", () => {
    expect(at(NOON + 1, queued(), polledAt(NOON))).toEqual({
      reason: "waiting_for_worker",
      message:
        "A worker asked for `resize` last at 2030-01-01 12:00:00 UTC; 1 job waits. The job that is due longest is taken first; " +
        "more workers take more at a time.",
      since: NOON,
      until: null,
    });
    const many = polledAt(NOON, { waiting: 214, oldestDueAt: NOON - HOUR });
    expect(at(NOON + 1, queued(), many).message).toContain(
      "; 214 jobs wait, the oldest since 2030-01-01 11:00:00 UTC. ",
    );
  });

  it("holds since the job was due, though an outage has kept it from being queued", () => {
    const late = given(life.enqueue(waiting({ delivery: PULL }), E1, NOON + HOUR));
    expect(at(NOON + HOUR, late, polledAt(NOON + HOUR))).toMatchObject({ since: NOON });
    expect(at(NOON + HOUR, late, polledAt(null))).toMatchObject({ reason: "no_worker", since: NOON });
  });

  it("is the answer when PullQueue does not answer, and says so", () => {
    expect(at(NOON + HOUR, queued())).toMatchObject({ reason: "waiting_for_worker", since: NOON, until: null });
    expect(at(NOON + HOUR, queued()).message).toContain("could not be found out in time");
  });

  it("is overdue when the job has not reached its PullQueue within 5 seconds, until it is offered again", () => {
    const lost = (now: number) => at(now, queued(), polledAt(now, { holds: false, waiting: 0, oldestDueAt: null }));
    expect(lost(NOON + GRACE_MS - 1).reason).toBe("waiting_for_worker");
    expect(lost(NOON + GRACE_MS)).toMatchObject({ reason: "overdue", since: NOON, until: NOON + MINUTE });
  });
});

describe("no_worker", () => {
  it("holds when nobody has asked for a minute, and not a millisecond earlier", () => {
    expect(at(NOON + NO_WORKER_MS - 1, queued(), polledAt(NOON)).reason).toBe("waiting_for_worker");
    expect(at(NOON + NO_WORKER_MS, queued(), polledAt(NOON))).toEqual({
      reason: "no_worker",
      message:
        "No worker has asked for `resize` since 2030-01-01 12:00:00 UTC; 1 job waits. Start a worker for this handler, or check " +
        "that its API key and handler name are right. A worker that is busy asks again when it has room.",
      since: NOON,
      until: null,
    });
  });

  it("is not said too early of a time that may have been written 30 seconds before the last poll", () => {
    const stale = polledAt(NOON, { lastPollBy: NOON + 30 * SECOND });
    expect(at(NOON + 89 * SECOND, queued(), stale).reason).toBe("waiting_for_worker");
    expect(at(NOON + 90 * SECOND, queued(), stale).reason).toBe("no_worker");
  });

  it("holds at once when nobody has ever asked, and since the last poll otherwise, but not before the job was due", () => {
    expect(at(NOON, queued(), polledAt(null))).toMatchObject({ reason: "no_worker", since: NOON });
    expect(at(NOON, queued(), polledAt(null)).message).toMatch(
      /^No worker has asked for `resize` in the last 7 days; /,
    );
    expect(at(NOON + 1, queued(), polledAt(NOON - HOUR)).since).toBe(NOON);
    expect(at(NOON + HOUR, queued(), polledAt(NOON + MINUTE)).since).toBe(NOON + MINUTE);
  });

  it("counts the others", () => {
    expect(at(NOON, queued(), polledAt(null, { waiting: 214 })).message).toContain("; 214 jobs wait. Start a worker");
    expect(at(NOON, queued(), polledAt(null, { waiting: 0, holds: false })).message).toContain("; 1 job waits. Start");
  });

  it("says when the job expires", () => {
    const job = queued({ expiresAfterMs: HOUR });
    expect(at(NOON, job, polledAt(null))).toMatchObject({ reason: "no_worker", until: NOON + HOUR });
    expect(at(NOON, job, polledAt(null)).message).toMatch(
      / If no attempt has started by 2030-01-01 13:00:00 UTC, the job fails with `expired`\.$/,
    );
  });
});

describe("a named queue", () => {
  const sent = life.offerTaken(queued({ delivery: NAMED }), NOON);
  const unsent = life.offerSoon(sent, NOON);
  const UNBOUND: WaitFacts = { missingBinding: "QUEUE_IMAGES", queue: null, line: null };

  it("that is not bound is queue_not_bound: bind it, or cancel the job", () => {
    expect(at(NOON + SECOND, unsent, UNBOUND)).toEqual({
      reason: "queue_not_bound",
      message:
        "Queue `images` is not bound to this service: bind it as QUEUE_IMAGES and deploy. The job is sent within 30 seconds after " +
        "that. Or cancel the job, and create another one.",
      since: NOON,
      until: null,
    });
    expect(at(NOON + SECOND, sent, UNBOUND).message).toContain("It was sent to the queue before");
  });

  it("that has taken the job: its consumer has to start it, and nobody asks PullQueue", () => {
    expect(at(NOON + HOUR, sent)).toMatchObject({ reason: "waiting_for_worker", since: NOON, until: null });
    expect(at(NOON + HOUR, sent).message).toMatch(/^Sent to the queue `images` at .*; its consumer has not started it/);
  });

  it("that did not take the job is overdue, until it is sent again", () => {
    expect(at(NOON + SECOND, unsent)).toMatchObject({ reason: "overdue", since: NOON, until: NOON + 30 * SECOND });
  });
});

describe("a job in the line of its flow", () => {
  const FLOW: FlowView = {
    key: "mail/a",
    concurrency: 5,
    rate: { limit: 100, period: { value: 1, unit: "minute" } },
    breaker: null,
    paused: false,
    pausedUntil: null,
    waiting: 12,
    running: 1,
    oldestWaitingSince: NOON,
    createdAt: NOON,
    updatedAt: NOON,
    revision: 1,
  };
  const standing = life.standInLine(waiting({ flow: "mail/a" }), NOON);
  const inLine = (patch: Partial<FlowView>, place: number | null = 3) =>
    at(NOON + MINUTE, standing, { ...NOTHING, line: { flow: { ...FLOW, ...patch }, place } });

  it("is flow_limited, says the limits, its place and how many run", () => {
    expect(inLine({})).toEqual({
      reason: "flow_limited",
      message:
        "Due since 2030-01-01 12:00:00 UTC; it waits for its turn in the flow `mail/a` (5 at once, 100 in 1 minute). It is number 3 of 12 in line. 1 runs now.",
      since: NOON,
      until: null,
    });
    expect(inLine({ concurrency: null, rate: null, running: 2 }, null).message).toMatch(
      / \(without limits\)\. 2 run now\.$/,
    );
  });

  it("is flow_paused while a person has paused it, and says how to go on", () => {
    const { reason, message } = inLine({ paused: true });
    expect(reason).toBe("flow_paused");
    expect(message).toMatch(/ It is number 3 of 12 in line\. To go on: `POST \/v1\/flows\/mail%2Fa\/resume`\.$/);
  });

  it("is flow_paused until its breaker lets one attempt try", () => {
    const { reason, message, until } = inLine({ pausedUntil: NOON + HOUR });
    expect([reason, until]).toEqual(["flow_paused", NOON + HOUR]);
    expect(message).toMatch(
      /has paused itself after failures in a row\. It lets one attempt try at 2030-01-01 13:00:00 UTC\./,
    );
  });

  it("says so when its flow cannot be asked", () => {
    expect(at(NOON + MINUTE, standing).message).toMatch(
      /could not be asked in time: read the job again in a moment\.$/,
    );
  });

  it("is about to start once it is edited out of its flow, and no account was suspended", () => {
    const edit = { ...workOf(standing), scheduledFor: standing.scheduledFor, retimed: false, flow: null };
    expect(at(NOON + SECOND, must(life.edit(standing, edit, NOON))).reason).toBe("not_due");
  });
});

describe("account_suspended", () => {
  const held = life.hold(waiting(), NOON + SECOND);

  it("holds since the job was due, until it looks again, and names the way to run it now", () => {
    expect(at(NOON + MINUTE, held)).toEqual({
      reason: "account_suspended",
      message:
        "The account was suspended when the job came due at 2030-01-01 12:00:00 UTC. It looks again at 2030-01-01 12:01:01 UTC, " +
        `and runs if the account is active by then. To run it now: \`POST /v1/jobs/${JOB_ID}/run\`.`,
      since: NOON,
      until: NOON + 61_500,
    });
  });

  it("ends with the look: when that does not come, the job is overdue since then", () => {
    const looksAt = NOON + 61_500;
    expect(at(looksAt + GRACE_MS - 1, held).reason).toBe("account_suspended");
    expect(at(looksAt + GRACE_MS, held)).toMatchObject({ reason: "overdue", since: looksAt, until: null });
    expect(at(looksAt, must(life.run(held, looksAt))).reason).toBe("not_due");
  });
});

describe("overdue", () => {
  it("of a job that nobody has started: since its time, and nobody knows until when", () => {
    expect(at(NOON + MINUTE, waiting())).toMatchObject({ reason: "overdue", since: NOON, until: null });
    expect(at(NOON + MINUTE, waiting()).message).toMatch(
      /^Due since 2030-01-01 12:00:00 UTC, and the service is behind\. /,
    );
  });

  it("ends with the job, if that expires", () => {
    const job = waiting({ expiresAfterMs: HOUR });
    expect(at(NOON + MINUTE, job)).toMatchObject({ reason: "overdue", until: NOON + HOUR });
  });

  it("of a request that cannot be signed says what the operator has to look at", () => {
    const job = life.hold(waiting(), NOON, "unsigned");
    expect(at(NOON, job)).toMatchObject({ reason: "overdue", since: NOON, until: NOON + MINUTE });
    expect(at(NOON, job).message).toContain("`MASTER_KEY`");
  });
});

it("a retry of a queued execution waits like the first", () => {
  const expired = given(life.expire(leased(), NO_CHANCE, NOON + HOUR));
  const again = given(life.enqueue(expired, "e2", runAtIn(expired)));
  expect(at(runAtIn(expired), again, polledAt(runAtIn(expired)))).toMatchObject({ reason: "waiting_for_worker" });
  expect(again.phase).toMatchObject({ executionId: "e2" });
  expect(E1).not.toBe("e2");
});
