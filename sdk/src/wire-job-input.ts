// Writes new jobs, changes and filters as the API reads them. Undefined fields are not sent.

import { ChronosConfigError } from "./errors.ts";
import { refusePaddedName } from "./handler-name.ts";
import type {
  AttemptFields,
  Backoff,
  Callbacks,
  Delay,
  Job,
  JobChanges,
  JobFilters,
  JobSelection,
  NewJob,
  NewPushJob,
  Resettable,
  When,
} from "./job.ts";
import { checkFields, type Fields, kindOf } from "./known-fields.ts";

/** The fields that jobs and schedules share. */
export interface WireAttemptFields {
  timeout?: number | null | undefined;
  max_retries?: number | null | undefined;
  tags?: readonly string[] | null | undefined;
  flow?: string | null | undefined;
  callbacks?: Callbacks | null | undefined;
  backoff?: Backoff | null | undefined;
  expires_after?: Delay | null | undefined;
}

interface WireWhen {
  delay?: Delay | undefined;
  scheduled_for?: string | undefined;
  timezone?: string | undefined;
}

/** The body of create, and of an entry of a batch. */
export interface NewWireJob extends WireAttemptFields, WireWhen {
  name: string;
  handler?: string | undefined;
  payload?: unknown;
  idempotency_key?: string | undefined;
  on_conflict?: "reject" | "replace" | undefined;
  delivery?: Job["delivery"] | undefined;
}

/** The body of update. */
export interface WireJobChanges extends WireAttemptFields, WireWhen {
  name?: string | undefined;
  handler?: string | null | undefined;
  payload?: unknown;
  delivery?: Job["delivery"] | null | undefined;
}

export const ATTEMPT_FIELDS: Fields<AttemptFields> = {
  timeout: true,
  maxRetries: true,
  tags: true,
  flow: true,
  callbacks: true,
  backoff: true,
  expiresAfter: true,
};

const JOB_CHANGES: Fields<JobChanges> = {
  name: true,
  handler: true,
  payload: true,
  delay: true,
  scheduledFor: true,
  timezone: true,
  delivery: true,
  ...ATTEMPT_FIELDS,
};

const NEW_JOB: Fields<NewJob | NewPushJob> = { ...JOB_CHANGES, idempotencyKey: true, onConflict: true };

/** Throws a ChronosConfigError for fields that do not exist and for what is surely a mistake. */
export function newJobToWire(job: NewJob | NewPushJob): NewWireJob {
  checkFields("A new job", job, NEW_JOB);
  refusePaddedName(job.handler);
  if (job.onConflict !== undefined && job.idempotencyKey === undefined) {
    throw new ChronosConfigError("onConflict needs an idempotencyKey: without one there is nothing to conflict with");
  }
  return {
    name: job.name,
    handler: job.handler,
    payload: job.payload,
    ...whenToWire(job),
    idempotency_key: job.idempotencyKey,
    on_conflict: job.onConflict,
    delivery: job.delivery,
    ...attemptFieldsToWire(job),
  };
}

/** Throws a ChronosConfigError for fields that do not exist and for what is surely a mistake. */
export function jobChangesToWire(changes: JobChanges): WireJobChanges {
  checkFields("A job's change", changes, JOB_CHANGES);
  refusePaddedName(changes.handler);
  return {
    name: changes.name,
    handler: changes.handler,
    payload: changes.payload,
    ...whenToWire(changes),
    delivery: changes.delivery,
    ...attemptFieldsToWire(changes),
  };
}

export function attemptFieldsToWire(fields: Resettable<AttemptFields>): WireAttemptFields {
  return {
    timeout: fields.timeout,
    max_retries: fields.maxRetries,
    tags: fields.tags,
    flow: fields.flow,
    callbacks: fields.callbacks,
    backoff: fields.backoff,
    expires_after: fields.expiresAfter,
  };
}

function whenToWire({ delay, scheduledFor, timezone }: When): WireWhen {
  if (timezone !== undefined && typeof scheduledFor !== "string") {
    throw new ChronosConfigError(
      "timezone needs a scheduledFor that is text without an offset, such as 2030-03-31T09:00; a Date is a moment already",
    );
  }
  return { delay, scheduled_for: timeOrNothing("scheduledFor", scheduledFor), timezone };
}

const JOB_SELECTION: Fields<JobSelection> = {
  status: true,
  handler: true,
  scheduleId: true,
  idempotencyKey: true,
  tag: true,
  flow: true,
  name: true,
  origin: true,
  createdAfter: true,
  createdBefore: true,
  scheduledAfter: true,
  scheduledBefore: true,
  errorCode: true,
  host: true,
};

const JOB_FILTERS: Fields<JobFilters> = { ...JOB_SELECTION, size: true };

/** The query of a list, in the API's names; a filter with several values occurs several times. */
export function filtersToWire(filters: JobFilters): [string, string][] {
  checkFields("A list's filter", filters, JOB_FILTERS);
  return Object.entries(namedInWire(filters)).flatMap(([name, value]) => filterToWire(name, value));
}

/** The same selection as JSON: the filter of a bulk action. */
export function selectionToWire(selection: JobSelection): Record<string, string | readonly string[] | undefined> {
  checkFields("A bulk action's filter", selection, JOB_SELECTION);
  return namedInWire(selection);
}

/** `schedule_id` is the text "null" for one-off jobs, in JSON too: a null there would be the same as nothing. */
function namedInWire(selection: JobSelection): Record<string, string | readonly string[] | undefined> {
  refuseNulls(selection);
  return {
    status: selection.status,
    handler: selection.handler,
    schedule_id: selection.scheduleId === null ? "null" : selection.scheduleId,
    idempotency_key: selection.idempotencyKey,
    tag: selection.tag,
    flow: selection.flow,
    name: selection.name,
    origin: selection.origin,
    created_after: timeOrNothing("createdAfter", selection.createdAfter),
    created_before: timeOrNothing("createdBefore", selection.createdBefore),
    scheduled_after: timeOrNothing("scheduledAfter", selection.scheduledAfter),
    scheduled_before: timeOrNothing("scheduledBefore", selection.scheduledBefore),
    error_code: selection.errorCode,
    host: selection.host,
  };
}

/** "All of them" is seldom what a null means. Times and `scheduleId`, where null has a meaning, are checked elsewhere. */
export function refuseNulls(filters: object): void {
  for (const [field, value] of Object.entries(filters)) {
    const isChecked = field === "scheduleId" || /(After|Before)$/.test(field);
    if (value === null && !isChecked) throw new ChronosConfigError(`${field} must not be null; leave it out for all`);
  }
}

/** One filter, several times if it has several values. */
export function filterToWire(name: string, value: string | readonly string[] | undefined): [string, string][] {
  return [value ?? []].flat().map((one) => [name, String(one)]);
}

/** A null is refused: for a moment that is missing by mistake, "as soon as possible" is seldom right. */
export function timeOrNothing(field: string, time: Date | string | undefined): string | undefined {
  if (time === undefined || typeof time === "string") return time;
  if (Object.prototype.toString.call(time) !== "[object Date]") {
    throw new ChronosConfigError(
      `${field} must be a Date or ISO 8601 text, not ${kindOf(time)}; leave it out for none`,
    );
  }
  if (Number.isNaN(time.getTime())) throw new ChronosConfigError(`${field} is not a valid date`);
  return time.toISOString();
}
