// The calls of a worker: claim, start, heartbeat, report. One request each; the callers decide what repeats.

import { ChronosApiError } from "./api-error.ts";
import type { Attempt } from "./attempt.ts";
import { MOST_AT_ONCE } from "./batches.ts";
import type { Connection } from "./connection.ts";
import { fieldsToJson, RawJson } from "./raw-json.ts";
import { attemptFromWire, type WireAttempt, type WireReported } from "./wire.ts";

/** What a poll may take beyond the wait it asked for. */
const CLAIM_GRACE_MS = 10_000;

/** Long-polls for due jobs, at most `most`; empty when none came in time. */
export async function claim(
  { http, pollWaitTimeSeconds }: Connection,
  { handlers, most, workerId, stopping }: { handlers: string[]; most: number; workerId: string; stopping: AbortSignal },
): Promise<Attempt[]> {
  const max_jobs = Math.min(most, MOST_AT_ONCE);
  const { data } = await http.send({
    method: "POST",
    path: "/v1/worker/jobs/claim",
    body: JSON.stringify({ handlers, max_jobs, wait_time_seconds: pollWaitTimeSeconds, worker_id: workerId }),
    stopping,
    timeoutMs: pollWaitTimeSeconds * 1000 + CLAIM_GRACE_MS,
  });
  return (data as WireAttempt[]).map(attemptFromWire);
}

/** Takes the lease of an execution that came through a Cloudflare Queue. */
export async function start(
  { http }: Connection,
  { jobId, executionId, workerId }: { jobId: string; executionId: string; workerId: string },
): Promise<Attempt> {
  const body = JSON.stringify({ execution_id: executionId, worker_id: workerId });
  const { data } = await http.send({ method: "POST", path: path(jobId, "start"), body });
  return attemptFromWire(data as WireAttempt);
}

/** Extends the lease; true when the job was cancelled meanwhile. `progress` is JSON already, or null for nothing new. */
export async function heartbeat(
  { http }: Connection,
  { jobId, executionId }: Attempt,
  progress: string | null,
  limits: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  const said = progress === null ? undefined : new RawJson(progress);
  const body = fieldsToJson({ execution_id: executionId, progress: said });
  const { data } = await http.send({ method: "POST", path: path(jobId, "heartbeat"), body, ...limits });
  return (data as { cancel_requested: boolean }).cancel_requested;
}

/**
 * Reports the ends of attempts, each already JSON. The answer holds null for each that was accepted, else its error, in
 * their order. The same report again is accepted too.
 */
export async function sendReports({ http }: Connection, reports: readonly string[]): Promise<unknown[]> {
  const body = `{"reports":[${reports.join()}]}`;
  const { data } = await http.send({ method: "POST", path: "/v1/worker/jobs/report", body });
  return (data as WireReported[]).map(({ status, code = "unexpected_response" }) => {
    if (status === 200) return null;
    const facts = { code, status, errors: [], requestId: null, retryAfterMs: null };
    return new ChronosApiError(`The service answered the report with ${status} ${code}`, facts);
  });
}

/** The attempt is nobody's business any more: another has the lease, it has ended, or the job is gone. */
export function isLeaseGone(error: unknown): error is ChronosApiError {
  return error instanceof ChronosApiError && (error.status === 409 || error.code === "job_not_found");
}

function path(jobId: string, call: string): string {
  return `/v1/worker/jobs/${encodeURIComponent(jobId)}/${call}`;
}
