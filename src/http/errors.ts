// Every error a client can meet: its code, its status, its words. A code without a status does not compile.

import type { ContentfulStatusCode } from "hono/utils/http-status";

export const STATUS_OF = {
  bad_request: 400,
  handler_required_for_pull: 400,
  unauthorized: 401,
  forbidden: 403,
  account_suspended: 403,
  not_found: 404,
  job_not_found: 404,
  schedule_not_found: 404,
  bulk_action_not_found: 404,
  flow_not_found: 404,
  webhook_not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  idempotency_key_conflict: 409,
  job_not_cancellable: 409,
  job_not_retryable: 409,
  job_not_editable: 409,
  job_not_runnable: 409,
  job_not_deletable: 409,
  lease_lost: 409,
  schedule_limit_reached: 409,
  schedule_archived: 409,
  schedule_completed: 409,
  schedule_status_changed: 409,
  precondition_failed: 412,
  payload_too_large: 413,
  validation_error: 422,
  rate_limit_exceeded: 429,
  job_limit_reached: 429,
  poll_limit_reached: 429,
  internal_error: 500,
  unavailable: 503,
} as const satisfies Record<string, ContentfulStatusCode>;

export type ErrorCode = keyof typeof STATUS_OF;

/** A field at fault, as a dotted path into the request. */
export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** A refusal on its way to the client. Thrown by the edge only, and turned into an answer in one place. */
export class ApiError extends Error {
  readonly code: ErrorCode;
  readonly errors: readonly FieldError[];
  readonly headers: Record<string, string>;
  /** What the answer carries beside the refusal, such as the job that holds an idempotency key. */
  readonly data: unknown;

  constructor(
    code: ErrorCode,
    message: string,
    more: { errors?: readonly FieldError[]; headers?: Record<string, string>; data?: unknown } = {},
  ) {
    super(message);
    this.code = code;
    this.errors = more.errors ?? [];
    this.headers = more.headers ?? {};
    this.data = more.data;
  }
}

/** These fields are at fault. */
export const allInvalid = (errors: readonly FieldError[]): ApiError =>
  new ApiError("validation_error", "The request is not valid.", { errors });

/** A single field is at fault. */
export const invalid = (field: string, message: string): ApiError => allInvalid([{ field, message }]);

/** A store or an object cannot answer now. */
export const unavailable = (retryAfterSeconds: number): ApiError =>
  new ApiError("unavailable", "The service cannot answer at the moment. Please try again.", {
    headers: { "Retry-After": String(retryAfterSeconds) },
  });
