// Decides whether an earlier, unanswered try of the same call made or changed a job.

import type { Job } from "./job.ts";
import { RawJson } from "./raw-json.ts";
import { differingFrom, lengthMs } from "./same-fields.ts";
import { wallClockMs } from "./wall-clock.ts";
import type { NewWireJob, WireJobChanges } from "./wire-job-input.ts";

/** What two clocks that run equally fast may still measure differently over one call. */
export const SLACK_MS = 2_000;

const FIELDS: readonly (keyof WireJobChanges)[] = [
  "name",
  "handler",
  "payload",
  "delivery",
  "timeout",
  "max_retries",
  "tags",
  "flow",
  "callbacks",
  "backoff",
];

/**
 * It is ours if it says what we said, field by field. No moment is compared with one of this machine's clock, which may be
 * wrong by any amount; only lengths of time are: a job that the service changed later after its creation than this call
 * has lasted is an older one.
 *
 * @param body of the call, as it was sent
 */
export function isTheJobWeAskedFor(job: Job, body: string, sinceAskedMs: number): boolean {
  if (job.updatedAt.getTime() - job.createdAt.getTime() > sinceAskedMs + SLACK_MS) return false;
  const sent: NewWireJob = JSON.parse(body);
  return differingFrom(inWire(job), body, FIELDS).length === 0 && isDueAsAsked(job, sent) && expiresAsAsked(job, sent);
}

/** True if the job has every value of the change. A `delay` cannot be checked: it counts from the moment of the change. */
export function readsAsAsked(job: Job, body: string): boolean {
  const sent: WireJobChanges = JSON.parse(body);
  if (sent.delay != null) return false;
  const names = FIELDS.filter((name) => name in sent);
  const isDue = sent.scheduled_for == null || isAt(job.scheduledFor, sent.scheduled_for, sent.timezone);
  return (
    isDue &&
    differingFrom(inWire(job), body, names).length === 0 &&
    (!("expires_after" in sent) || expiresAsAsked(job, sent))
  );
}

const inWire = (job: Job): Record<string, unknown> => ({
  name: job.name,
  handler: job.handler,
  payload: job.payloadText === null ? null : new RawJson(job.payloadText),
  delivery: job.delivery,
  timeout: job.timeout,
  max_retries: job.maxRetries,
  tags: job.tags,
  flow: job.flow,
  callbacks: job.callbacks,
  backoff: job.backoff,
});

function isDueAsAsked({ scheduledFor, createdAt }: Job, { scheduled_for: at, delay, timezone }: NewWireJob): boolean {
  if (at != null) return isAt(scheduledFor, at, timezone);
  const delayMs = delay == null ? 0 : lengthMs(delay);
  // Delays are whole seconds: what differs by less is the same.
  return Math.abs(scheduledFor.getTime() - createdAt.getTime() - delayMs) < 1_000;
}

/** A wall-clock time is met when the clock in the zone shows it, or jumps over it. */
function isAt(moment: Date, asked: string, timezone: string | null | undefined): boolean {
  const at = moment.getTime();
  if (timezone == null) {
    const askedMs = Date.parse(asked);
    // The service reads a few forms of ISO 8601 that this does not.
    return Number.isNaN(askedMs) || at === askedMs;
  }
  const askedMs = Date.parse(`${asked}Z`);
  return Number.isNaN(askedMs) || (wallClockMs(at - 1, timezone) < askedMs && askedMs <= wallClockMs(at, timezone));
}

function expiresAsAsked(
  { scheduledFor, expiresAt }: Job,
  { expires_after }: Pick<NewWireJob, "expires_after">,
): boolean {
  if (expiresAt == null || expires_after == null) return expiresAt == null && expires_after == null;
  return expiresAt.getTime() - scheduledFor.getTime() === lengthMs(expires_after);
}
