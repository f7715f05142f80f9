// The job a tick stands for: a one-off like any other, whose idempotency key says which tick it is.

import { type JobSpec, workOf } from "./job.ts";
import type { Schedule } from "./schedule.ts";

export const tickKey = (scheduleId: string, tick: number): string => `${scheduleId}.${tick}`;

export function jobOfTick(schedule: Schedule, tick: number, jobId: string, now: number): JobSpec {
  const { accountId, id } = schedule;
  return {
    ...workOf(schedule),
    accountId,
    id: jobId,
    scheduleId: id,
    origin: "schedule",
    idempotencyKey: tickKey(id, tick),
    scheduledFor: tick,
    createdAt: now,
  };
}
