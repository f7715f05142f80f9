// The part of `fetch` the SDK uses, typed by its shape, so that the one of any runtime fits.

import type { HeadersLike } from "./headers-like.ts";

export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignal;
  redirect: "manual";
  /** Left out where the platform's own Request does not know it. */
  cache?: "no-store";
}

/** An answer; its body is read in whichever of these ways it offers. */
export interface FetchResponse {
  readonly status: number;
  readonly headers: HeadersLike;
  /** A web stream or an async iterable is preferred: it tells whether an answer has begun. Without it a poll may end late at a stop. */
  readonly body?: unknown;
  readonly bodyUsed?: boolean;
  text?(): Promise<string>;
  arrayBuffer?(): Promise<ArrayBuffer>;
  json?(): Promise<unknown>;
}

/**
 * Anything that answers like `fetch`: the global one, a service binding's, an app in the same process.
 *
 * @example
 * ```ts
 * import { Chronos, type FetchLike } from "@chronos-edge/sdk";
 *
 * const traced: FetchLike = async (url, init) => {
 *   const response = await fetch(url, init);
 *   console.log(init.method, url, response.status);
 *   return response;
 * };
 * new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com", fetch: traced });
 * ```
 */
export type FetchLike = (url: string, init: FetchInit) => Promise<FetchResponse> | FetchResponse;
