// Whether the job that already holds an idempotency key is the one an earlier, unanswered try of the same call made.

import type { Job } from "./job.ts";
import type { NewWireJob } from "./wire.ts";

/** What two clocks that run equally fast may still measure differently over one call. */
const SLACK_MS = 2_000;

const UNIT_MS = { second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 };

/**
 * It is ours if it says what we said, field by field. No moment is compared with one of this machine's clock, which may be
 * wrong by any amount; only lengths of time are: a job that the service changed later after its creation than this call
 * has lasted is an older one.
 */
export function isTheJobWeAskedFor(job: Job, sent: NewWireJob, sinceAskedMs: number): boolean {
  if (job.updatedAt.getTime() - job.createdAt.getTime() > sinceAskedMs + SLACK_MS) return false;
  return (
    job.name === sent.name &&
    job.handler === (sent.handler ?? null) &&
    equalJson(job.payload, sent.payload ?? null) &&
    (sent.timeout == null || job.timeout === sent.timeout) &&
    (sent.max_retries == null || job.maxRetries === sent.max_retries) &&
    isDueAsAsked(job, sent) &&
    goesWhereAsked(job.delivery, sent.delivery ?? { type: "pull" })
  );
}

function isDueAsAsked({ scheduledFor, createdAt }: Job, { scheduled_for: at, delay }: NewWireJob): boolean {
  if (at != null) {
    const asked = Date.parse(at);
    // The service reads a few forms of ISO 8601 that this does not.
    return Number.isNaN(asked) || scheduledFor.getTime() === asked;
  }
  const delayMs = delay == null ? 0 : delay.value * UNIT_MS[delay.unit];
  // Delays are whole seconds: what differs by less is the same.
  return Math.abs(scheduledFor.getTime() - createdAt.getTime() - delayMs) < 1_000;
}

/** The service fills in what was left out, such as empty headers. */
function goesWhereAsked(delivery: Job["delivery"], sent: Job["delivery"]): boolean {
  if (delivery.type === "pull") return sent.type === "pull" && (delivery.queue ?? null) === (sent.queue ?? null);
  if (sent.type === "pull") return false;
  const { url, method, headers } = delivery.http;
  return url === sent.http.url && method === sent.http.method && equalJson(headers ?? {}, sent.http.headers ?? {});
}

/** Equality of JSON values; the order of an object's fields does not matter. */
function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const left = Object.entries(a);
  const right = new Map(Object.entries(b));
  return left.length === right.size && left.every(([key, value]) => right.has(key) && equalJson(value, right.get(key)));
}
