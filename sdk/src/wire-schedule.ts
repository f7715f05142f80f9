// Where the API's snake_case meets the SDK's camelCase for schedules; see wire.ts.

import { refusePaddedName } from "./handler-name.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import type {
  FireTime,
  NewPushSchedule,
  NewSchedule,
  Recurrence,
  Schedule,
  ScheduleBounds,
  ScheduleChanges,
  ScheduleFilters,
} from "./schedule.ts";
import { dateOrNull, filterToWire, type Snake, timeOrNothing } from "./wire.ts";

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

const RECURRENCE: Fields<Recurrence & ScheduleBounds> = {
  cron: true,
  interval: true,
  timezone: true,
  runs: true,
  stopAt: true,
};

const SCHEDULE: Fields<NewSchedule | NewPushSchedule | ScheduleChanges> = {
  ...RECURRENCE,
  name: true,
  description: true,
  handler: true,
  delivery: true,
  payload: true,
  timeout: true,
  maxRetries: true,
};

/** The body of create: what is undefined is not sent. */
export function newScheduleToWire(schedule: NewSchedule | NewPushSchedule): Record<string, unknown> {
  checkFields("A new schedule", schedule, SCHEDULE);
  return scheduleToWire(schedule);
}

/** The body of update: what is undefined is not sent. */
export function changesToWire(changes: ScheduleChanges): Record<string, unknown> {
  checkFields("A schedule's change", changes, SCHEDULE);
  return scheduleToWire(changes);
}

function scheduleToWire(schedule: NewSchedule | NewPushSchedule | ScheduleChanges): Record<string, unknown> {
  refusePaddedName(schedule.handler);
  return {
    name: schedule.name,
    description: schedule.description,
    handler: schedule.handler,
    ...timingToWire(schedule),
    delivery: schedule.delivery,
    payload: schedule.payload,
    timeout: schedule.timeout,
    max_retries: schedule.maxRetries,
  };
}

/** The body of a preview, as far as create has it too. */
export function recurrenceToWire(asked: Recurrence & ScheduleBounds): Record<string, unknown> {
  checkFields("What is previewed", asked, RECURRENCE);
  return timingToWire(asked);
}

function timingToWire(
  asked: Pick<ScheduleChanges, "cron" | "interval" | "timezone" | "runs" | "stopAt">,
): Record<string, unknown> {
  const { cron, interval, timezone, runs, stopAt } = asked;
  return { cron, interval, timezone, runs, stop_at: timeOrNothing("stopAt", stopAt) };
}

const SCHEDULE_FILTERS: Fields<ScheduleFilters> = { status: true, handler: true, size: true };

/** The query of a list, in the API's names; `status` may occur several times. */
export function scheduleFiltersToWire(filters: ScheduleFilters): [string, string][] {
  checkFields("A list's filter", filters, SCHEDULE_FILTERS);
  return [...filterToWire("status", "status", filters.status), ...filterToWire("handler", "handler", filters.handler)];
}
