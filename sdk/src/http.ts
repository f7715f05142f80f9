// One request to the service and its answer taken apart: data, or a typed error. It never tries twice; who may, decides.

import { type ApiErrorFacts, ChronosApiError, type FieldError, IdempotencyKeyConflictError } from "./api-error.ts";
import { parseRetryAfter } from "./backoff.ts";
import { ChronosConnectionError } from "./errors.ts";
import type { FetchLike, FetchResponse } from "./fetch-like.ts";
import { childrenOf } from "./json-scan.ts";
import type { Platform } from "./platform.ts";
import { addTexts } from "./raw-json.ts";
import { jobFromWire, type WireJob } from "./wire.ts";

export interface HttpCall {
  method: "GET" | "POST";
  path: string;
  query?: [string, string][];
  /** Already JSON: repeating a request must repeat its bytes. */
  body?: string;
  /**
   * Gives up at once, unless an answer has begun to arrive: it may hold a job that is already leased to us. The spaces
   * that a long poll sends while it waits are no answer yet.
   */
  signal?: AbortSignal;
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

const DEFAULT_TIMEOUT_MS = 30_000;
const USER_AGENT = "chronos-edge-sdk/0.1.0";

export class Http {
  readonly #origin: { apiKey: string; baseUrl: string; fetch: FetchLike };
  readonly #platform: Platform;

  constructor(origin: { apiKey: string; baseUrl: string; fetch: FetchLike }, platform: Platform) {
    this.#origin = origin;
    this.#platform = platform;
  }

  /** The envelope of a success. Throws ChronosApiError for a refusal and ChronosConnectionError for no answer. */
  async send(call: HttpCall): Promise<Envelope> {
    const { response, text } = await this.#exchange(call);
    const envelope = parseEnvelope(text);
    if (envelope?.success && response.status >= 200 && response.status < 300) return envelope;
    throw this.#refusal(response, envelope);
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

    const timeoutMs = call.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    const patience = new AbortController();
    const stopTimer = this.#platform.after(timeoutMs, () => {
      patience.abort(new Error(`No answer within ${Math.round(timeoutMs / 1000)} s`));
    });
    const giveUp = () => patience.abort(call.signal?.reason);
    call.signal?.addEventListener("abort", giveUp, { once: true });
    if (call.signal?.aborted) giveUp();
    try {
      // Raced, because not every fetch that a user passes in minds its signal.
      const { response, text } = await Promise.race([
        aborted(patience.signal),
        (async () => {
          patience.signal.throwIfAborted();
          const response = await fetch(baseUrl + call.path + (query === "" ? "" : `?${query}`), {
            method: call.method,
            headers,
            signal: patience.signal,
            redirect: "manual",
            ...(call.body === undefined ? {} : { body: call.body }),
          });
          const begun = () => call.signal?.removeEventListener("abort", giveUp);
          return { response, text: await readText(response, begun) };
        })(),
      ]);
      return { response, text };
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new ChronosConnectionError(`${call.method} ${call.path} got no answer: ${why}`, { cause });
    } finally {
      stopTimer();
      call.signal?.removeEventListener("abort", giveUp);
    }
  }

  #refusal(response: FetchResponse, envelope: Envelope | null): ChronosApiError {
    const answeredAt = Date.parse(response.headers.get("date") ?? "");
    const facts: ApiErrorFacts = {
      code: envelope?.code ?? "unexpected_response",
      status: response.status,
      errors: Array.isArray(envelope?.errors) ? envelope.errors : [],
      requestId: response.headers.get("x-request-id"),
      retryAfterMs: parseRetryAfter(response.headers.get("retry-after"), this.#platform.now()),
      answeredAt: Number.isNaN(answeredAt) ? null : answeredAt,
    };
    if (envelope?.code === undefined) {
      const what = `Status ${response.status} without an answer of the service's own; is baseUrl right?`;
      return new ChronosApiError(what, facts);
    }
    if (facts.code === "idempotency_key_conflict") {
      const holder = envelope.data ? jobFromWire(envelope.data as WireJob) : null;
      return new IdempotencyKeyConflictError(envelope.message, facts, holder);
    }
    return new ChronosApiError(envelope.message, facts);
  }
}

/** The whole body; `begun` is called once more than spaces have come. */
async function readText(response: FetchResponse, begun: () => void): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    begun();
    return response.text();
  }
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.trimStart() !== "") begun();
  }
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
