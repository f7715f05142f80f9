// The service's refusals as typed errors, and which of them are worth another try.

import { ChronosConnectionError, ChronosError } from "./errors.ts";
import type { Flow } from "./flow.ts";
import type { Job } from "./job.ts";
import type { Schedule } from "./schedule.ts";

/** The codes of the contract, and `unexpected_response` for an answer that is not the service's own (a proxy's page). */
export type ApiErrorCode =
  | "bad_request"
  | "unauthorized"
  | "forbidden"
  | "account_suspended"
  | "not_found"
  | "method_not_allowed"
  | "conflict"
  | "payload_too_large"
  | "validation_error"
  | "rate_limit_exceeded"
  | "internal_error"
  | "unavailable"
  | "job_not_found"
  | "job_not_cancellable"
  | "job_not_retryable"
  | "job_not_editable"
  | "job_not_runnable"
  | "job_not_deletable"
  | "schedule_not_found"
  | "schedule_archived"
  | "schedule_completed"
  | "schedule_status_changed"
  | "handler_required_for_pull"
  | "bulk_action_not_found"
  | "webhook_not_found"
  | "flow_not_found"
  | "precondition_failed"
  | "lease_lost"
  | "job_limit_reached"
  | "schedule_limit_reached"
  | "poll_limit_reached"
  | "idempotency_key_conflict"
  | "unexpected_response"
  | (string & {});

/** One field the service refuses; `field` is a dotted path in the API's own spelling, such as `delivery.http.url`. */
export interface FieldError {
  field: string;
  message: string;
}

/** The facts of a refusal. */
export interface ApiErrorFacts {
  code: ApiErrorCode;
  status: number;
  errors: FieldError[];
  requestId: string | null;
  retryAfterMs: number | null;
}

/**
 * The service answered, and refused.
 *
 * @example
 * ```ts
 * import { Chronos, ChronosApiError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * try {
 *   await chronos.jobs.cancel("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * } catch (error) {
 *   if (error instanceof ChronosApiError && error.code === "job_not_cancellable") console.log("too late");
 *   else throw error;
 * }
 * ```
 */
export class ChronosApiError extends ChronosError {
  override name = "ChronosApiError";
  /** What a program branches on. */
  readonly code: ApiErrorCode;
  /** The HTTP status. */
  readonly status: number;
  /** The fields at fault; empty when none is. */
  readonly errors: readonly FieldError[];
  /** `X-Request-Id`: the service's log lines carry the same value. */
  readonly requestId: string | null;
  /** How long the service asked to wait, in milliseconds; null when it did not say. */
  readonly retryAfterMs: number | null;

  constructor(message: string, facts: ApiErrorFacts) {
    const fields = facts.errors.map((error) => `${error.field}: ${error.message}`).join("; ");
    super(fields === "" ? message : `${message} (${fields})`);
    this.code = facts.code;
    this.status = facts.status;
    this.errors = facts.errors;
    this.requestId = facts.requestId;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

/**
 * 409 `idempotency_key_conflict`: nothing was created, because a job already holds the key. `data` is that job.
 *
 * @example
 * ```ts
 * import { Chronos, IdempotencyKeyConflictError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * try {
 *   await chronos.jobs.create({ name: "Invoice 17", handler: "invoice", idempotencyKey: "invoice-17" });
 * } catch (error) {
 *   if (error instanceof IdempotencyKeyConflictError) console.log("already there:", error.data?.id);
 *   else throw error;
 * }
 * ```
 */
export class IdempotencyKeyConflictError extends ChronosApiError {
  override name = "IdempotencyKeyConflictError";
  /** The job that holds the key; null if the service did not say. */
  readonly data: Job | null;

  constructor(message: string, facts: ApiErrorFacts, data: Job | null) {
    super(message, facts);
    this.data = data;
  }
}

/**
 * 409 `idempotency_key_conflict` of a schedule: nothing was created, because a schedule already holds the key. `data` is
 * that schedule. `schedules.ensure()` brings it up to date instead.
 *
 * @example
 * ```ts
 * import { Chronos, ScheduleKeyConflictError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * try {
 *   await chronos.schedules.create({ name: "Nightly", handler: "report", cron: "0 2 * * *", idempotencyKey: "nightly" });
 * } catch (error) {
 *   if (error instanceof ScheduleKeyConflictError) console.log("already there:", error.data?.id, error.data?.status);
 *   else throw error;
 * }
 * ```
 */
export class ScheduleKeyConflictError extends ChronosApiError {
  override name = "ScheduleKeyConflictError";
  /** The schedule that holds the key; null if the service did not say. */
  readonly data: Schedule | null;

  constructor(message: string, facts: ApiErrorFacts, data: Schedule | null) {
    super(message, facts);
    this.data = data;
  }
}

/**
 * 412 `precondition_failed`: nothing was changed, because the job, schedule or flow is no longer at the revision of `ifMatch`.
 * `data` is its present state: decide again from that, and repeat the call with its revision.
 *
 * @example
 * ```ts
 * import { Chronos, PreconditionFailedError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const job = await chronos.jobs.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * try {
 *   await chronos.jobs.update(job.id, { timeout: job.timeout * 2 }, { ifMatch: job.revision });
 * } catch (error) {
 *   if (error instanceof PreconditionFailedError) console.log("now at revision", error.data?.revision);
 *   else throw error;
 * }
 * ```
 */
export class PreconditionFailedError extends ChronosApiError {
  override name = "PreconditionFailedError";
  /** A job for a call of `jobs`, a schedule for one of `schedules`, a flow for one of `flows`; null if the service did not say. */
  readonly data: Job | Schedule | Flow | null;

  constructor(message: string, facts: ApiErrorFacts, data: Job | Schedule | Flow | null) {
    super(message, facts);
    this.data = data;
  }
}

/** It was refused at the door: asking again cannot do it twice. Unlike after a 503, whose store may have applied it. */
export function isUntouched(error: unknown): boolean {
  return error instanceof ChronosApiError && error.status === 429;
}

/** A fault that may pass with time; what was asked may or may not have been done. */
export function isPassing(error: unknown): boolean {
  if (error instanceof ChronosConnectionError) return true;
  if (!(error instanceof ChronosApiError)) return false;
  return error.status >= 500 || [408, 425, 429].includes(error.status);
}

/**
 * The same for a worker, which has nobody to tell and nothing better to do: it also outlasts the suspension of its account,
 * and answers that are not the service's own, such as a proxy's page during a deploy. A 401 does not heal, wherever it
 * comes from.
 */
export function isPassingForWorker(error: unknown): boolean {
  if (isPassing(error)) return true;
  if (!(error instanceof ChronosApiError)) return false;
  return error.code === "account_suspended" || (error.code === "unexpected_response" && error.status !== 401);
}

export function retryAfterOf(error: unknown): number | null {
  return error instanceof ChronosApiError ? error.retryAfterMs : null;
}
