// Stored shapes live for years: what each version wrote can be read by this one. A fixture, once here, never changes.

import { describe, expect, it } from "vitest";
import { taskAt } from "../../src/domain/agenda.ts";
import { viewOf } from "../../src/domain/job.ts";
import { JOB_VERSION, NewerShapeError, upgradeJob } from "../../src/domain/upgrade.ts";
import { NOON } from "./a-job.ts";

/** A pull job whose first attempt failed, as version 1 stored it in the middle of its second. */
const V1 = {
  v: 1,
  accountId: "acct",
  id: "job",
  scheduleId: null,
  name: "thumbnails",
  handler: "resize",
  payload: '{"width":80}',
  delivery: { type: "pull", queue: null },
  timeoutSeconds: 30,
  maxRetries: 3,
  idempotencyKey: "order-7",
  scheduledFor: NOON,
  createdAt: NOON - 1_000,
  updatedAt: NOON + 2_000,
  revision: 6,
  attempt: 2,
  started: 2,
  tries: 1,
  interruptions: 0,
  interruptedSince: null,
  lastError: { code: "handler_error", message: "out of disk" },
  signing: { signingVersion: 1, overlapEndsAt: null, masterKeyId: "a1b2", previousMasterKeyId: null },
  phase: { name: "running", executionId: "e2", startedAt: NOON + 2_000, leaseEndsAt: NOON + 32_000, reported: false },
  claim: null,
  executions: [
    {
      id: "e2",
      attempt: 2,
      trigger: "system_retry",
      status: "running",
      workerId: "worker-7",
      dueAt: NOON + 1_500,
      startedAt: NOON + 2_000,
      completedAt: null,
      response: null,
      error: null,
      revision: 6,
    },
  ],
};

describe("a stored job", () => {
  it("of version 1 is read as it is, shown and kept going", () => {
    const job = upgradeJob(V1);
    expect(job).toEqual(V1);
    expect(viewOf(job)).toMatchObject({
      status: "running",
      attempts: 2,
      runAt: NOON + 1_500,
      idempotencyKey: "order-7",
    });
    expect(taskAt(job, null, NOON + 32_000)).toBe("expire");
  });

  it("has a fixture here for each version there has been", () => {
    expect(JOB_VERSION).toBe(V1.v);
  });

  it("of a newer version is refused, and left untouched", () => {
    const newer = { ...V1, v: JOB_VERSION + 1 };
    expect(() => upgradeJob(newer)).toThrow(NewerShapeError);
    expect(newer).toEqual({ ...V1, v: JOB_VERSION + 1 });
  });
});
