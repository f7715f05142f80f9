// Where the API's snake_case meets the SDK's camelCase for schedules; see wire.ts.

import { ChronosConfigError } from "./errors.ts";
import { refusePaddedName } from "./handler-name.ts";
import type { Delay, PullDelivery, PushDelivery } from "./job.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { RawJson } from "./raw-json.ts";
import type {
  FireTime,
  NewPushSchedule,
  NewSchedule,
  Overlap,
  PushScheduleSpec,
  Recurrence,
  Schedule,
  ScheduleBounds,
  ScheduleChanges,
  ScheduleFilters,
  ScheduleResets,
  ScheduleSpec,
} from "./schedule.ts";
import { dateOrNull, type Snake } from "./wire.ts";
import {
  ATTEMPT_FIELDS,
  attemptFieldsToWire,
  filterToWire,
  refuseNulls,
  timeOrNothing,
  type WireAttemptFields,
} from "./wire-job-input.ts";

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
    idempotencyKey: schedule.idempotency_key,
    overlap: schedule.overlap,
    delivery: schedule.delivery,
    payload: schedule.payload,
    payloadText: schedule.payload_text,
    timeout: schedule.timeout,
    maxRetries: schedule.max_retries,
    tags: schedule.tags,
    flow: schedule.flow,
    callbacks: schedule.callbacks ?? null,
    backoff: schedule.backoff,
    expiresAfter: schedule.expires_after,
    nextRunAt: dateOrNull(schedule.next_run_at),
    lastRunAt: dateOrNull(schedule.last_run_at),
    runCount: schedule.run_count,
    missedRuns: schedule.missed_runs,
    skippedRuns: schedule.skipped_runs,
    revision: schedule.revision,
    createdAt: new Date(schedule.created_at),
    updatedAt: new Date(schedule.updated_at),
  };
}

/** A schedule's spec, in the API's names. */
export function scheduleInWire(schedule: Schedule): Required<WireScheduleSpec> {
  return {
    name: schedule.name,
    description: schedule.description,
    handler: schedule.handler,
    cron: schedule.cron ?? undefined,
    interval: schedule.interval ?? undefined,
    timezone: schedule.timezone,
    runs: schedule.runs,
    stop_at: schedule.stopAt?.toISOString(),
    overlap: schedule.overlap,
    delivery: schedule.delivery,
    payload: schedule.payloadText === null ? null : new RawJson(schedule.payloadText),
    timeout: schedule.timeout,
    max_retries: schedule.maxRetries,
    tags: schedule.tags,
    flow: schedule.flow,
    callbacks: schedule.callbacks,
    backoff: schedule.backoff,
    expires_after: schedule.expiresAfter,
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

const SPEC: Fields<ScheduleSpec | PushScheduleSpec | ScheduleChanges> = {
  ...RECURRENCE,
  ...ATTEMPT_FIELDS,
  name: true,
  description: true,
  overlap: true,
  handler: true,
  delivery: true,
  payload: true,
};

const RESETS: Fields<ScheduleResets> = {
  tags: true,
  flow: true,
  callbacks: true,
  backoff: true,
  expiresAfter: true,
  overlap: true,
};

const NEW_SCHEDULE: Fields<NewSchedule | NewPushSchedule> = { ...SPEC, idempotencyKey: true };

/** A schedule's fields as the API reads them: what is undefined is not sent. */
export interface WireScheduleSpec extends WireAttemptFields {
  name?: string | undefined;
  description?: string | null | undefined;
  handler?: string | null | undefined;
  cron?: string | undefined;
  interval?: Delay | undefined;
  timezone?: string | undefined;
  runs?: number | null | undefined;
  stop_at?: string | null | undefined;
  overlap?: Overlap | null | undefined;
  delivery?: PullDelivery | PushDelivery | undefined;
  payload?: unknown;
}

/** The body of create. */
export function newScheduleToWire(
  schedule: NewSchedule | NewPushSchedule,
): WireScheduleSpec & { idempotency_key: string | undefined } {
  checkFields("A new schedule", schedule, NEW_SCHEDULE);
  return { ...scheduleToWire(schedule), idempotency_key: schedule.idempotencyKey };
}

/** A spec, in the API's names. */
export function scheduleSpecToWire(spec: ScheduleSpec | PushScheduleSpec): WireScheduleSpec {
  checkFields("A schedule's spec", spec, SPEC);
  return scheduleToWire(spec);
}

/** The body of update. */
export function changesToWire(changes: ScheduleChanges): WireScheduleSpec {
  checkFields("A schedule's change", changes, SPEC);
  for (const [field, value] of Object.entries(changes)) {
    // The service would ignore it, as if the field had been left out.
    if (value === null && !Object.hasOwn(RESETS, field)) {
      throw new ChronosConfigError(`${field} must not be null: give it a new value, or leave it out to keep it`);
    }
  }
  return scheduleToWire(changes);
}

function scheduleToWire(schedule: ScheduleSpec | PushScheduleSpec | ScheduleChanges): WireScheduleSpec {
  refusePaddedName(schedule.handler);
  return {
    name: schedule.name,
    description: schedule.description,
    handler: schedule.handler,
    ...timingToWire(schedule),
    overlap: schedule.overlap,
    delivery: schedule.delivery,
    payload: schedule.payload,
    ...attemptFieldsToWire(schedule),
  };
}

/** The body of a preview, as far as create has it too. */
export function recurrenceToWire(asked: Recurrence & ScheduleBounds): ReturnType<typeof timingToWire> {
  checkFields("What is previewed", asked, RECURRENCE);
  return timingToWire(asked);
}

function timingToWire(
  asked: Pick<ScheduleChanges, "cron" | "interval" | "timezone" | "runs" | "stopAt">,
): Pick<WireScheduleSpec, "cron" | "interval" | "timezone" | "runs" | "stop_at"> {
  const { cron, interval, timezone, runs, stopAt } = asked;
  return { cron, interval, timezone, runs, stop_at: timeOrNothing("stopAt", stopAt) };
}

const SCHEDULE_FILTERS: Fields<ScheduleFilters> = { status: true, handler: true, size: true };

/** The query of a list, in the API's names; `status` may occur several times. */
export function scheduleFiltersToWire(filters: ScheduleFilters): [string, string][] {
  checkFields("A list's filter", filters, SCHEDULE_FILTERS);
  refuseNulls(filters);
  return [...filterToWire("status", filters.status), ...filterToWire("handler", filters.handler)];
}
