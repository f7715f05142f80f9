// The types of handlers: what they are given, what they return, and how a map of names carries both through the client.

import type { RawJson } from "./raw-json.ts";

/**
 * What a handler is given.
 *
 * @example
 * ```ts
 * import type { ChronosContext } from "@chronos-edge/sdk";
 *
 * export async function email(ctx: ChronosContext<{ to: string }>) {
 *   console.log(`job ${ctx.jobId}, attempt ${ctx.attempt}, due ${ctx.scheduledFor.toISOString()}`);
 *   await fetch(`https://mail.example.com/send?to=${ctx.payload.to}`, { method: "POST", signal: ctx.signal });
 *   return { sent: true };
 * }
 * ```
 */
export interface ChronosContext<TPayload = unknown> {
  /** The same for every attempt of a job: the right key for your own deduplication. */
  readonly jobId: string;
  /** This attempt's own id. */
  readonly executionId: string;
  readonly handler: string;
  /** From 1. */
  readonly attempt: number;
  /** The nominal time; it does not change with retries. */
  readonly scheduledFor: Date;
  /** The job's payload, null when it has none. The type is your promise; it is not checked. */
  readonly payload: TPayload;
  /** The payload as it was sent, where parsing may have changed it: integers beyond 2^53, keys that occur twice. */
  readonly payloadText: string | null;
  /** The W3C trace context of the request that created the job; null if it had none. Continue the trace with it. */
  readonly traceparent: string | null;
  /**
   * Says how far the work is: any JSON but null, at most 4 KB, shown as `progress` of the execution. It goes out at once, or two
   * seconds after the heartbeat before; of several within that time the last one counts. It stays after the end. Throws a
   * ChronosConfigError for what is no such JSON; whether it arrives is nothing to wait for.
   */
  progress(value: unknown): void;
  /** When the lease ends, by this machine's clock. Each heartbeat moves it on, so read it anew. */
  readonly deadline: Date;
  /** Aborts when the job is cancelled, the lease is lost, or the deadline passes; its reason is an ExecutionAbortedError. */
  readonly signal: AbortSignal;
}

/**
 * A function that does one kind of job. What it returns becomes the job's result (JSON, at most 64 KB; undefined for none,
 * `rawJson(text)` for a text that is sent as it is); what it throws becomes the error of the attempt, which is then retried unless it was a NonRetryableError.
 *
 * @example
 * ```ts
 * import type { ChronosHandler } from "@chronos-edge/sdk";
 *
 * export const add: ChronosHandler<{ a: number; b: number }, { sum: number }> = ({ payload }) => ({
 *   sum: payload.a + payload.b,
 * });
 * ```
 */
export type ChronosHandler<TPayload = unknown, TResult = unknown> = (
  ctx: ChronosContext<TPayload>,
) => TResult | RawJson | Promise<TResult | RawJson>;

/** What one handler name takes and gives. */
export interface HandlerTypes {
  payload?: unknown;
  result?: unknown;
}

/** A map from handler names to their types; interfaces fit as well as type aliases. */
export type HandlerMap<M> = { [Name in keyof M]: HandlerTypes };

/** The map of a client that was given none: every name, payloads and results unknown. */
export type AnyHandlers = Record<string, { payload: unknown; result: unknown }>;

/** The names of a map. */
export type HandlerName<M> = keyof M & string;

/** The payload of one name of a map; unknown where the map does not say. */
export type PayloadOf<M, Name extends keyof M> = M[Name] extends { payload: infer Payload } ? Payload : unknown;

/** The same for functions that are generic over the name: either way of writing it fits while the name is not known. */
export type GivenPayload<M, Name extends keyof M> = string extends keyof M
  ? object | null | undefined
  : PayloadOf<M, Name> | M[Name]["payload" & keyof M[Name]];

/** The result of one name of a map; unknown where the map does not say. */
export type ResultOf<M, Name extends keyof M> = M[Name] extends { result: infer Result } ? Result : unknown;
