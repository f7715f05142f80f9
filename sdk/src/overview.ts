// The types of an overview: how the account's jobs are doing.

import type { CallOptions } from "./call-options.ts";

export type OverviewWindow = "15m" | "1h" | "24h" | "7d";

/** The argument of `chronos.overview()`. */
export interface OverviewOptions extends CallOptions {
  /** How far to look back. Default `"1h"`. */
  window?: OverviewWindow | undefined;
}

/**
 * How the account's jobs are doing. Each execution is counted once, when it is over.
 *
 * @example
 * ```ts
 * import { Chronos, type Overview } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const overview: Overview = await chronos.overview({ window: "24h" });
 * for (const { errorCode, host, count } of overview.failing) console.log(count, errorCode, host ?? "pull");
 * ```
 */
export interface Overview {
  window: OverviewWindow;
  /** How long a bucket is. */
  bucketSeconds: number;
  /** The window, oldest first, without a gap. The last bucket is under way. */
  buckets: OverviewBucket[];
  /** Jobs that have been due for more than ten seconds and are not known to have started. */
  overdue: {
    /** At most 1,000. */
    count: number;
    /** `false` if there may be more than that. */
    complete: boolean;
    oldestRunAt: Date | null;
  };
  /** What fails, in groups, the newest failure first; at most 50. */
  failing: OverviewFailure[];
  /** Flows that hold jobs up: paused, or with jobs in line for more than ten seconds. The longest line first; at most 20. */
  flows: OverviewFlow[];
  /** How many jobs are due in each minute of the next hour. */
  due: OverviewMinute[];
  /** Minutes that begin later are missing from `due`: the service looks at a bounded number of jobs. */
  dueCompleteUntil: Date;
}

export interface OverviewBucket {
  /** The beginning of the bucket. */
  at: Date;
  /** Attempts that started in this time and are over. */
  started: number;
  /** Jobs that completed in this time. */
  completed: number;
  /** Jobs that failed in this time. */
  failed: number;
  /** Attempts that failed or were interrupted in this time, and after which the job was to be tried again. */
  retried: number;
  /** How long after they were due its attempts started; null where none did. Percentiles are bounds of a histogram. */
  latenessMs: { p50: number | null; p95: number | null; p99: number | null; max: number | null };
}

export interface OverviewFailure {
  /** An `ExecutionErrorCode`, or `other` for what did not fit into the groups. */
  errorCode: string;
  handler: string | null;
  /** Where it was pushed to; null for pull. */
  host: string | null;
  count: number;
  lastAt: Date;
  /** The job of the newest of them. */
  jobId: string;
}

/** A flow in which jobs wait, or that is paused. What is null is not known: the flow did not answer within a second. */
export interface OverviewFlow {
  key: string;
  /** Whether a person or its breaker has paused it. */
  paused: boolean | null;
  waiting: number | null;
  running: number | null;
}

/** A minute and how many jobs are due in it. */
export interface OverviewMinute {
  at: Date;
  count: number;
}
