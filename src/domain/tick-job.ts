// The job a tick stands for: a one-off like any other, whose idempotency key says which tick it is.

import type { JobSpec } from "./job.ts";
import type { Schedule } from "./schedule.ts";

export const tickKey = (scheduleId: string, tick: number): string => `${scheduleId}.${tick}`;

export function jobOfTick(schedule: Schedule, tick: number, jobId: string, now: number): JobSpec {
  const { accountId, id, name, handler, payload, delivery, timeoutSeconds, maxRetries } = schedule;
  return {
    accountId,
    id: jobId,
    scheduleId: id,
    name,
    handler,
    payload,
    delivery,
    timeoutSeconds,
    maxRetries,
    idempotencyKey: tickKey(id, tick),
    scheduledFor: tick,
    createdAt: now,
  };
}
