// What a client may be told, checked before anything is sent.

import { ChronosConfigError } from "./errors.ts";
import type { FetchLike } from "./fetch-like.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { type ChronosLogger, consoleLogger, unfailing } from "./logger.ts";

/**
 * What a client may be told.
 *
 * @example
 * ```ts
 * import { Chronos, type ChronosOptions } from "@chronos-edge/sdk";
 *
 * const options: ChronosOptions = {
 *   apiKey: "chrns_example",
 *   baseUrl: "https://chronos.example.com",
 *   pollWaitTimeSeconds: 10,
 * };
 * export const chronos = new Chronos(options);
 * ```
 */
export interface ChronosOptions {
  /** An API key of your account; it starts with `chrns_`. */
  apiKey: string;
  /** Where your service runs, without `/v1`. Trailing slashes are dropped; a path in front of `/v1` is kept. */
  baseUrl: string;
  /** Instead of the global `fetch`: a service binding's, or an app in the same process. */
  fetch?: FetchLike | undefined;
  /** Default: the console, without debug lines. */
  logger?: ChronosLogger | undefined;
  /** How long one poll of a worker waits for a job, in whole seconds from 0 to 20. Default 20. */
  pollWaitTimeSeconds?: number | undefined;
  /** What the backoff after a fault starts from, in milliseconds. Default 1000. */
  retryDelayMs?: number | undefined;
}

export interface ResolvedOptions {
  apiKey: string;
  baseUrl: string;
  fetch: FetchLike;
  logger: ChronosLogger;
  pollWaitTimeSeconds: number;
  retryDelayMs: number;
}

const OPTIONS: Fields<ChronosOptions> = {
  apiKey: true,
  baseUrl: true,
  fetch: true,
  logger: true,
  pollWaitTimeSeconds: true,
  retryDelayMs: true,
};

/** Fills in the defaults; throws a ChronosConfigError for what cannot work. */
export function resolveOptions(options: ChronosOptions): ResolvedOptions {
  checkFields("The options of new Chronos()", options, OPTIONS);
  const { pollWaitTimeSeconds = 20, retryDelayMs = 1000, logger = consoleLogger } = options;
  if (!Number.isInteger(pollWaitTimeSeconds) || pollWaitTimeSeconds < 0 || pollWaitTimeSeconds > 20) {
    throw new ChronosConfigError("pollWaitTimeSeconds must be an integer from 0 to 20");
  }
  if (!Number.isFinite(retryDelayMs) || retryDelayMs < 0) {
    throw new ChronosConfigError("retryDelayMs must be a number of milliseconds, 0 or more");
  }
  for (const level of ["debug", "info", "warn", "error"] as const) {
    if (typeof logger?.[level] !== "function") throw new ChronosConfigError(`logger must have a ${level}() method`);
  }
  return {
    apiKey: checkApiKey(options.apiKey),
    baseUrl: checkBaseUrl(options.baseUrl),
    fetch: checkFetch(options.fetch),
    logger: unfailing(logger),
    pollWaitTimeSeconds,
    retryDelayMs,
  };
}

function checkApiKey(apiKey: unknown): string {
  if (typeof apiKey !== "string" || apiKey.trim() === "") {
    throw new ChronosConfigError("apiKey is required: pass an API key of your account, which starts with chrns_");
  }
  if (!/^chrns_[\x21-\x7e]+$/.test(apiKey.trim())) {
    throw new ChronosConfigError(
      "apiKey must start with chrns_ and hold no spaces; a signing secret (whsec_) is no API key",
    );
  }
  return apiKey.trim();
}

function checkBaseUrl(baseUrl: unknown): string {
  if (typeof baseUrl !== "string" || baseUrl.trim() === "") {
    throw new ChronosConfigError(
      "baseUrl is required: the address of your service, such as https://chronos.example.com",
    );
  }
  let url: URL;
  try {
    url = new URL(baseUrl);
  } catch {
    throw new ChronosConfigError(`baseUrl is not a URL: ${baseUrl}. It needs the form https://chronos.example.com`);
  }
  if (url.protocol !== "https:" && url.protocol !== "http:") {
    throw new ChronosConfigError(`baseUrl must start with https:// or http://, not ${url.protocol}`);
  }
  if (url.username !== "" || url.password !== "" || url.search !== "" || url.hash !== "") {
    throw new ChronosConfigError("baseUrl must hold no user, password, query or fragment");
  }
  const path = url.pathname.replace(/\/+$/, "");
  if (path.endsWith("/v1")) throw new ChronosConfigError("baseUrl must not end in /v1: the SDK adds it");
  return url.origin + path;
}

function checkFetch(given: unknown): FetchLike {
  if (given !== undefined) {
    if (typeof given !== "function") throw new ChronosConfigError("fetch must be a function");
    return given as FetchLike;
  }
  if (typeof globalThis.fetch !== "function") {
    throw new ChronosConfigError(
      "This runtime has no global fetch: pass one as the fetch option (Node.js has it from 18 on)",
    );
  }
  // Looked up at each call, and called without a receiver of ours: some runtimes refuse any other.
  return (url, init) => globalThis.fetch(url, init);
}
