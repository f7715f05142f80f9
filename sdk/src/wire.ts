// The one place where the API's snake_case meets the SDK's camelCase. Every field is named here, so what users put into
// payload, result and headers cannot be renamed by accident, and what the service adds later stays outside.

import type { Attempt } from "./attempt.ts";
import type { Delivery } from "./delivery.ts";
import { describeError } from "./describe-error.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import { refusePaddedName } from "./handler-name.ts";
import type { Delay, Job, JobFilters, NewJob, NewPushJob } from "./job.ts";
import { checkFields, type Fields, kindOf } from "./known-fields.ts";
import type { Outcome } from "./outcome.ts";
import { fieldsToJson, RawJson } from "./raw-json.ts";

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

/** The body of create: what is undefined is not sent. */
export interface NewWireJob {
  name: string;
  handler?: string | undefined;
  payload?: unknown;
  delay?: Delay | undefined;
  scheduled_for?: string | undefined;
  idempotency_key?: string | undefined;
  delivery?: Job["delivery"] | undefined;
  timeout?: number | undefined;
  max_retries?: number | undefined;
}

const NEW_JOB: Fields<NewJob | NewPushJob> = {
  name: true,
  handler: true,
  payload: true,
  delay: true,
  scheduledFor: true,
  idempotencyKey: true,
  delivery: true,
  timeout: true,
  maxRetries: true,
};

/** Throws a ChronosConfigError for fields that do not exist and for what is surely a mistake. */
export function newJobToWire(job: NewJob | NewPushJob): NewWireJob {
  checkFields("A new job", job, NEW_JOB);
  refusePaddedName(job.handler);
  return {
    name: job.name,
    handler: job.handler,
    payload: job.payload,
    delay: job.delay,
    scheduled_for: timeOrNothing("scheduledFor", job.scheduledFor),
    idempotency_key: job.idempotencyKey,
    delivery: job.delivery,
    timeout: job.timeout,
    max_retries: job.maxRetries,
  };
}

const JOB_FILTERS: Fields<JobFilters> = {
  status: true,
  handler: true,
  scheduleId: true,
  idempotencyKey: true,
  createdAfter: true,
  createdBefore: true,
  size: true,
};

/** The query of a list, in the API's names; `status` may occur several times. */
export function filtersToWire(filters: JobFilters): [string, string][] {
  checkFields("A list's filter", filters, JOB_FILTERS);
  return [
    ...filterToWire("status", "status", filters.status),
    ...filterToWire("handler", "handler", filters.handler),
    ...filterToWire("scheduleId", "schedule_id", filters.scheduleId === null ? "null" : filters.scheduleId),
    ...filterToWire("idempotencyKey", "idempotency_key", filters.idempotencyKey),
    ...filterToWire("createdAfter", "created_after", timeOrNothing("createdAfter", filters.createdAfter)),
    ...filterToWire("createdBefore", "created_before", timeOrNothing("createdBefore", filters.createdBefore)),
  ];
}

/** One filter, several times if it has several values. A null is refused: "all of them" is seldom what it means. */
export function filterToWire(
  field: string,
  name: string,
  value: string | readonly string[] | undefined,
): [string, string][] {
  if (value === null) throw new ChronosConfigError(`${field} must not be null; leave it out for all`);
  return [value ?? []].flat().map((one) => [name, String(one)]);
}

/** A null is refused: for a moment that is missing by mistake, "as soon as possible" is seldom right. */
export function timeOrNothing(field: string, time: Date | string | undefined): string | undefined {
  if (time === undefined || typeof time === "string") return time;
  if (Object.prototype.toString.call(time) !== "[object Date]") {
    throw new ChronosConfigError(
      `${field} must be a Date or ISO 8601 text, not ${kindOf(time)}; leave it out for none`,
    );
  }
  if (Number.isNaN(time.getTime())) throw new ChronosConfigError(`${field} is not a valid date`);
  return time.toISOString();
}

export function toJson(what: string, value: object): string {
  try {
    return fieldsToJson({ ...value });
  } catch (cause) {
    throw new ChronosConfigError(`${what} cannot be written as JSON: ${describeError(cause)}`, { cause });
  }
}

export function dateOrNull(time: string | null): Date | null {
  return time === null ? null : new Date(time);
}
