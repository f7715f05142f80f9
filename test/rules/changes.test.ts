// A person's change of mind: what it does to a job, what it leaves alone, and how the read model comes to hold it.

import { describe, expect, it } from "vitest";
import { taskAt } from "../../src/domain/agenda.ts";
import { type Job, type JobEdit, specOf, viewOf, workOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { wakeAt } from "../../src/domain/timer.ts";
import { type JobReport, reportOf } from "../../src/store/report.ts";
import { jsonText } from "../harness/json-text.ts";
import {
  aSpec,
  begun,
  DAY,
  E1,
  FAILURE,
  failed,
  HOUR,
  leased,
  MINUTE,
  must,
  NOON,
  PULL,
  PUSH,
  pushing,
  queued,
  SECOND,
  settled,
  waiting,
} from "./a-job.ts";

/** Everything otherwise. */
const OTHER = {
  name: "other",
  handler: "other",
  payload: jsonText({ other: 1 }),
  delivery: { ...PUSH, url: "https://other.example.com/" },
  timeoutSeconds: 7,
  maxRetries: 50,
  backoff: { type: "list", delaysSeconds: [5] },
  expiresAfterMs: DAY,
  tags: ["a", "b"],
  flow: "f",
  callbacks: { completed: null, failed: { url: "https://example.com/failed", headers: {} } },
} satisfies Partial<JobEdit>;

const editOf = (job: Job, patch: Partial<JobEdit> = {}): JobEdit => ({
  ...workOf(job),
  scheduledFor: job.scheduledFor,
  retimed: false,
  ...patch,
});
const edited = (job: Job, patch: Partial<JobEdit> = {}, now = NOON): Job =>
  must(life.edit(job, editOf(job, patch), now));
const retrying = (patch = {}): Job => settled(pushing(patch), FAILURE);

describe("an edit", () => {
  it("changes all that was asked for, and nothing of what has become of the job", () => {
    const before = retrying();
    const job = edited(before, OTHER, NOON + MINUTE);
    expect(workOf(job)).toEqual(OTHER);
    const { accountId, id, scheduleId, origin, idempotencyKey, createdAt, scheduledFor } = specOf(before);
    expect(job).toMatchObject({ accountId, id, scheduleId, origin, idempotencyKey, createdAt, scheduledFor });
    expect([job.phase, job.executions, job.tries, job.attempt]).toEqual([
      before.phase,
      before.executions,
      before.tries,
      before.attempt,
    ]);
    expect(job).toMatchObject({ updatedAt: NOON + MINUTE, revision: before.revision + 1 });
  });

  it("of everything at once takes nothing but work and time from it", () => {
    const spec = {
      ...aSpec({ ...OTHER, accountId: "theirs", idempotencyKey: "theirs", createdAt: NOON }),
      retimed: true,
    };
    const job = must(life.edit(waiting(), { ...spec, scheduledFor: NOON + DAY }, NOON));
    expect(job).toMatchObject({ accountId: "acct", id: waiting().id, idempotencyKey: null, createdAt: NOON - DAY });
    expect(job).not.toHaveProperty("retimed");
    expect(job).toMatchObject({ scheduledFor: NOON + DAY, phase: { name: "waiting", runAt: NOON + DAY } });
  });

  it("of its time makes it due then, whatever held it back", () => {
    const held = life.hold(waiting(), NOON);
    const job = edited(held, { scheduledFor: NOON + DAY, retimed: true });
    expect(job.phase).toEqual({ name: "waiting", runAt: NOON + DAY, trigger: "scheduled" });
    expect(viewOf(job)).toMatchObject({ status: "pending", scheduledFor: NOON + DAY, runAt: NOON + DAY });
  });

  it("keeps what a job was taken up for: a retry by hand, a run by hand", () => {
    for (const job of [must(life.retry(failed(), NOON)), must(life.run(retrying(), NOON))]) {
      const moved = edited(job, { scheduledFor: NOON + DAY, retimed: true });
      expect(moved.phase).toEqual({ ...job.phase, runAt: NOON + DAY });
    }
  });

  it("is refused on what is to be tried again if it names a time, and only then", () => {
    const job = retrying();
    expect(life.edit(job, editOf(job, { scheduledFor: NOON + DAY, retimed: true }), NOON)).toEqual({
      ok: false,
      error: { code: "job_not_editable", status: "retrying" },
    });
    expect(edited(job, { name: "other" }).phase).toEqual(job.phase);
  });

  it("goes out with the next attempt, and its number goes on", () => {
    const job = begun(edited(retrying(), { timeoutSeconds: 7 }));
    expect(job.executions.at(-1)).toMatchObject({ attempt: 2, trigger: "system_retry" });
    expect(job.phase).toMatchObject({ name: "running", leaseEndsAt: NOON + SECOND + 7 * SECOND });
  });

  it("from push to pull, and back, begins the next attempt in its own way", () => {
    const pulled = edited(retrying(), { delivery: PULL });
    expect(life.enqueue(pulled, "e2", NOON + SECOND)?.phase.name).toBe("queued");
    const pushed = edited(settled(leased(), FAILURE), { delivery: PUSH });
    expect(life.start(pushed, "e2", NOON + SECOND)?.phase.name).toBe("running");
  });

  it("that leaves fewer retries than there have been failures lets the attempt to come be the last", () => {
    const job = begun(edited(retrying(), { maxRetries: 0 }));
    expect(must(life.settle(job, "e2", FAILURE, 0, NOON + 2 * SECOND)).phase.name).toBe("failed");
  });
});

describe("the expiry of an edited job", () => {
  const expiring = waiting({ expiresAfterMs: HOUR });

  it.each([
    ["what does not speak of it", { name: "other" }, NOON + HOUR],
    ["the same again", { expiresAfterMs: HOUR }, NOON + HOUR],
    ["another one", { expiresAfterMs: MINUTE }, NOON + MINUTE],
    ["none", { expiresAfterMs: null }, null],
    ["another time", { scheduledFor: NOON + DAY, retimed: true }, NOON + DAY + HOUR],
    [
      "another time and expiry",
      { scheduledFor: NOON + DAY, retimed: true, expiresAfterMs: SECOND },
      NOON + DAY + SECOND,
    ],
  ])("after %s", (_, patch, at) => {
    expect(edited(expiring, patch).expiresAt).toBe(at);
  });

  it("stays what a retry by hand made of it", () => {
    const retried = must(life.retry(failed({ expiresAfterMs: HOUR }), NOON + DAY));
    expect(edited(retried, { name: "other" }).expiresAt).toBe(NOON + DAY + HOUR);
  });
});

describe("a run", () => {
  it("makes a job due now by hand, and leaves its nominal time and its expiry", () => {
    const job = must(life.run(waiting({ expiresAfterMs: HOUR }), NOON - HOUR));
    expect(job.phase).toEqual({ name: "waiting", runAt: NOON - HOUR, trigger: "manual_run" });
    expect(job).toMatchObject({ scheduledFor: NOON, expiresAt: NOON + HOUR });
    expect(begun(job).executions).toMatchObject([{ trigger: "manual_run", dueAt: NOON - HOUR }]);
  });

  it("between two attempts leaves the budget as it is, and the job is pending", () => {
    const job = must(life.run(retrying(), NOON));
    expect([viewOf(job).status, job.tries]).toEqual(["pending", 1]);
  });

  it("does not wait for the end of a hold", () => {
    expect(must(life.run(life.hold(waiting(), NOON), NOON)).phase).not.toHaveProperty("heldUntil");
  });
});

describe("a key that is dropped", () => {
  it("is gone, and nothing else; the read model hears of it", () => {
    const before = leased({ idempotencyKey: "k" });
    const job = must(life.dropKey(before, NOON + SECOND));
    expect({ ...job, idempotencyKey: "k" }).toMatchObject(specOf(before));
    expect([job.phase, job.executions]).toEqual([before.phase, before.executions]);
    expect(reportOf(job).asked?.idempotencyKey).toBeNull();
  });

  it("of an end that is confirmed makes that news again: it is not forgotten before the read model has heard", () => {
    const kept = { ...failed({ idempotencyKey: "k" }), keepUntil: NOON + HOUR };
    const confirmed = reporting.confirm(kept, reportOf(kept));
    const job = must(life.dropKey(confirmed, NOON));
    expect(reporting.isForgettable(job, NOON + DAY)).toBe(false);
    expect([wakeAt(job), taskAt(job, null, NOON + 5 * SECOND)]).toEqual([NOON + 5 * SECOND, "report"]);
  });

  it("twice is no change", () => {
    const job = must(life.dropKey(leased({ idempotencyKey: "k" }), NOON));
    expect(life.dropKey(job, NOON + SECOND)).toEqual({ ok: true, value: job });
  });
});

describe("a change by a bulk action", () => {
  const once = life.onceFor("o1", life.cancel);

  it("is made once: asked for again it changes nothing, even where it would be refused", () => {
    const job = must(once(waiting(), NOON));
    expect(job).toMatchObject({ operation: "o1", phase: { name: "cancelled" } });
    expect(once(job, NOON + HOUR)).toEqual({ ok: true, value: job });
  });

  it("is not made again on what a person did afterwards", () => {
    const retried = must(life.retry(must(once(waiting(), NOON)), NOON + HOUR));
    expect(once(retried, NOON + DAY)).toEqual({ ok: true, value: retried });
  });

  it("of another action is made", () => {
    const retried = must(life.onceFor("o2", life.retry)(must(once(waiting(), NOON)), NOON));
    expect(retried.phase.name).toBe("waiting");
    expect(life.onceFor("o2", life.retry)(retried, NOON), "and is remembered").toEqual({ ok: true, value: retried });
  });

  it("that is refused leaves no trace", () => {
    expect(once(failed(), NOON)).toEqual(life.cancel(failed(), NOON));
  });

  it("by a person is made each time, and leaves the mark of the action", () => {
    const byHand = life.onceFor(null, life.cancel);
    const job = must(byHand({ ...waiting(), operation: "o1" }, NOON));
    expect(job).toMatchObject({ operation: "o1", phase: { name: "cancelled" } });
    expect(byHand(job, NOON).ok).toBe(false);
  });
});

describe("what was asked for is reported", () => {
  const asked = (job: Job): string | null => reportOf(job).asked?.name ?? null;
  const confirmedBy = (job: Job, report: JobReport): Job => reporting.confirm(job, report);

  it("never of a job nobody has changed", () => {
    for (const job of [waiting(), pushing(), queued(), leased(), failed()]) expect(reportOf(job).asked).toBeNull();
  });

  it("from the change on, with every report, until one that has it is confirmed", () => {
    const before = reportOf(retrying());
    const job = edited(retrying(), { name: "other" });
    const attempted = begun(job);
    expect([asked(job), asked(attempted), asked(settled(attempted, FAILURE, NOON + 2 * SECOND))]).toEqual(
      Array(3).fill("other"),
    );
    expect(asked(confirmedBy(attempted, before)), "an older report does not tell of it").toBe("other");
    expect(asked(confirmedBy(attempted, reportOf(job))), "its own does").toBeNull();
    expect(asked(confirmedBy(attempted, reportOf(attempted))), "so does a later one").toBeNull();
  });

  it("again after another change, though the first was confirmed meanwhile", () => {
    const first = edited(waiting(), { name: "first" });
    const second = edited(first, { name: "second" });
    expect(asked(confirmedBy(second, reportOf(first)))).toBe("second");
  });

  it("with all that a person can change, its payload included", () => {
    const job = edited(waiting({ idempotencyKey: "k" }), { ...OTHER, scheduledFor: NOON + DAY, retimed: true });
    expect(reportOf(job).asked).toEqual({ ...OTHER, idempotencyKey: "k", traceparent: null, scheduledFor: NOON + DAY });
    expect(reportOf(edited(job, { tags: [] })).asked?.tags).toBeNull();
  });
});

describe("an execution open when the job gives up", () => {
  it("is cancelled, and one that is over stays as it was", () => {
    const open = life.giveUp({ ...queued(), expiresAt: NOON }, NOON);
    expect(open?.executions).toMatchObject([{ id: E1, status: "cancelled", error: null }]);
    const over = retrying();
    expect(life.giveUp({ ...over, expiresAt: NOON }, NOON)?.executions).toEqual(over.executions);
  });
});
