// Compares a schedule with a spec, and decides whether an earlier, unanswered try of the same call made or changed it.

import { differingFrom } from "./same-fields.ts";
import { SLACK_MS } from "./same-job.ts";
import type { Schedule } from "./schedule.ts";
import { scheduleInWire, type WireScheduleSpec } from "./wire-schedule.ts";

const FIELDS: readonly (keyof WireScheduleSpec)[] = [
  "name",
  "description",
  "handler",
  "cron",
  "interval",
  "timezone",
  "runs",
  "stop_at",
  "overlap",
  "delivery",
  "payload",
  "timeout",
  "max_retries",
  "tags",
  "flow",
  "callbacks",
  "backoff",
  "expires_after",
];

/** The fields in which a schedule differs from a spec, in which a missing field means its default. */
export const differences = (schedule: Schedule, spec: string): (keyof WireScheduleSpec)[] =>
  differingFrom(scheduleInWire(schedule), spec, FIELDS);

/** Like isTheJobWeAskedFor, for a schedule. */
export function isTheScheduleWeAskedFor(schedule: Schedule, body: string, sinceAskedMs: number): boolean {
  if (schedule.updatedAt.getTime() - schedule.createdAt.getTime() > sinceAskedMs + SLACK_MS) return false;
  return differences(schedule, body).length === 0;
}

/** True if the schedule has every value of the change. */
export function readsAsTold(schedule: Schedule, body: string): boolean {
  const sent: object = JSON.parse(body);
  return !differences(schedule, body).some((name) => name in sent);
}
