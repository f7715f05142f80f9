// A refusal of the service, or the failure to reach it.

export interface FieldError {
  /** A dotted path, such as `delivery.http.url`. */
  readonly field: string;
  readonly message: string;
}

export interface Refusal {
  /** The HTTP status; 0 when there was no answer. */
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly errors?: readonly FieldError[];
  /** With 409 and 412: the object as it is now. */
  readonly data?: unknown;
  readonly retryAfterMs?: number | undefined;
}

export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly FieldError[];
  readonly data: unknown;
  /** How long the service asks us to wait. */
  readonly retryAfterMs: number | undefined;

  constructor({ status, code, message, errors = [], data = null, retryAfterMs }: Refusal) {
    super(message);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.data = data;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What went wrong, whatever was thrown. */
export const asApiError = (thrown: unknown): ApiError =>
  thrown instanceof ApiError
    ? thrown
    : new ApiError({ status: 0, code: "dashboard", message: `The dashboard has a fault: ${String(thrown)}` });

/** In a sentence or two: what the service says, and of which fields. */
export const wordsOf = (error: ApiError): string =>
  [error.message, ...error.errors.map(({ field, message }) => `${field}: ${message}`)].join(" ");
