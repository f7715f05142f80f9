// The line between the SDK and the service: it records what is sent, and breaks where a test wants it to.

import type { FetchInit, FetchLike } from "../src/index.ts";
import { refuse } from "./answers.ts";

export interface Sent {
  method: string;
  path: string;
  query: URLSearchParams;
  body: Record<string, unknown>;
  at: number;
  redirect: string;
  cache: string | undefined;
  ifMatch: string | undefined;
  traceparent: string | undefined;
}

/**
 * `lost`: the request never arrives. `unanswered`: it is done, the answer is lost. `unsure`: it is done, and the service
 * could not see that it was: 503. `hangs`: nothing, until aborted.
 */
export type Fault = "lost" | "unanswered" | "unsure" | "hangs" | (() => Response);

export const REPORT = /\/worker\/jobs\/report$/;

export class Line {
  readonly sent: Sent[] = [];
  readonly #service: FetchLike;
  /** How long each answer takes. */
  latencyMs = 0;
  readonly #faults: { path: RegExp; fault: Fault; times: number }[] = [];

  constructor(service: FetchLike) {
    this.#service = service;
  }

  /** The next `times` requests to this path meet the fault. */
  breaks(path: RegExp, fault: Fault, times = 1): void {
    this.#faults.push({ path, fault, times });
  }

  mends(): void {
    this.#faults.length = 0;
  }

  sentTo(path: RegExp): Sent[] {
    return this.sent.filter((one) => path.test(one.path));
  }

  /** Each report that was sent, however many came in one call. */
  get reports(): { at: number; body: Record<string, unknown> }[] {
    return this.sentTo(REPORT).flatMap(({ at, body }) =>
      (body.reports as Record<string, unknown>[]).map((report) => ({ at, body: report })),
    );
  }

  readonly fetch: FetchLike = async (input: string, init: FetchInit) => {
    const url = new URL(input);
    const body = init.body === undefined ? {} : JSON.parse(init.body);
    const { method, redirect, cache } = init;
    const { "if-match": ifMatch, traceparent } = init.headers;
    const { pathname: path, searchParams: query } = url;
    this.sent.push({ method, path, query, body, at: Date.now(), redirect, cache, ifMatch, traceparent });
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    const broken = this.#faults.find(({ path, times }) => times > 0 && path.test(url.pathname));
    if (broken === undefined) return this.#service(input, init);
    broken.times -= 1;
    if (broken.fault === "hangs") return hang(init.signal);
    if (broken.fault === "unanswered") await this.#service(input, init);
    if (broken.fault === "unsure") {
      await this.#service(input, init);
      return refuse(503, "unavailable", "The store did not answer");
    }
    if (typeof broken.fault === "function") return broken.fault();
    throw new TypeError("fetch failed");
  };
}

function hang(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason), { once: true }));
}
