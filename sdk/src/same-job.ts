// Whether the job that already holds an idempotency key is the one an earlier, unanswered try of the same call made.

import type { Job } from "./job.ts";

/** `Date` headers count whole seconds, and the two moments are taken at the two ends of the line. */
const CLOCK_SLACK_MS = 2_000;

/**
 * It is ours if it was created no earlier than the call and says what we said. The age is what keeps an old job with
 * the same key and content (yesterday's report) a conflict, as it must be.
 */
export function isTheJobWeAskedFor(
  job: Job,
  sent: Record<string, unknown>,
  { ageMs, sinceAskedMs }: { ageMs: number; sinceAskedMs: number },
): boolean {
  if (ageMs > sinceAskedMs + CLOCK_SLACK_MS) return false;
  return (
    job.name === sent.name && job.handler === (sent.handler ?? null) && equalJson(job.payload, sent.payload ?? null)
  );
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
