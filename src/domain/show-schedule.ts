// How a schedule and its fire times read to a client. What is not named here stays inside.

import { formatInstant } from "./instant.ts";
import { raw } from "./json-text.ts";
import type { Schedule } from "./schedule.ts";
import { durationOf } from "./schedule-time.ts";
import { moment, showBackoff, showCallbacks, showDelivery } from "./show-job.ts";
import { formatInZone } from "./time-zone.ts";

export const showSchedule = (schedule: Schedule) => ({
  id: schedule.id,
  name: schedule.name,
  description: schedule.description,
  status: schedule.status,
  handler: schedule.handler,
  cron: schedule.timing.type === "cron" ? schedule.timing.expression : null,
  interval: schedule.timing.type === "interval" ? schedule.timing.every : null,
  timezone: schedule.timing.timeZone,
  runs: schedule.runs,
  stop_at: moment(schedule.stopAt),
  delivery: showDelivery(schedule.delivery),
  payload: raw(schedule.payload),
  timeout: schedule.timeoutSeconds,
  max_retries: schedule.maxRetries,
  backoff: showBackoff(schedule.backoff),
  expires_after: schedule.expiresAfterMs === null ? null : durationOf(schedule.expiresAfterMs),
  tags: schedule.tags,
  flow: schedule.flow,
  callbacks: showCallbacks(schedule.callbacks),
  overlap: schedule.overlap,
  idempotency_key: schedule.idempotencyKey,
  next_run_at: moment(schedule.status === "active" ? schedule.nextRunAt : null),
  last_run_at: moment(schedule.lastRunAt),
  run_count: schedule.runCount,
  missed_runs: schedule.missedRuns,
  skipped_runs: schedule.skippedRuns,
  created_at: formatInstant(schedule.createdAt),
  updated_at: formatInstant(schedule.updatedAt),
  revision: schedule.revision,
});

/** A fire time in UTC and as the clock in the schedule's zone shows it. */
export const showTick = (at: number, timeZone: string) => ({
  utc: formatInstant(at),
  local: formatInZone(at, timeZone),
});
