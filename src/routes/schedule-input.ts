// What a client may say of a schedule (contract §6), and the schedule it stands for.

import * as v from "valibot";
import { parseCron } from "../domain/cron.ts";
import { OVERLAPS, type ScheduleSpec } from "../domain/schedule.ts";
import { durationMs } from "../domain/schedule-time.ts";
import type { Timing } from "../domain/timing.ts";
import { ApiError, invalid } from "../http/errors.ts";
import { instant, integer, text, timezone } from "../http/fields.ts";
import { closed } from "../http/valid.ts";
import { idempotencyKey } from "./job-input.ts";
import { type Deployment, duration, HANDLER_REQUIRED, plainWork, WorkFields, workOver } from "./work-input.ts";

const MAX_INTERVAL_MS = 5 * 365 * 86_400_000;

export const cron = v.pipe(
  text(255),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const parsed = parseCron(dataset.value);
    if (parsed.ok) return parsed.value;
    addIssue({ message: parsed.error });
    return NEVER;
  }),
);
const Timed = { cron: v.nullish(cron), interval: v.nullish(duration), timezone: v.nullish(timezone) };
const Bounds = { runs: v.nullish(integer(1, Number.MAX_SAFE_INTEGER)), stop_at: v.nullish(instant) };

const Fields = {
  ...Timed,
  ...Bounds,
  description: v.nullish(text(1_000, 0)),
  overlap: v.nullish(v.picklist(OVERLAPS)),
  ...WorkFields,
};

/** The body of `POST /v1/schedules`. */
export const NewSchedule = closed({ name: text(255), ...Fields, idempotency_key: v.nullish(idempotencyKey) });

/** The body of `PATCH /v1/schedules/:id`: what is left out stays. */
export const SchedulePatch = closed({ name: v.nullish(text(255)), ...Fields });

/** The body of `POST /v1/schedules/preview`. */
export const PreviewRequest = closed({ ...Timed, ...Bounds, count: v.nullish(integer(1, 100), 10) });

type Fields = v.InferOutput<typeof SchedulePatch>;

/**
 * The schedule a valid body stands for.
 *
 * @throws ApiError for what depends on several fields, on the clock or on this deployment
 */
export function specOf(body: v.InferOutput<typeof NewSchedule>, now: number, deployment: Deployment): ScheduleSpec {
  const merged = merge(defaults(body.name, timingOf(body)), body, now, deployment);
  if (merged.delivery.type === "pull" && merged.handler === null) throw invalid("handler", HANDLER_REQUIRED);
  return merged;
}

/** A schedule with the fields of a patch laid over it. */
export function patched(known: ScheduleSpec, patch: Fields, now: number, deployment: Deployment): ScheduleSpec {
  const merged = merge({ ...known, timing: retimed(known.timing, patch) }, patch, now, deployment);
  if (merged.delivery.type === "pull" && merged.handler === null)
    throw new ApiError("handler_required_for_pull", "A schedule whose delivery is pull needs a `handler`.");
  return merged;
}

/** How a body that needs a timing of its own recurs. */
function timingOf({ cron, interval, timezone }: Pick<Fields, "cron" | "interval" | "timezone">): Timing {
  if (cron && interval) throw invalid("interval", "Give either `cron` or `interval`, not both.");
  const timeZone = timezone ?? "UTC";
  if (cron) return { type: "cron", expression: cron, timeZone };
  if (interval && durationMs(interval) > MAX_INTERVAL_MS) throw invalid("interval", "Must be at most five years.");
  if (interval) return { type: "interval", every: interval, timeZone };
  throw invalid("cron", "Give either `cron` or `interval`.");
}

/** @throws ApiError when the moment has passed */
function stopOf(stopAt: number | null | undefined, now: number): number | null {
  if (stopAt != null && stopAt <= now) throw invalid("stop_at", "Must lie in the future.");
  return stopAt ?? null;
}

function retimed(known: Timing, { cron, interval, timezone }: Fields): Timing {
  const timeZone = timezone ?? known.timeZone;
  return cron || interval ? timingOf({ cron, interval, timezone: timeZone }) : { ...known, timeZone };
}

const defaults = (name: string, timing: Timing): ScheduleSpec => ({
  ...plainWork(name),
  timing,
  description: null,
  overlap: "allow",
  runs: null,
  stopAt: null,
});

/** null is the same as leaving it out, but for those fields that have no other way back to their default. */
function merge(known: ScheduleSpec, body: Fields, now: number, deployment: Deployment): ScheduleSpec {
  return {
    ...workOver({ ...known, name: body.name ?? known.name }, body, known, deployment),
    timing: known.timing,
    description: body.description ?? known.description,
    overlap: body.overlap === undefined ? known.overlap : (body.overlap ?? "allow"),
    runs: body.runs ?? known.runs,
    stopAt: stopOf(body.stop_at, now) ?? known.stopAt,
  };
}
