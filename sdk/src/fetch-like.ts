// The part of `fetch` the SDK uses, typed by its shape, so that the one of any runtime fits.

export interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: string;
  signal: AbortSignal;
  redirect: "manual";
}

export interface FetchResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** Read in preference to `text()`: it tells whether an answer has begun. Without it a poll may end late at a stop. */
  readonly body?: { getReader(): { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> } } | null;
  text(): Promise<string>;
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
