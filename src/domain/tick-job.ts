// The jobs of a schedule: one-offs like any other. The idempotency key of a tick's job says which tick it is; one that was
// triggered by hand stands beside the ticks and has none.

import { type JobSpec, workOf } from "./job.ts";
import type { Schedule } from "./schedule.ts";

export const tickKey = (scheduleId: string, tick: number): string => `${scheduleId}.${tick}`;

export const jobOfTick = (schedule: Schedule, tick: number, jobId: string, now: number): JobSpec => ({
  ...jobOf(schedule, jobId, now),
  idempotencyKey: tickKey(schedule.id, tick),
  scheduledFor: tick,
});

/** A job due now. */
export const jobOfTrigger = (
  schedule: Schedule,
  jobId: string,
  now: number,
  traceparent: string | null = null,
): JobSpec => ({
  ...jobOf(schedule, jobId, now),
  traceparent,
  idempotencyKey: null,
  scheduledFor: now,
});

const jobOf = (schedule: Schedule, jobId: string, now: number) => ({
  ...workOf(schedule),
  accountId: schedule.accountId,
  id: jobId,
  scheduleId: schedule.id,
  origin: "schedule" as const,
  traceparent: null,
  createdAt: now,
});
