// Where the API's snake_case meets the SDK's camelCase for the overview; see wire.ts.

import type { Overview, OverviewBucket, OverviewFailure } from "./overview.ts";
import { dateOrNull, type Snake } from "./wire.ts";

/** An overview as the API writes it. */
export interface WireOverview {
  window: Overview["window"];
  bucket_seconds: number;
  buckets: Snake<Omit<OverviewBucket, "at"> & { at: string }>[];
  overdue: { count: number; complete: boolean; oldest_run_at: string | null };
  failing: Snake<Omit<OverviewFailure, "lastAt"> & { lastAt: string }>[];
  flows: Overview["flows"];
  due: { at: string; count: number }[];
  due_complete_until: string;
}

export function overviewFromWire(overview: WireOverview): Overview {
  const { window, overdue } = overview;
  return {
    window,
    bucketSeconds: overview.bucket_seconds,
    buckets: overview.buckets.map(bucketFromWire),
    overdue: { count: overdue.count, complete: overdue.complete, oldestRunAt: dateOrNull(overdue.oldest_run_at) },
    failing: overview.failing.map(failureFromWire),
    flows: overview.flows.map(({ key, paused, waiting, running }) => ({ key, paused, waiting, running })),
    due: overview.due.map(({ at, count }) => ({ at: new Date(at), count })),
    dueCompleteUntil: new Date(overview.due_complete_until),
  };
}

function bucketFromWire(bucket: WireOverview["buckets"][number]): OverviewBucket {
  const { started, completed, failed, retried } = bucket;
  const { p50, p95, p99, max } = bucket.lateness_ms;
  return { at: new Date(bucket.at), started, completed, failed, retried, latenessMs: { p50, p95, p99, max } };
}

function failureFromWire(failure: WireOverview["failing"][number]): OverviewFailure {
  return {
    errorCode: failure.error_code,
    handler: failure.handler,
    host: failure.host,
    count: failure.count,
    lastAt: new Date(failure.last_at),
    jobId: failure.job_id,
  };
}
