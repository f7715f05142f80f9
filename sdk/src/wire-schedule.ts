// Where the API's snake_case meets the SDK's camelCase for schedules; see wire.ts.

import type { FireTime, NewPushSchedule, NewSchedule, Schedule, ScheduleChanges, ScheduleFilters } from "./schedule.ts";
import { dateOrNull, isoTime, type Snake } from "./wire.ts";

/** A schedule as the API writes it. */
export type WireSchedule = Snake<
  Omit<Schedule, "stopAt" | "nextRunAt" | "lastRunAt" | "createdAt" | "updatedAt"> & {
    stopAt: string | null;
    nextRunAt: string | null;
    lastRunAt: string | null;
    createdAt: string;
    updatedAt: string;
  }
>;

/** A fire time as the API writes it. */
export interface WireFireTime {
  utc: string;
  local: string;
}

export function scheduleFromWire(schedule: WireSchedule): Schedule {
  return {
    id: schedule.id,
    name: schedule.name,
    description: schedule.description,
    status: schedule.status,
    handler: schedule.handler,
    cron: schedule.cron,
    interval: schedule.interval,
    timezone: schedule.timezone,
    runs: schedule.runs,
    stopAt: dateOrNull(schedule.stop_at),
    delivery: schedule.delivery,
    payload: schedule.payload,
    payloadText: schedule.payload_text,
    timeout: schedule.timeout,
    maxRetries: schedule.max_retries,
    nextRunAt: dateOrNull(schedule.next_run_at),
    lastRunAt: dateOrNull(schedule.last_run_at),
    runCount: schedule.run_count,
    missedRuns: schedule.missed_runs,
    createdAt: new Date(schedule.created_at),
    updatedAt: new Date(schedule.updated_at),
  };
}

export const fireTimeFromWire = ({ utc, local }: WireFireTime): FireTime => ({ at: new Date(utc), local });

/** The body of create and of update: what is undefined is not sent. */
export function scheduleToWire(schedule: NewSchedule | NewPushSchedule | ScheduleChanges): Record<string, unknown> {
  return {
    name: schedule.name,
    description: schedule.description,
    handler: schedule.handler,
    ...recurrenceToWire(schedule),
    delivery: schedule.delivery,
    payload: schedule.payload,
    timeout: schedule.timeout,
    max_retries: schedule.maxRetries,
  };
}

/** The body of a preview, as far as create has it too. */
export function recurrenceToWire(
  asked: Pick<ScheduleChanges, "cron" | "interval" | "timezone" | "runs" | "stopAt">,
): Record<string, unknown> {
  const { cron, interval, timezone, runs, stopAt } = asked;
  return { cron, interval, timezone, runs, stop_at: stopAt === undefined ? undefined : isoTime("stopAt", stopAt) };
}

/** The query of a list, in the API's names; `status` may occur several times. */
export function scheduleFiltersToWire({ status, handler }: ScheduleFilters): [string, string][] {
  const statuses = [status ?? []].flat().map((one): [string, string] => ["status", one]);
  return handler === undefined ? statuses : [...statuses, ["handler", handler]];
}
