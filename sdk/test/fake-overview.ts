// The overview of the service in memory: always the same, but for its window.

import { accept, refuse } from "./answers.ts";

const WINDOWS = ["15m", "1h", "24h", "7d"];

export function overviewOf({ searchParams }: URL): Response {
  const window = searchParams.get("window") ?? "1h";
  if (!WINDOWS.includes(window)) return refuse(422, "validation_error", "The request is not valid.");
  const at = "2030-01-01T12:00:00.000Z";
  return accept({
    window,
    bucket_seconds: 60,
    buckets: [
      { at, started: 4, completed: 2, failed: 1, retried: 1, lateness_ms: { p50: 10, p95: 20, p99: 20, max: 13 } },
      {
        ...{ at: "2030-01-01T12:01:00.000Z", started: 0, completed: 0, failed: 0, retried: 0 },
        lateness_ms: { p50: null, p95: null, p99: null, max: null },
      },
    ],
    overdue: { count: 3, complete: true, oldest_run_at: at },
    failing: [{ error_code: "timeout", handler: null, host: "example.com", count: 2, last_at: at, job_id: "job" }],
    flows: [{ key: "mail", paused: true, waiting: 7, running: 0, a_field_of_later: 1 }],
    due: [{ at, count: 5 }],
    due_complete_until: "2030-01-01T13:00:00.000Z",
    a_field_of_later: true,
  });
}
