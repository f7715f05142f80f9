// How a job and an execution read to a client. What is not named here stays inside.

import { formatInstant } from "./instant.ts";
import type { Callbacks, Delivery, ExecutionView, JobView } from "./job.ts";
import { raw } from "./json-text.ts";
import type { Backoff } from "./retry-policy.ts";
import type { WaitingOn } from "./waiting-on.ts";

export const moment = (at: number | null): string | null => (at === null ? null : formatInstant(at));

export const showJob = (job: JobView) => ({
  id: job.id,
  schedule_id: job.scheduleId,
  name: job.name,
  handler: job.handler,
  status: job.status,
  payload: raw(job.payload),
  delivery: showDelivery(job.delivery),
  timeout: job.timeoutSeconds,
  max_retries: job.maxRetries,
  backoff: showBackoff(job.backoff),
  tags: job.tags,
  flow: job.flow,
  callbacks: showCallbacks(job.callbacks),
  origin: job.origin,
  idempotency_key: job.idempotencyKey,
  scheduled_for: formatInstant(job.scheduledFor),
  run_at: moment(job.runAt),
  expires_at: moment(job.expiresAt),
  attempts: job.attempts,
  last_error: job.lastError,
  result: raw(job.result),
  created_at: formatInstant(job.createdAt),
  updated_at: formatInstant(job.updatedAt),
  completed_at: moment(job.completedAt),
  revision: job.revision,
});

export const showWaitingOn = ({ reason, message, since, until }: WaitingOn) => ({
  reason,
  message,
  since: formatInstant(since),
  until: moment(until),
});

/** A job with what it waits for at this moment. */
export const showWaitingJob = (job: JobView, waitingOn: WaitingOn | null) => ({
  ...showJob(job),
  waiting_on: waitingOn && showWaitingOn(waitingOn),
});

export const showBackoff = (backoff: Backoff | null) => {
  if (backoff === null) return null;
  if (backoff.type === "list") return { type: backoff.type, delays: backoff.delaysSeconds };
  return { type: backoff.type, initial: backoff.initialSeconds, max: backoff.maxSeconds, jitter: backoff.jitter };
};

export const showDelivery = (delivery: Delivery) => {
  if (delivery.type === "pull") return delivery.queue === null ? { type: "pull" } : delivery;
  const { type, ...http } = delivery;
  return { type, http };
};

export const showCallbacks = (callbacks: Callbacks | null) =>
  callbacks && {
    ...(callbacks.completed && { completed: callbacks.completed }),
    ...(callbacks.failed && { failed: callbacks.failed }),
  };

export const showExecution = (jobId: string, execution: ExecutionView) => ({
  id: execution.id,
  job_id: jobId,
  attempt: execution.attempt,
  trigger: execution.trigger,
  status: execution.status,
  worker_id: execution.workerId,
  due_at: formatInstant(execution.dueAt),
  started_at: moment(execution.startedAt),
  completed_at: moment(execution.completedAt),
  lateness_ms: execution.startedAt === null ? null : execution.startedAt - execution.dueAt,
  response: execution.response,
  result: raw(execution.result),
  error: execution.error,
  progress: raw(execution.progress),
});
