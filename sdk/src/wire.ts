// Where the API's snake_case meets the SDK's camelCase; wire-job-input.ts, wire-schedule.ts and wire-bulk.ts are the others.
// Every field is named, so what users put into payload, result and headers cannot be renamed by accident, and what the
// service adds later stays outside.

import type { Attempt } from "./attempt.ts";
import type { Delivery } from "./delivery.ts";
import { describeError } from "./describe-error.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { Job } from "./job.ts";
import type { Outcome } from "./outcome.ts";
import { fieldsToJson, RawJson } from "./raw-json.ts";
import type { WaitingOn } from "./waiting-on.ts";

/** What a job waits on, as the API writes it. */
type WireWaitingOn = Omit<WaitingOn, "since" | "until"> & { since: string; until: string | null };

/** A job as the API writes it. */
export type WireJob = Snake<
  Omit<Job, "scheduledFor" | "runAt" | "expiresAt" | "createdAt" | "updatedAt" | "completedAt" | "waitingOn"> & {
    scheduledFor: string;
    runAt: string | null;
    expiresAt: string | null;
    createdAt: string;
    updatedAt: string;
    completedAt: string | null;
    waitingOn?: WireWaitingOn | null;
  }
>;

/** An execution as the API writes it. */
export type WireExecution = Snake<
  Omit<Execution, "dueAt" | "startedAt" | "completedAt"> & {
    dueAt: string;
    startedAt: string | null;
    completedAt: string | null;
  }
>;

/** The answer to claim and start. */
export interface WireAttempt {
  job_id: string;
  execution_id: string;
  handler: string;
  attempt: number;
  scheduled_for: string;
  payload: unknown;
  payload_text: string | null;
  traceparent?: string;
  timeout: number;
}

/** The answer to one report. */
export interface WireReported {
  status: number;
  code?: string;
}

/** The body of a push delivery. */
export interface WireDelivery {
  job_id: string;
  handler: string | null;
  execution_id: string;
  scheduled_for: string;
  attempt: number;
  payload: unknown;
  payload_text: string | null;
}

type SnakeName<Name extends string> = Name extends `${infer Head}${infer Tail}`
  ? `${Head extends Lowercase<Head> ? Head : `_${Lowercase<Head>}`}${SnakeName<Tail>}`
  : Name;

/** The top level only: what lies inside is not ours. */
export type Snake<T> = { [Name in keyof T & string as SnakeName<Name>]: T[Name] };

export function jobFromWire(job: WireJob): Job {
  return {
    id: job.id,
    scheduleId: job.schedule_id,
    name: job.name,
    handler: job.handler,
    status: job.status,
    payload: job.payload,
    payloadText: job.payload_text,
    delivery: job.delivery,
    timeout: job.timeout,
    maxRetries: job.max_retries,
    idempotencyKey: job.idempotency_key,
    tags: job.tags,
    flow: job.flow,
    callbacks: job.callbacks ?? null,
    backoff: job.backoff,
    scheduledFor: new Date(job.scheduled_for),
    expiresAt: dateOrNull(job.expires_at),
    runAt: dateOrNull(job.run_at),
    attempts: job.attempts,
    lastError: job.last_error,
    result: job.result,
    resultText: job.result_text,
    origin: job.origin,
    revision: job.revision,
    createdAt: new Date(job.created_at),
    updatedAt: new Date(job.updated_at),
    completedAt: dateOrNull(job.completed_at),
    ...(job.waiting_on !== undefined && { waitingOn: job.waiting_on && waitingOnFromWire(job.waiting_on) }),
  };
}

const waitingOnFromWire = ({ reason, message, since, until }: WireWaitingOn): WaitingOn => ({
  reason,
  message,
  since: new Date(since),
  until: dateOrNull(until),
});

export function executionFromWire(execution: WireExecution): Execution {
  return {
    id: execution.id,
    jobId: execution.job_id,
    attempt: execution.attempt,
    trigger: execution.trigger,
    status: execution.status,
    workerId: execution.worker_id,
    dueAt: new Date(execution.due_at),
    startedAt: dateOrNull(execution.started_at),
    completedAt: dateOrNull(execution.completed_at),
    latenessMs: execution.lateness_ms,
    response: execution.response,
    result: execution.result,
    resultText: execution.result_text,
    error: execution.error,
    progress: execution.progress ?? null,
    progressText: execution.progress_text ?? null,
  };
}

export function attemptFromWire(attempt: WireAttempt): Attempt {
  return {
    jobId: attempt.job_id,
    executionId: attempt.execution_id,
    handler: attempt.handler,
    attempt: attempt.attempt,
    scheduledFor: new Date(attempt.scheduled_for),
    payload: attempt.payload,
    payloadText: attempt.payload_text,
    traceparent: attempt.traceparent ?? null,
    timeoutMs: attempt.timeout * 1000,
  };
}

/** One report, as JSON. A result is JSON already and is sent as it is written. */
export function reportToWire({ jobId, executionId }: Attempt, outcome: Outcome): string {
  const ids = { job_id: jobId, execution_id: executionId };
  if (outcome.kind === "complete") {
    const result = outcome.resultJson === null ? undefined : new RawJson(outcome.resultJson);
    return fieldsToJson({ ...ids, status: "completed", result });
  }
  const { message, name, retryable } = outcome;
  return JSON.stringify({ ...ids, status: "failed", error: { message, name }, retryable });
}

export function deliveryFromWire(delivery: WireDelivery, signedAt: Date): Delivery {
  return {
    jobId: delivery.job_id,
    executionId: delivery.execution_id,
    handler: delivery.handler ?? null,
    scheduledFor: new Date(delivery.scheduled_for),
    attempt: delivery.attempt,
    payload: delivery.payload ?? null,
    payloadText: delivery.payload_text ?? null,
    signedAt,
  };
}

export function toJson(what: string, value: object): string {
  try {
    return fieldsToJson({ ...value });
  } catch (cause) {
    throw new ChronosConfigError(`${what} cannot be written as JSON: ${describeError(cause)}`, { cause });
  }
}

/** A field that an older service does not send is none. */
export function dateOrNull(time: string | null | undefined): Date | null {
  return time == null ? null : new Date(time);
}
