// One call of the API: same origin, with the session's cookie, and with the pauses that the service asks for.

import { fieldsToJson } from "../../../sdk/src/raw-json.ts";
import { SERVICE } from "../app/base.ts";
import { ApiError } from "./api-error.ts";
import { type Answer, read } from "./envelope.ts";

/** Longer than any answer takes; a hanging connection must not stop the page. */
const TIMEOUT_MS = 20_000;
/** A 429 asks for at most ten seconds. A longer wait is shown as an error. */
const LONGEST_PAUSE_MS = 10_000;
const RETRIES = 2;

export type { Answer, Paging } from "./envelope.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
export type Query = Readonly<Record<string, string | readonly string[] | undefined>> | URLSearchParams;

export interface CallOptions {
  readonly query?: Query;
  /** Sent as JSON. A member may be `RawJson`, which is sent as its text. */
  readonly body?: object;
  /** The revision that the change is meant for. */
  readonly ifMatch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Called with every 401: the session has ended. */
let onUnauthorized = (): void => {};
export function whenUnauthorized(then: () => void): void {
  onUnauthorized = then;
}

/** Before this moment nothing is sent: the service has asked for a pause. */
let quietUntil = 0;

/**
 * Calls the service.
 *
 * @param path below the service, such as `/v1/jobs`
 * @throws ApiError for every answer but a success, and when there is none; DOMException `AbortError` when `signal` fires
 */
export async function call<T>(method: Method, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  for (let retry = 0; ; retry += 1) {
    await pause(quietUntil - Date.now(), options.signal);
    try {
      return await callOnce<T>(method, path, options);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 401) onUnauthorized();
      // A 429 comes before anything is done. A 503 may come after the write, and a poll asks again by itself.
      if (error.status !== 429) throw error;
      const waitMs = error.retryAfterMs ?? 1_000;
      quietUntil = Math.max(quietUntil, Date.now() + Math.min(waitMs, LONGEST_PAUSE_MS));
      if (retry >= RETRIES || waitMs > LONGEST_PAUSE_MS) throw error;
    }
  }
}

/** Reads, for short. */
export const get = <T>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer<T>> =>
  call<T>("GET", path, { query, signal });

async function callOnce<T>(method: Method, path: string, options: CallOptions): Promise<Answer<T>> {
  const { query = {}, body, ifMatch, signal } = options;
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  const headers = new Headers({ Accept: "application/json" });
  if (body !== undefined) headers.set("Content-Type", "application/json");
  if (ifMatch !== undefined) headers.set("If-Match", `"${ifMatch}"`);
  try {
    const response = await fetch(SERVICE + path + searchOf(query), {
      method,
      headers,
      body: body === undefined ? null : fieldsToJson({ ...body }),
      credentials: "same-origin",
      cache: "no-store",
      signal: signal ? AbortSignal.any([signal, limit]) : limit,
    });
    return read<T>(response.status, response.headers, await response.text());
  } catch (error) {
    if (error instanceof ApiError || signal?.aborted) throw error;
    const message = limit.aborted ? "The service does not answer." : "The service cannot be reached.";
    throw new ApiError({ status: 0, code: "unreachable", message });
  }
}

/** The query of an address; empty without one. */
export function searchOf(query: Query): string {
  const pairs =
    query instanceof URLSearchParams
      ? [...query]
      : Object.entries(query).flatMap(([name, value]) =>
          value === undefined ? [] : [value].flat().map((one) => [name, one] as [string, string]),
        );
  const text = new URLSearchParams(pairs).toString();
  return text && `?${text}`;
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  if (ms <= 0) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}
