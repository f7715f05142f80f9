// How an overview looks to its account: what is not listed here stays inside.

import { formatInstant } from "../domain/instant.ts";
import { bucketsOf, type Lateness, percentileOf, WINDOWS, type WindowName } from "../domain/overview.ts";
import { type HeldFlow, isPaused } from "../objects/flow/held-flows.ts";
import { AHEAD_MS } from "../store/due-jobs.ts";
import type { Counted, Failing, Overview } from "../store/overview-store.ts";

const MINUTE = 60_000;

export function showOverview(
  window: WindowName,
  { buckets, failing, overdue, due, dueUntil }: Overview,
  held: readonly HeldFlow[],
  now: number,
) {
  return {
    window,
    bucket_seconds: WINDOWS[window].bucketMs / 1_000,
    buckets: bucketsOf(window, now).map((at) => showBucket(at, buckets.get(at))),
    overdue: {
      count: overdue.count,
      complete: overdue.isComplete,
      oldest_run_at: overdue.oldestRunAt === null ? null : formatInstant(overdue.oldestRunAt),
    },
    failing: failing.map(showFailing),
    due: dueMinutes(now)
      .filter((at) => at < dueUntil)
      .map((at) => ({ at: formatInstant(at), count: due.get(at) ?? 0 })),
    due_complete_until: formatInstant(dueUntil),
    flows: held.map(showHeld),
  };
}

/** The minute that is under way, and those of the next hour. */
const dueMinutes = (now: number): number[] =>
  Array.from({ length: AHEAD_MS / MINUTE + 1 }, (_, i) => now - (now % MINUTE) + i * MINUTE);

function showBucket(at: number, counted: Counted = NOTHING) {
  const { started, completed, failed, retried } = counted;
  return { at: formatInstant(at), started, completed, failed, retried, lateness_ms: latenessOf(counted) };
}

const NOTHING: Counted = { started: 0, completed: 0, failed: 0, retried: 0, lateSum: 0, lateMax: 0, late: [] };

const latenessOf = (counted: Lateness) => ({
  p50: percentileOf(counted, 0.5),
  p95: percentileOf(counted, 0.95),
  p99: percentileOf(counted, 0.99),
  max: counted.started === 0 ? null : counted.lateMax,
});

const showHeld = ({ key, view }: HeldFlow) => ({
  key,
  paused: view ? isPaused(view) : null,
  waiting: view?.waiting ?? null,
  running: view?.running ?? null,
});

const showFailing = ({ errorCode, handler, host, count, lastAt, jobId }: Failing) => ({
  error_code: errorCode,
  handler: handler === "" ? null : handler,
  host: host === "" ? null : host,
  count,
  last_at: formatInstant(lastAt),
  job_id: jobId,
});
