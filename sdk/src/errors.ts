// What can go wrong before or beside an answer of the service. Answers that refuse are in api-error.ts.

/**
 * The root of everything this package throws.
 *
 * @example
 * ```ts
 * import { Chronos, ChronosError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * try {
 *   await chronos.jobs.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * } catch (error) {
 *   if (error instanceof ChronosError) console.error(error.name, error.message);
 *   else throw error;
 * }
 * ```
 */
export class ChronosError extends Error {
  override name = "ChronosError";
}

/**
 * An option or an argument is missing or wrong. Thrown before anything is sent, with one exception: the `fetch` that was
 * passed in returns answers that cannot be read. The service may then have done what was asked.
 *
 * @example
 * ```ts
 * import { Chronos, ChronosConfigError } from "@chronos-edge/sdk";
 *
 * try {
 *   new Chronos({ apiKey: "", baseUrl: "https://chronos.example.com" });
 * } catch (error) {
 *   if (error instanceof ChronosConfigError) console.error(error.message); // apiKey is required: …
 * }
 * ```
 */
export class ChronosConfigError extends ChronosError {
  override name = "ChronosConfigError";
}

/**
 * No answer came: the network failed or the request timed out. Whether the service did what was asked is unknown.
 *
 * @example
 * ```ts
 * import { Chronos, ChronosConnectionError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * try {
 *   await chronos.jobs.create({ name: "Welcome", handler: "email" });
 * } catch (error) {
 *   if (error instanceof ChronosConnectionError) console.error("no answer; it may or may not exist:", error.cause);
 * }
 * ```
 */
export class ChronosConnectionError extends ChronosError {
  override name = "ChronosConnectionError";
}

/** The same symbol in every copy of this package. */
const NON_RETRYABLE = Symbol.for("@chronos-edge/sdk/non-retryable");

/**
 * Thrown by a handler when another attempt would be useless: the job fails for good, whatever retries are left.
 * Subclasses count, whatever their name, and so does an error of the name NonRetryableError from another package.
 *
 * @example
 * ```ts
 * import { Chronos, NonRetryableError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * chronos.worker.handle<{ to?: string }>("email", async (ctx) => {
 *   if (!ctx.payload.to) throw new NonRetryableError("The payload has no recipient");
 * });
 * ```
 */
export class NonRetryableError extends ChronosError {
  override name = "NonRetryableError";

  /** @internal */
  get [NON_RETRYABLE](): true {
    return true;
  }
}

/**
 * Whether another attempt would be useless. Neither `instanceof` nor a name would do: there may be two copies of this
 * package, and a subclass may have any name.
 */
export function isNonRetryable(thrown: unknown): boolean {
  try {
    const { name, [NON_RETRYABLE]: branded } = thrown as Partial<NonRetryableError>;
    return branded === true || name === "NonRetryableError";
  } catch {
    return false;
  }
}

/** Why `ctx.signal` aborted. */
export type AbortCause = "cancelled" | "lease_lost" | "deadline";

const ABORT_MESSAGES: Record<AbortCause, string> = {
  cancelled: "The job was cancelled",
  lease_lost: "This execution no longer holds its lease",
  deadline: "The lease ran out before a heartbeat could extend it",
};

/**
 * The reason of an aborted `ctx.signal`; `abortCause` tells which: `cancelled` (somebody cancelled the job),
 * `lease_lost` (the service gave the job to another execution), `deadline` (no heartbeat got through in time).
 *
 * @example
 * ```ts
 * import { Chronos, ExecutionAbortedError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * chronos.worker.handle("export", async (ctx) => {
 *   ctx.signal.addEventListener("abort", () => {
 *     const { reason } = ctx.signal;
 *     if (reason instanceof ExecutionAbortedError) console.warn("stopping:", reason.abortCause);
 *   });
 *   await fetch("https://example.com/slow", { signal: ctx.signal });
 * });
 * ```
 */
export class ExecutionAbortedError extends ChronosError {
  override name = "ExecutionAbortedError";
  readonly abortCause: AbortCause;

  constructor(abortCause: AbortCause) {
    super(ABORT_MESSAGES[abortCause]);
    this.abortCause = abortCause;
  }
}

/** What was wrong with a delivery that did not verify. */
export type SignatureFailure =
  | "missing_header"
  | "malformed_header"
  | "no_match"
  | "timestamp_too_old"
  | "timestamp_too_new"
  | "malformed_body";

/**
 * A delivery that must not be trusted. Answer it with 401 and do nothing else.
 *
 * @example
 * ```ts
 * import { SignatureVerificationError, verifySignature } from "@chronos-edge/sdk";
 *
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     try {
 *       const delivery = await verifySignature(request, "whsec_c2VjcmV0IG9mIDMyIGJ5dGVzIGZvciBleGFtcGxlcyE=");
 *       return Response.json({ received: delivery.jobId });
 *     } catch (error) {
 *       if (error instanceof SignatureVerificationError) return new Response(error.reason, { status: 401 });
 *       throw error;
 *     }
 *   },
 * };
 * ```
 */
export class SignatureVerificationError extends ChronosError {
  override name = "SignatureVerificationError";
  readonly reason: SignatureFailure;

  constructor(reason: SignatureFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
