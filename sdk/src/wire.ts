// The one place where the API's snake_case meets the SDK's camelCase. Every field is named here, so what users put into
// payload, result and headers cannot be renamed by accident, and what the service adds later stays outside.

import type { Attempt } from "./attempt.ts";
import type { Delivery } from "./delivery.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { Job, JobFilters, NewJob, NewPushJob } from "./job.ts";
import type { Outcome } from "./outcome.ts";

/** A job as the API writes it. */
export type WireJob = Snake<
  Omit<Job, "scheduledFor" | "runAt" | "createdAt" | "updatedAt" | "completedAt"> & {
    scheduledFor: string;
    runAt: string | null;
    createdAt: string;
    updatedAt: string;
    completedAt: string | null;
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
  timeout: number;
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
    scheduledFor: new Date(job.scheduled_for),
    runAt: dateOrNull(job.run_at),
    attempts: job.attempts,
    lastError: job.last_error,
    result: job.result,
    resultText: job.result_text,
    createdAt: new Date(job.created_at),
    updatedAt: new Date(job.updated_at),
    completedAt: dateOrNull(job.completed_at),
  };
}

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
    timeoutMs: attempt.timeout * 1000,
  };
}

/** The body of complete or fail. A result is already JSON: it must read the same in every try. */
export function reportToWire(executionId: string, outcome: Outcome): string {
  if (outcome.kind === "complete") {
    const result = outcome.resultJson === null ? "" : `,"result":${outcome.resultJson}`;
    return `{"execution_id":${JSON.stringify(executionId)}${result}}`;
  }
  const { message, name, retryable } = outcome;
  return JSON.stringify({ execution_id: executionId, error: { message, name }, retryable });
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

export function newJobToWire(job: NewJob | NewPushJob): Record<string, unknown> {
  return {
    name: job.name,
    handler: job.handler,
    payload: job.payload,
    delay: job.delay,
    scheduled_for: job.scheduledFor === undefined ? undefined : isoTime("scheduledFor", job.scheduledFor),
    idempotency_key: job.idempotencyKey,
    delivery: job.delivery,
    timeout: job.timeout,
    max_retries: job.maxRetries,
  };
}

/** The query of a list, in the API's names; `status` may occur several times. */
export function filtersToWire(filters: JobFilters): [string, string][] {
  const query: [string, string][] = [];
  const add = (name: string, value: string | number | undefined) => {
    if (value !== undefined) query.push([name, String(value)]);
  };
  for (const status of [filters.status ?? []].flat()) add("status", status);
  add("handler", filters.handler);
  add("schedule_id", filters.scheduleId === null ? "null" : filters.scheduleId);
  add("idempotency_key", filters.idempotencyKey);
  if (filters.createdAfter !== undefined) add("created_after", isoTime("createdAfter", filters.createdAfter));
  if (filters.createdBefore !== undefined) add("created_before", isoTime("createdBefore", filters.createdBefore));
  return query;
}

export function isoTime(field: string, time: Date | string): string {
  if (typeof time === "string") return time;
  if (Number.isNaN(time.getTime())) throw new ChronosConfigError(`${field} is not a valid date`);
  return time.toISOString();
}

export function dateOrNull(time: string | null): Date | null {
  return time === null ? null : new Date(time);
}
