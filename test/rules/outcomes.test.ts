// How attempts end: who may settle one, what an outcome makes of the job, and how far the budget reaches.

import { describe, expect, it } from "vitest";
import { executionViewOf, type Job, viewOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import { jsonText } from "../harness/json-text.ts";
import {
  begun,
  E1,
  FAILURE,
  FINAL,
  given,
  HOUR,
  leased,
  must,
  NO_CHANCE,
  NOON,
  openIn,
  pushing,
  runAtIn,
  SECOND,
  STRANGER,
  settled,
  TIMEOUT,
  waiting,
} from "./a-job.ts";

const DONE = { kind: "completed" } as const;
const RESPONSE = { status: 500, headers: { server: "x" }, body: "no", truncated: false };

const settle = (job: Job, executionId: string, now: number) => life.settle(job, executionId, DONE, NO_CHANCE, now);

describe("the fence", () => {
  it("lets only the execution in flight settle the job: a late answer must not undo a retry", () => {
    const second = begun(settled(pushing(), FAILURE));
    expect(settle(second, E1, NOON + SECOND)).toEqual({ ok: false, error: { code: "lease_lost", status: "running" } });
    expect(settle(second, "e2", NOON + SECOND).ok).toBe(true);
    expect(settle(pushing(), STRANGER, NOON).ok).toBe(false);
  });

  it("closes for a worker at the very end of its lease", () => {
    const end = NOON + TIMEOUT;
    expect([end - 1, end, end + 1].map((now) => settle(leased(), E1, now).ok)).toEqual([true, false, false]);
  });

  it("stays open for a push: its own timeout is the limit", () => {
    expect(settle(pushing(), E1, NOON + TIMEOUT + 1).ok).toBe(true);
  });
});

describe("a lease that ends", () => {
  const end = NOON + TIMEOUT;

  it("expires on the millisecond, as an attempt that timed out", () => {
    expect(life.expire(leased(), NO_CHANCE, end - 1)).toBeUndefined();
    expect(given(life.expire(leased(), NO_CHANCE, end))).toMatchObject({
      tries: 1,
      lastError: { code: "lease_expired" },
      phase: { name: "waiting", runAt: end + SECOND, trigger: "system_retry" },
      executions: [{ status: "timed_out", completedAt: end, error: { code: "lease_expired" } }],
    });
  });

  it("ends the job when no retry is left", () => {
    expect(life.expire(leased({ maxRetries: 0 }), NO_CHANCE, end)?.phase.name).toBe("failed");
  });

  it("is not a push's: a push is interrupted, it does not expire", () => {
    expect(life.expire(pushing(), NO_CHANCE, end + HOUR)).toBeUndefined();
  });
});

describe("a success", () => {
  it("completes the job with what the worker returned", () => {
    const job = must(
      life.settle(leased(), E1, { kind: "completed", result: jsonText({ ok: 1 }) }, NO_CHANCE, NOON + SECOND),
    );
    expect(viewOf(job)).toMatchObject({
      status: "completed",
      result: '{"ok":1}',
      runAt: null,
      completedAt: NOON + SECOND,
      updatedAt: NOON + SECOND,
    });
    expect(job.executions).toMatchObject([{ status: "completed", completedAt: NOON + SECOND, response: null }]);
  });

  it("shows the result at the attempt that returned it, and at no other", () => {
    const second = settled(begun(settled(pushing(), FAILURE)), { ...DONE, result: jsonText("r") });
    const { result } = viewOf(second);
    expect(second.executions.map((one) => executionViewOf(one, result).result)).toEqual([null, '"r"']);
  });

  it("keeps what the target answered", () => {
    expect(settled(pushing(), { ...DONE, response: RESPONSE }).executions).toMatchObject([{ response: RESPONSE }]);
    expect(viewOf(settled(pushing(), DONE)).result).toBeNull();
  });
});

describe("a failure", () => {
  it("sends the job into its next wait and tells why", () => {
    const job = settled(pushing(), { ...FAILURE, response: RESPONSE });
    expect(job).toMatchObject({
      tries: 1,
      lastError: FAILURE.error,
      phase: { name: "waiting", runAt: NOON + SECOND, trigger: "system_retry" },
      executions: [{ status: "failed", completedAt: NOON, error: FAILURE.error, response: RESPONSE }],
    });
    expect(viewOf(job)).toMatchObject({ status: "retrying", runAt: NOON + SECOND, completedAt: null });
  });

  it("that cannot be retried ends the job at once", () => {
    expect(viewOf(settled(pushing(), FINAL))).toMatchObject({ status: "failed", completedAt: NOON, runAt: null });
  });

  it("counts a timeout as one", () => {
    const job = settled(pushing({ maxRetries: 0 }), { ...FAILURE, kind: "timed_out" });
    expect(job).toMatchObject({ tries: 1, phase: { name: "failed" }, executions: [{ status: "timed_out" }] });
  });

  it("waits for as long as the target asked, up to an hour, and never less than the backoff", () => {
    const asked = (retryAfterMs: number) => runAtIn(settled(pushing(), { ...FAILURE, retryAfterMs })) - NOON;
    expect([SECOND - 1, SECOND + 1, HOUR, HOUR + 1].map(asked)).toEqual([SECOND, SECOND + 1, HOUR, HOUR]);
  });

  it("spreads the next attempt by chance", () => {
    const job = must(life.settle(pushing(), E1, FAILURE, 0.5, NOON));
    expect(runAtIn(job)).toBe(NOON + 1_500);
  });
});

describe("the budget", () => {
  it.each([0, 1, 3, 50])("of %i retries allows one attempt more than that", (maxRetries) => {
    let job = begun(waiting({ maxRetries }));
    const waits: number[] = [];
    for (;;) {
      job = settled(job, FAILURE, NOON);
      if (job.phase.name !== "waiting") break;
      waits.push(runAtIn(job) - NOON);
      job = begun(job);
    }
    expect(job).toMatchObject({ phase: { name: "failed" }, attempt: maxRetries + 1, tries: maxRetries + 1 });
    expect(waits).toEqual(Array.from({ length: maxRetries }, (_, i) => Math.min(SECOND * 2 ** i, HOUR)));
  });

  it("is fresh after a manual retry, the backoff with it", () => {
    const spent = settled(begun(waiting({ maxRetries: 0 })), FAILURE);
    const again = begun(must(life.retry(spent, NOON)));
    expect(again).toMatchObject({ attempt: 2, tries: 0 });
    expect(settled(again, FAILURE)).toMatchObject({ phase: { name: "failed" }, tries: 1 });
    const roomy = settled(begun(must(life.retry(settled(pushing(), FINAL), NOON))), FAILURE);
    expect(runAtIn(roomy)).toBe(NOON + SECOND);
    expect(openIn(begun(roomy))).toBe("e3");
  });
});
