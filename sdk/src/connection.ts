// What the parts of one client share.

import { retryAfterOf } from "./api-error.ts";
import { backoffMs } from "./backoff.ts";
import { Http } from "./http.ts";
import type { ChronosLogger } from "./logger.ts";
import type { ResolvedOptions } from "./options.ts";
import type { Platform } from "./platform.ts";

/** The longest pause between two tries, before what Retry-After adds. */
const LONGEST_PAUSE_MS = 30_000;

export interface Connection {
  http: Http;
  logger: ChronosLogger;
  platform: Platform;
  pollWaitTimeSeconds: number;
  retryDelayMs: number;
}

export function connect(options: ResolvedOptions, platform: Platform): Connection {
  const { logger, pollWaitTimeSeconds, retryDelayMs } = options;
  return { http: new Http(options, platform), logger, platform, pollWaitTimeSeconds, retryDelayMs };
}

/** The pause after so many failures in a row, the last of them with this error. */
export function pauseMs({ platform, retryDelayMs }: Connection, failures: number, error: unknown): number {
  const backoff = { baseMs: retryDelayMs, capMs: Math.max(LONGEST_PAUSE_MS, retryDelayMs) };
  return backoffMs(failures, backoff, platform.random(), retryAfterOf(error));
}
