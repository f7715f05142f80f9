// The calls of a worker: claim, start, heartbeat, complete, fail. One request each; the callers decide what repeats.

import { ChronosApiError } from "./api-error.ts";
import type { Attempt } from "./attempt.ts";
import type { Connection } from "./connection.ts";
import type { Outcome } from "./outcome.ts";
import { attemptFromWire, reportToWire, type WireAttempt } from "./wire.ts";

/** What a poll may take beyond the wait it asked for. */
const CLAIM_GRACE_MS = 10_000;

/** Long-polls for one due job; null when none came in time. */
export async function claim(
  { http, pollWaitTimeSeconds }: Connection,
  { handlers, workerId, stopping }: { handlers: string[]; workerId: string; stopping: AbortSignal },
): Promise<Attempt | null> {
  const { data } = await http.send({
    method: "POST",
    path: "/v1/worker/jobs/claim",
    body: JSON.stringify({ handlers, wait_time_seconds: pollWaitTimeSeconds, worker_id: workerId }),
    stopping,
    timeoutMs: pollWaitTimeSeconds * 1000 + CLAIM_GRACE_MS,
  });
  return data == null ? null : attemptFromWire(data as WireAttempt);
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

/** Extends the lease; true when the job was cancelled meanwhile. */
export async function heartbeat(
  { http }: Connection,
  { jobId, executionId }: Attempt,
  limits: { timeoutMs: number; signal: AbortSignal },
): Promise<boolean> {
  const body = JSON.stringify({ execution_id: executionId });
  const { data } = await http.send({ method: "POST", path: path(jobId, "heartbeat"), body, ...limits });
  return (data as { cancel_requested: boolean }).cancel_requested;
}

/** Reports the end of an attempt. The same report again is accepted too. */
export async function sendReport({ http }: Connection, attempt: Attempt, outcome: Outcome): Promise<void> {
  const body = reportToWire(attempt.executionId, outcome);
  await http.send({ method: "POST", path: path(attempt.jobId, outcome.kind), body });
}

/** The attempt is nobody's business any more: another has the lease, it has ended, or the job is gone. */
export function isLeaseGone(error: unknown): boolean {
  return error instanceof ChronosApiError && (error.status === 409 || error.code === "job_not_found");
}

function path(jobId: string, call: string): string {
  return `/v1/worker/jobs/${encodeURIComponent(jobId)}/${call}`;
}
