// What a client may say of a job (contract §2), and the job it stands for.

import * as v from "valibot";
import type { JobEdit, JobSpec, JobView, Work } from "../domain/job.ts";
import { type Duration, nominalTime } from "../domain/schedule-time.ts";
import { instantOfWallClock } from "../domain/time-zone.ts";
import { ApiError, allInvalid, type FieldError, invalid } from "../http/errors.ts";
import { type AskedMoment, instantOrWallClock, list, text, timezone } from "../http/fields.ts";
import { closed } from "../http/valid.ts";
import { type Deployment, duration, HANDLER_REQUIRED, plainWork, WorkFields, workOver } from "./work-input.ts";

export const idempotencyKey = v.pipe(
  text(255),
  v.check(
    (key) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d+$/i.test(key),
    "Must not have the form `<uuid>.<digits>`: such keys belong to schedules.",
  ),
);

const wallZone = v.pipe(
  timezone,
  v.description(
    "An IANA time zone, such as `Europe/London`, on whose clock a `scheduled_for` without an offset is read.",
  ),
);

const Timed = {
  delay: v.nullish(duration),
  scheduled_for: v.nullish(instantOrWallClock),
  timezone: v.nullish(wallZone),
};

const OnConflict = v.picklist(["reject", "replace"]);

const Fields = { name: text(255), ...WorkFields, ...Timed, idempotency_key: v.nullish(idempotencyKey) };

/** A job of a batch. */
export const JobOfBatch = closed(Fields);

const MAX_BATCH = 100;

/** The body of `POST /v1/jobs/batch`. */
export const NewJobs = closed({ jobs: list(JobOfBatch, MAX_BATCH, "jobs") });

/** The body of `POST /v1/jobs`. */
export const NewJob = closed({ ...Fields, on_conflict: v.nullish(OnConflict, "reject") });

/** The body of `PATCH /v1/jobs/:id`: what is left out stays, null is the default. */
export const JobPatch = closed({ name: v.nullish(text(255)), ...WorkFields, ...Timed });

interface AskedTime {
  readonly delay?: Duration | null | undefined;
  readonly scheduled_for?: AskedMoment | null | undefined;
  readonly timezone?: string | null | undefined;
}

interface MadeBy {
  readonly accountId: string;
  readonly id: string;
  readonly now: number;
  readonly traceparent: string | null;
}

/**
 * The job a valid body stands for.
 *
 * @throws ApiError `validation_error` for what depends on the clock, on several fields or on this deployment
 */
export function specOf(
  body: v.InferOutput<typeof JobOfBatch>,
  { accountId, id, now, traceparent }: MadeBy,
  deployment: Deployment,
): JobSpec {
  const plain = plainWork(body.name);
  return {
    ...reachable(workOver(plain, body, plain, deployment)),
    accountId,
    id,
    scheduleId: null,
    origin: "api",
    idempotencyKey: body.idempotency_key ?? null,
    traceparent,
    scheduledFor: timeOf(body, now),
    createdAt: now,
  };
}

/**
 * The jobs a valid batch stands for.
 *
 * @throws ApiError as `specOf`, with the faults of all of them under their places in the batch
 */
export function specsOf(
  { jobs }: v.InferOutput<typeof NewJobs>,
  madeBy: () => MadeBy,
  deployment: Deployment,
): JobSpec[] {
  const errors: FieldError[] = [];
  const specs = jobs.flatMap((body, n) => {
    try {
      return specOf(body, madeBy(), deployment);
    } catch (fault) {
      if (!(fault instanceof ApiError)) throw fault;
      errors.push(...fault.errors.map(({ field, message }) => ({ field: `jobs.${n}.${field}`, message })));
      return [];
    }
  });
  if (errors.length > 0) throw allInvalid(errors);
  return specs;
}

/**
 * A job with the fields of a patch laid over it.
 *
 * @throws ApiError as `specOf`
 */
export function patched(
  known: JobView,
  { name, ...patch }: v.InferOutput<typeof JobPatch>,
  now: number,
  deployment: Deployment,
): JobEdit {
  if (name === null) throw invalid("name", "Is required.");
  const work = workOver({ ...known, name: name ?? known.name }, patch, plainWork(""), deployment);
  const retimed = [patch.delay, patch.scheduled_for, patch.timezone].some((given) => given !== undefined);
  return { ...reachable(work), scheduledFor: retimed ? timeOf(patch, now) : known.scheduledFor, retimed };
}

function reachable(work: Work): Work {
  if (work.delivery.type === "pull" && work.handler === null) throw invalid("handler", HANDLER_REQUIRED);
  return work;
}

function timeOf({ delay, scheduled_for, timezone }: AskedTime, now: number): number {
  const at = nominalTime({ delay: delay ?? undefined, scheduledFor: momentOf(scheduled_for, timezone) }, now);
  if (!at.ok) throw invalid(at.error.field, at.error.message);
  return at.value;
}

function momentOf(asked: AskedTime["scheduled_for"], timezone: string | null | undefined): number | undefined {
  if (asked != null && "wallClock" in asked) {
    if (timezone != null) return instantOfWallClock(asked.wallClock, timezone);
    throw invalid("scheduled_for", "Needs an offset, such as `Z`, or a `timezone`.");
  }
  if (timezone != null) throw invalid("timezone", "Give it only with a `scheduled_for` that has no offset.");
  return asked?.at;
}
