// What an overview answers with, field by field, and an example of it.

import * as v from "valibot";
import { FAULT_CODES } from "../domain/job.ts";
import { count, time, uuid } from "./answer-parts.ts";

const words = <S extends v.GenericSchema>(schema: S, description: string) => v.pipe(schema, v.description(description));

const ms = v.nullable(count);

const Bucket = v.object({
  at: words(time, "The beginning of the bucket. ISO 8601, UTC."),
  started: words(count, "Attempts that started in this time. One is counted once it is over."),
  completed: words(count, "Jobs that completed in this time."),
  failed: words(
    count,
    "Jobs that failed in this time: with their last attempt, or because their time had run out (`expired`).",
  ),
  retried: words(
    count,
    "Attempts that failed or were interrupted in this time, and after which the job was to be tried again.",
  ),
  lateness_ms: words(
    v.object({
      p50: words(ms, "Half of them were not later than this."),
      p95: words(ms, "95 of a hundred were not later than this."),
      p99: words(ms, "99 of a hundred were not later than this."),
      max: words(ms, "How late the latest was."),
    }),
    "How long after they were due its attempts started, in milliseconds; null where none did. Percentiles are bounds of a histogram (10, 20, 50, 100 … ms to 1 h): the exact one is not above it. `max` is exact.",
  ),
});

const Failing = v.object({
  error_code: words(
    v.picklist([...FAULT_CODES, "other"]),
    "`other` holds what did not fit into the twenty groups of its quarter of an hour.",
  ),
  handler: words(v.nullable(v.string()), "The handler of the jobs; null when they have none."),
  host: words(v.nullable(v.string()), "The host that was pushed to; null for pull and for `expired`."),
  count: words(
    count,
    "Attempts that failed like this, and jobs that expired, in the quarters of an hour that the window reaches into.",
  ),
  last_at: words(time, "When the newest of them failed."),
  job_id: words(uuid, "The job of the newest of them."),
});

export const Overview = v.object({
  window: words(v.picklist(["15m", "1h", "24h", "7d"]), "How far it looks back."),
  bucket_seconds: words(count, "How long a bucket is."),
  buckets: words(v.array(Bucket), "The window, oldest first, without a gap. The last bucket is under way."),
  overdue: words(
    v.object({
      count: words(count, "At most 1,000."),
      complete: words(v.boolean(), "`false` if there may be more than that."),
      oldest_run_at: words(v.nullable(time), "When the oldest of them was due; null when none is overdue."),
    }),
    "Jobs that have been due for more than ten seconds and are not known to have started.",
  ),
  failing: words(v.array(Failing), "What fails, in groups, the newest failure first; at most 50."),
  due: words(
    v.array(
      v.object({
        at: words(time, "The beginning of the minute. ISO 8601, UTC."),
        count: words(count, "Jobs that are due in it."),
      }),
    ),
    "How many jobs are due in each minute of the next hour. Minutes that begin after `due_complete_until` are missing.",
  ),
  due_complete_until: words(
    time,
    "An hour from now, or less: 10,000 jobs of the whole service are looked at, those that are due first.",
  ),
  flows: words(
    v.array(
      v.object({
        key: words(v.string(), "The flow."),
        paused: words(
          v.nullable(v.boolean()),
          "Whether nothing starts, because a person or its breaker has paused it; null if the flow did not answer within a second.",
        ),
        waiting: words(v.nullable(count), "Jobs that are due and wait for their turn; null likewise."),
        running: words(v.nullable(count), "Attempts that hold a slot; null likewise."),
      }),
    ),
    "Flows that hold jobs up: paused, or with jobs in line for more than ten seconds. The longest line first; at most 20.",
  ),
});

export const OVERVIEW_EXAMPLE: v.InferInput<typeof Overview> = {
  window: "15m",
  bucket_seconds: 60,
  buckets: [
    {
      at: "2026-01-15T09:00:00.000Z",
      ...{ started: 131, completed: 124, failed: 1, retried: 6 },
      lateness_ms: { p50: 10, p95: 50, p99: 163, max: 163 },
    },
  ],
  overdue: { count: 0, complete: true, oldest_run_at: null },
  failing: [
    {
      error_code: "http_status",
      handler: "send-welcome",
      host: "example.com",
      count: 7,
      last_at: "2026-01-15T09:00:41.210Z",
      job_id: "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55",
    },
  ],
  due: [{ at: "2026-01-15T09:00:00.000Z", count: 118 }],
  due_complete_until: "2026-01-15T10:00:52.000Z",
  flows: [{ key: "mail-provider", paused: false, waiting: 12, running: 5 }],
};
