// A job to test with, in every phase it can be in, and the moments it lives in.

import { ID_RANDOM_BYTES, idAt } from "../../src/domain/ids.ts";
import type { Delivery, Job, JobSpec } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import type { Result } from "../../src/domain/result.ts";
import { jsonText } from "../harness/json-text.ts";

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** When the job is due. It was made a day before, and its attempts may last 30 s. */
export const NOON = Date.UTC(2030, 0, 1, 12);
export const TIMEOUT = 30 * SECOND;

export const PUSH = { type: "push", url: "https://example.com/", method: "POST", headers: {} } satisfies Delivery;
export const PULL: Delivery = { type: "pull", queue: null };
export const NAMED: Delivery = { type: "pull", queue: "images" };

/** The execution of the first attempt, and one that nobody has heard of. */
export const E1 = "e1";
export const STRANGER = "not-this-one";

export const NO_CHANCE = 0;

/** Begins with the moment it was made at. */
const idOf = (createdAt: number): string => idAt(createdAt, new Uint8Array(ID_RANDOM_BYTES));
export const JOB_ID = idOf(NOON - DAY);

export const aSpec = (patch: Partial<JobSpec> = {}): JobSpec => ({
  accountId: "acct",
  id: idOf(patch.createdAt ?? NOON - DAY),
  scheduleId: null,
  name: "thumbnails",
  handler: "resize",
  payload: jsonText({ width: 80 }),
  delivery: PUSH,
  timeoutSeconds: TIMEOUT / SECOND,
  maxRetries: 3,
  backoff: null,
  expiresAfterMs: null,
  tags: [],
  flow: null,
  callbacks: null,
  origin: "api",
  idempotencyKey: null,
  traceparent: null,
  scheduledFor: NOON,
  createdAt: NOON - DAY,
  ...patch,
});

export const waiting = (patch: Partial<JobSpec> = {}): Job => life.arm(aSpec(patch), null);
export const pushing = (patch: Partial<JobSpec> = {}): Job => given(life.start(waiting(patch), E1, NOON));
export const queued = (patch: Partial<JobSpec> = {}): Job =>
  given(life.enqueue(waiting({ delivery: PULL, ...patch }), E1, NOON));
export const leased = (patch: Partial<JobSpec> = {}): Job => must(life.lease(queued(patch), E1, "worker-7", NOON));

export const completed = (patch: Partial<JobSpec> = {}): Job => settled(pushing(patch), { kind: "completed" });
export const failed = (patch: Partial<JobSpec> = {}): Job => settled(pushing(patch), FINAL);
export const cancelled = (patch: Partial<JobSpec> = {}): Job => must(life.cancel(waiting(patch), NOON));

export const FAILURE = {
  kind: "failed",
  error: { code: "http_status", message: "The target answered 500." },
  retryable: true,
  retryAfterMs: null,
} satisfies life.Outcome;
export const FINAL = { ...FAILURE, retryable: false } satisfies life.Outcome;

/** The attempt in flight ends with this, at noon. */
export const settled = (job: Job, outcome: life.Outcome, now = NOON): Job =>
  must(life.settle(job, openIn(job), outcome, NO_CHANCE, now));

/** The job's next attempt, begun the moment it is due. */
export function begun(job: Job): Job {
  if (job.phase.name !== "waiting") throw new Error(`${job.phase.name}, not waiting`);
  return given(life.start(job, `e${job.attempt + 1}`, job.phase.runAt));
}

/** The execution a queued or running job has open. */
export function openIn({ phase }: Job): string {
  if (phase.name !== "queued" && phase.name !== "running") throw new Error(`nothing is open in ${phase.name}`);
  return phase.executionId;
}

/** When a waiting job is due. */
export function runAtIn({ phase }: Job): number {
  if (phase.name !== "waiting") throw new Error(`${phase.name}, not waiting`);
  return phase.runAt;
}

export function must<T>(result: Result<T, { readonly code: string }>): T {
  if (!result.ok) throw new Error(`refused: ${result.error.code}`);
  return result.value;
}

export function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("nothing came of it");
  return value;
}
