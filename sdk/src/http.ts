// One request to the service and its answer taken apart: data, or a typed error. It never tries twice; who may, decides.

import {
  type ApiErrorFacts,
  ChronosApiError,
  type FieldError,
  IdempotencyKeyConflictError,
  PreconditionFailedError,
  ScheduleKeyConflictError,
} from "./api-error.ts";
import { parseRetryAfter } from "./backoff.ts";
import { describeError } from "./describe-error.ts";
import { ChronosConfigError, ChronosConnectionError } from "./errors.ts";
import type { FetchInit, FetchLike, FetchResponse } from "./fetch-like.ts";
import { headerReader } from "./headers-like.ts";
import { childrenOf } from "./json-scan.ts";
import type { Platform } from "./platform.ts";
import { addTexts } from "./raw-json.ts";
import { readBody } from "./read-body.ts";
import { jobFromWire, type WireJob } from "./wire.ts";
import { flowFromWire, type WireFlow } from "./wire-flow.ts";
import { scheduleFromWire, type WireSchedule } from "./wire-schedule.ts";

export interface HttpCall {
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  path: string;
  /** The kind of object in the data of a refusal. Default: a job. */
  about?: "job" | "schedule" | "flow";
  /** Sent as If-Match: the revision that the object must have. */
  ifMatch?: number | undefined;
  /** Sent as it is: the trace that a new job belongs to. */
  traceparent?: string | undefined;
  query?: [string, string][];
  /** Already JSON: repeating a request must repeat its bytes. */
  body?: string;
  /** Gives up at once. */
  signal?: AbortSignal | undefined;
  /**
   * Gives up at once, unless an answer has begun to arrive: it may hold jobs that are already leased to us. It then also
   * gets its full time again, however long the poll has waited. The spaces that a long poll sends meanwhile are no answer yet.
   */
  stopping?: AbortSignal;
  timeoutMs?: number;
}

export interface Envelope {
  success: boolean;
  message: string;
  data: unknown;
  meta?: { paging?: Record<string, unknown> };
  code?: string;
  errors?: FieldError[];
}

/** How long one request may take, unless the call says otherwise. */
export const DEFAULT_TIMEOUT_MS = 30_000;
const USER_AGENT = "chronos-edge-sdk/0.1.0";

export class Http {
  readonly #origin: { apiKey: string; baseUrl: string; fetch: FetchLike };
  readonly #platform: Platform;
  readonly #knowsCacheModes: boolean;

  constructor(origin: { apiKey: string; baseUrl: string; fetch: FetchLike }, platform: Platform) {
    this.#origin = origin;
    this.#platform = platform;
    this.#knowsCacheModes = platform.knowsCacheModes();
  }

  /** The envelope of a success. Throws ChronosApiError for a refusal and ChronosConnectionError for no answer. */
  async send(call: HttpCall): Promise<Envelope> {
    const { response, text } = await this.#exchange(call);
    const envelope = parseEnvelope(text);
    if (envelope?.success && response.status >= 200 && response.status < 300) return envelope;
    throw refusal(call, response, envelope);
  }

  async #exchange(call: HttpCall): Promise<{ response: FetchResponse; text: string }> {
    const { apiKey, baseUrl, fetch } = this.#origin;
    const query = new URLSearchParams(call.query ?? []).toString();
    const headers: Record<string, string> = {
      authorization: `Bearer ${apiKey}`,
      accept: "application/json",
      "user-agent": USER_AGENT,
    };
    if (call.body !== undefined) headers["content-type"] = "application/json";
    if (call.traceparent !== undefined) headers.traceparent = call.traceparent;
    if (call.ifMatch !== undefined) headers["if-match"] = `"${call.ifMatch}"`;

    const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const patience = new AbortController();
    const giveUpAfter = (ms: number) =>
      this.#platform.after(ms, () => patience.abort(new Error(`No answer within ${Math.round(ms / 100) / 10} s`)));
    let stopTimer = giveUpAfter(timeoutMs);
    const unfollow = follow(patience, call.signal);
    const unfollowStop = follow(patience, call.stopping);
    const begun = () => {
      if (call.stopping === undefined) return;
      unfollowStop();
      stopTimer();
      stopTimer = giveUpAfter(DEFAULT_TIMEOUT_MS);
    };
    const init: FetchInit = { method: call.method, headers, signal: patience.signal, redirect: "manual" };
    if (call.body !== undefined) init.body = call.body;
    // Some frameworks patch fetch to cache what they can.
    if (this.#knowsCacheModes) init.cache = "no-store";
    try {
      // Raced, because not every fetch that a user passes in minds its signal. Both promises end with this call.
      return await Promise.race([
        aborted(patience.signal),
        (async () => {
          patience.signal.throwIfAborted();
          const response = await fetch(baseUrl + call.path + (query === "" ? "" : `?${query}`), init);
          return { response, text: await readBody(response, begun) };
        })(),
      ]);
    } catch (cause) {
      if (cause instanceof ChronosConfigError) throw cause;
      const why = describeError(cause) || "the fetch failed";
      throw new ChronosConnectionError(`${call.method} ${call.path} got no answer: ${why}`, { cause });
    } finally {
      stopTimer();
      unfollow();
      unfollowStop();
    }
  }
}

function refusal(call: HttpCall, response: FetchResponse, envelope: Envelope | null): ChronosApiError {
  const header = headerReader(response.headers ?? {});
  const facts: ApiErrorFacts = {
    code: envelope?.code ?? "unexpected_response",
    status: response.status,
    errors: Array.isArray(envelope?.errors) ? envelope.errors : [],
    requestId: header("x-request-id"),
    retryAfterMs: parseRetryAfter(header("retry-after"), header("date")),
  };
  if (envelope?.code === undefined) {
    const what = `Status ${response.status} without an answer of the service's own; is baseUrl right?`;
    return new ChronosApiError(what, facts);
  }
  const { message, data } = envelope;
  const job = () => (data ? jobFromWire(data as WireJob) : null);
  const schedule = () => (data ? scheduleFromWire(data as WireSchedule) : null);
  const flow = () => (data ? flowFromWire(data as WireFlow) : null);
  const isSchedule = call.about === "schedule";
  switch (facts.code) {
    case "idempotency_key_conflict":
      if (isSchedule) return new ScheduleKeyConflictError(message, facts, schedule());
      return new IdempotencyKeyConflictError(message, facts, job());
    case "precondition_failed":
      return new PreconditionFailedError(
        message,
        facts,
        isSchedule ? schedule() : call.about === "flow" ? flow() : job(),
      );
    default:
      return new ChronosApiError(message, facts);
  }
}

/** Aborts with the signal, until the answer is called. */
function follow(controller: AbortController, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => {};
  const abort = () => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return () => signal.removeEventListener("abort", abort);
}

/** Rejects when the signal aborts, and never resolves. */
function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

function parseEnvelope(text: string): Envelope | null {
  try {
    const value: unknown = JSON.parse(text);
    const isEnvelope = typeof value === "object" && value !== null && "success" in value && "message" in value;
    if (!isEnvelope) return null;
    const envelope = value as Envelope;
    addTexts(envelope.data, text, childrenOf(text).get("data")?.[0]);
    return envelope;
  } catch {
    return null;
  }
}
