// How long a call may take, and the signal that ends it.

import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import { checkFields, type Fields } from "./known-fields.ts";

/**
 * What each call takes besides its own arguments.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * export async function onRequest(request: Request): Promise<Response> {
 *   const job = { name: "Welcome mail", handler: "email", idempotencyKey: "welcome-ada" };
 *   const { id } = await chronos.jobs.create(job, { timeoutMs: 5_000, signal: request.signal });
 *   return Response.json({ id }, { status: 202 });
 * }
 * ```
 */
export interface CallOptions {
  /**
   * Ends the call after so many milliseconds, its repeated tries and the pauses between them included, with the error of
   * the last try. For a list it counts for each page. Default: up to four tries of 30 s each.
   */
  timeoutMs?: number | undefined;
  /** Ends the call at once; it rejects with the signal's reason. The service may have done what was asked all the same. */
  signal?: AbortSignal | undefined;
}

/**
 * The options of a call that can be made conditional.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const job = await chronos.jobs.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * await chronos.jobs.update(job.id, { maxRetries: job.maxRetries + 5 }, { ifMatch: job.revision });
 * ```
 */
export interface ChangeOptions extends CallOptions {
  /** The `revision` the change is based on. If it is outdated, nothing is done, and PreconditionFailedError carries the present state. */
  ifMatch?: number | undefined;
}

/**
 * The options of a call that creates jobs.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * export async function onRequest(request: Request): Promise<Response> {
 *   const traceparent = request.headers.get("traceparent") ?? undefined;
 *   const { id } = await chronos.jobs.create({ name: "Welcome mail", handler: "email" }, { traceparent });
 *   return Response.json({ id }, { status: 202 });
 * }
 * ```
 */
export interface CreateOptions extends CallOptions {
  /**
   * The W3C trace context that the job belongs to, as it stands in a `traceparent` header. It goes out with each attempt: in a
   * push as the same header, to a worker as `ctx.traceparent`. The service ignores what is malformed.
   */
  traceparent?: string | undefined;
}

/** The limits of one call that has begun. */
export interface CallLimits {
  signal: AbortSignal | undefined;
  /** By the monotonic clock; Infinity for none. */
  endsAt: number;
}

export const CALL_OPTIONS: Fields<CallOptions> = { timeoutMs: true, signal: true };
const CHANGE_OPTIONS: Fields<ChangeOptions> = { ...CALL_OPTIONS, ifMatch: true };
const CREATE_OPTIONS: Fields<CreateOptions> = { ...CALL_OPTIONS, traceparent: true };

/** Checks the options of a call that may carry `ifMatch`, and starts the clock. */
export function changeLimitsOf(
  connection: Connection,
  call: string,
  options: ChangeOptions | undefined,
): CallLimits & { ifMatch: number | undefined } {
  const limits = limitsOf(connection, call, options, CHANGE_OPTIONS);
  const ifMatch = options?.ifMatch;
  if (ifMatch !== undefined && !Number.isInteger(ifMatch)) {
    throw new ChronosConfigError("ifMatch must be the revision of what is changed, an integer");
  }
  return { ...limits, ifMatch };
}

/** Checks the options of a call that creates jobs, and starts the clock. */
export function createLimitsOf(
  connection: Connection,
  call: string,
  options: CreateOptions | undefined,
): CallLimits & { traceparent: string | undefined } {
  const limits = limitsOf(connection, call, options, CREATE_OPTIONS);
  const traceparent = options?.traceparent;
  if (traceparent !== undefined && typeof traceparent !== "string") {
    throw new ChronosConfigError("traceparent must be the text of a W3C traceparent header");
  }
  // What no header can say is malformed, and left out as the service leaves out what is malformed.
  return { ...limits, traceparent: /^[!-~]+$/.test(traceparent ?? "") ? traceparent : undefined };
}

/** Checks the options of `call`, such as `jobs.create()`, and starts the clock. */
export function limitsOf(
  { platform }: Connection,
  call: string,
  options: CallOptions | undefined,
  known: Fields<CallOptions> = CALL_OPTIONS,
): CallLimits {
  if (options === undefined) return { signal: undefined, endsAt: Number.POSITIVE_INFINITY };
  checkFields(`The options of ${call}`, options, known);
  const { timeoutMs, signal } = options;
  if (timeoutMs !== undefined && !(typeof timeoutMs === "number" && timeoutMs > 0)) {
    throw new ChronosConfigError("timeoutMs must be a number of milliseconds above 0");
  }
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new ChronosConfigError("signal must be an AbortSignal");
  }
  return { signal, endsAt: platform.monotonicMs() + (timeoutMs ?? Number.POSITIVE_INFINITY) };
}
