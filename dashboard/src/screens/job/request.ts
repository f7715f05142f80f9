// The request of an attempt, rebuilt from the job as it is now: the job may have been edited since. Signatures and their time
// are left out.

import type { Execution, Job } from "../../api/job.ts";

export interface SentRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Null for a GET, which has none. */
  readonly body: string | null;
}

/** The request of a push; null for a job that a worker fetches. */
export function requestOf(job: Job, { id, attempt }: Execution): SentRequest | null {
  if (job.delivery.type !== "push") return null;
  const { method, url, headers = {} } = job.delivery.http;
  return {
    method,
    url,
    headers: [
      ...Object.entries(headers),
      ["Content-Type", "application/json"],
      ["X-Chronos-Job-Id", job.id],
      ["X-Chronos-Delivery-Id", id],
      ["X-Chronos-Attempt", String(attempt)],
    ],
    body: method === "GET" ? null : bodyOf(job, id, attempt),
  };
}

/** An event's payload is its whole body. */
function bodyOf(job: Job, executionId: string, attempt: number): string {
  if (job.origin === "event" && job.payload_text !== null) return job.payload_text;
  const fields = {
    job_id: job.id,
    handler: job.handler,
    execution_id: executionId,
    scheduled_for: job.scheduled_for,
    attempt,
  };
  return `${JSON.stringify(fields).slice(0, -1)},"payload":${job.payload_text ?? "null"}}`;
}
