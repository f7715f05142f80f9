// The service itself dies in the middle of a push: what that costs the job (nothing), and when it gives up.

import { describe, expect, it } from "vitest";
import type { Job } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import {
  begun,
  E1,
  FAILURE,
  failed,
  given,
  HOUR,
  must,
  NO_CHANCE,
  NOON,
  pushing,
  runAtIn,
  SECOND,
  settled,
} from "./a-job.ts";

const interrupted = (job: Job, now = NOON): Job => given(life.interrupt(job, NO_CHANCE, now));

describe("an interruption", () => {
  it("costs no retry", () => {
    const job = interrupted(pushing({ maxRetries: 0 }), NOON + SECOND);
    expect(job).toMatchObject({
      tries: 0,
      attempt: 1,
      interruptions: 1,
      lastError: { code: "platform" },
      phase: { name: "waiting", runAt: NOON + 2 * SECOND, trigger: "system_retry" },
      executions: [{ id: E1, status: "interrupted", completedAt: NOON + SECOND, error: { code: "platform" } }],
    });
  });

  it("backs off by the interruptions in a row, with jitter", () => {
    let job = pushing();
    const waits = [1, 2, 4, 8].map((seconds) => {
      job = interrupted(job, NOON);
      const wait = runAtIn(job) - NOON;
      job = begun(job);
      return [wait, seconds * SECOND];
    });
    for (const [wait, expected] of waits) expect(wait).toBe(expected);
    expect(runAtIn(given(life.interrupt(pushing(), 0.5, NOON)))).toBe(NOON + 1_500);
  });

  it("is no failure: the backoff of failures goes on where it was, and that of interruptions begins anew", () => {
    const met = settled(begun(interrupted(begun(settled(pushing(), FAILURE)))), FAILURE);
    expect(met).toMatchObject({ tries: 2, interruptions: 0, interruptedSince: null });
    expect(runAtIn(met)).toBe(NOON + 2 * SECOND);
    expect(runAtIn(interrupted(begun(met)))).toBe(NOON + SECOND);
  });

  it("is forgotten after a success and after a manual retry", () => {
    const done = settled(begun(interrupted(pushing())), { kind: "completed" });
    expect(done).toMatchObject({ interruptions: 0, interruptedSince: null });
    const stopped = must(life.cancel(interrupted(pushing()), NOON));
    expect(must(life.retry(stopped, NOON))).toMatchObject({ interruptions: 0, interruptedSince: null });
  });
});

describe("nothing but interruptions", () => {
  const begin = begun(interrupted(pushing(), NOON));

  it("ends the job with `platform` after 24 hours, and not a millisecond earlier", () => {
    expect(interrupted(begin, NOON + 24 * HOUR - 1).phase.name).toBe("waiting");
    expect(interrupted(begin, NOON + 24 * HOUR)).toMatchObject({
      tries: 0,
      lastError: { code: "platform" },
      phase: { name: "failed", endedAt: NOON + 24 * HOUR, announced: false, confirmed: false },
      executions: [{ status: "interrupted" }, { status: "interrupted", completedAt: NOON + 24 * HOUR }],
    });
  });

  it("is broken by one counted failure: the day begins anew", () => {
    const failure = begun(settled(begin, FAILURE, NOON + 23 * HOUR));
    const fresh = interrupted(failure, NOON + 24 * HOUR);
    expect(fresh).toMatchObject({ phase: { name: "waiting" }, interruptedSince: NOON + 24 * HOUR });
  });
});

it("a failed job that is retried by hand may meet interruptions for a day again", () => {
  const again = begun(must(life.retry(failed(), NOON)));
  expect(interrupted(again, NOON + 48 * HOUR).phase.name).toBe("waiting");
});
