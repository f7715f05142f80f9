// The API from outside: one call, one answer, read as a client reads it.

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { createApp } from "../../../src/app.ts";
import type { showExecution, showJob } from "../../../src/domain/show-job.ts";
import { newJobId } from "../../../src/objects/new-id.ts";

export type JobJson = ReturnType<typeof showJob>;
export type ExecutionJson = ReturnType<typeof showExecution>;

export interface Paging {
  readonly page: number;
  readonly pages: number;
  readonly size: number;
  readonly total: number;
  readonly next_cursor?: string | null;
  readonly searched_to?: string;
}

export interface Envelope<T> {
  readonly success: boolean;
  readonly message: string;
  readonly data: T;
  readonly meta: { readonly paging: Paging };
  readonly code: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}

export interface Answer<T = unknown> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Envelope<T>;
  /** As it came over the wire. */
  readonly text: string;
}

export interface Call {
  /** The revision that is to be changed, as `If-Match`. */
  readonly ifMatch?: string | undefined;
  /** The API key, or the admin token. */
  readonly key?: string | undefined;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it is, as JSON unless the headers say otherwise. */
  readonly raw?: BodyInit | undefined;
  readonly headers?: Record<string, string>;
  /** What of the environment is another one for this call. */
  readonly env?: Partial<Record<keyof Cloudflare.Env, unknown>>;
}

export const ORIGIN = "https://chronos.test";
export const ADMIN = "adm_test_that_is_as_long_as_an_operator_makes_it";

/** The application with a clock that follows the test's. */
export const app = createApp({
  now: () => Date.now(),
  newId: () => crypto.randomUUID(),
  newJobId,
  randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
});

/** Most tests ask more often in a second than a client may in ten. */
const UNLIMITED = { limit: async () => ({ success: true }) };
export const NO_RATE_LIMITS = {
  API_RATE_LIMIT: UNLIMITED,
  WORKER_RATE_LIMIT: UNLIMITED,
  ACCOUNT_RATE_LIMIT: UNLIMITED,
  ACCOUNT_WORKER_RATE_LIMIT: UNLIMITED,
  GUESS_RATE_LIMIT: UNLIMITED,
};

export async function api<T = unknown>(method: string, path: string, call: Call = {}): Promise<Answer<T>> {
  const request = requestOf(method, path, call);
  const around = { ...env, ...NO_RATE_LIMITS, ...call.env };
  const context = createExecutionContext();
  const answer = await read<T>(await app.fetch(request, around as Cloudflare.Env, context));
  await waitOnExecutionContext(context);
  return answer;
}

export function requestOf(method: string, path: string, { key, body, raw, headers, ifMatch }: Call = {}): Request {
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const all = new Headers(sent === undefined ? {} : { "Content-Type": "application/json" });
  all.set("CF-Connecting-IP", anAddress());
  if (key !== undefined) all.set("Authorization", `Bearer ${key}`);
  if (ifMatch !== undefined) all.set("If-Match", ifMatch);
  for (const [name, value] of Object.entries(headers ?? {})) all.set(name, value);
  return new Request(ORIGIN + path, { method, headers: all, body: sent ?? null });
}

/** Another one for each call: what an address has sent is no other test's business. */
export const anAddress = (): string => `198.51.${Math.floor(addresses / 256) % 256}.${addresses++ % 256}`;
let addresses = 0;

export async function read<T>(response: Response): Promise<Answer<T>> {
  const text = await response.text();
  const { status, headers } = response;
  const isJson = headers.get("Content-Type")?.startsWith("application/json") ?? false;
  return { status, headers, body: isJson && text !== "" ? JSON.parse(text) : null, text };
}

/** The data of an answer that must be a success. */
export async function must<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`${status}: ${JSON.stringify(body)}`);
  return body.data;
}
