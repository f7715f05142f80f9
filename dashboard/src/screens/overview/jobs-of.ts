// From what an overview counts to the jobs behind it, as the query of the list of jobs. Pure.

import type { Bucket, Failing } from "./overview-answer.ts";

type Query = Readonly<Record<string, string>>;

const HOUR = 3_600_000;

const iso = (at: number): string => new Date(at).toISOString();

/**
 * The jobs that were due in the time of a bar. Both bounds of the list are exclusive.
 *
 * A list is walked from the newest job on. Jobs are created before they are due, a job of a schedule up to an hour later if the
 * database was away: what was created after that is not looked at.
 */
export function jobsOfBucket({ at }: Pick<Bucket, "at">, bucketSeconds: number, status?: string): Query {
  const from = Date.parse(at);
  const to = from + bucketSeconds * 1_000;
  return {
    ...(status !== undefined && { status }),
    scheduled_after: iso(from - 1),
    scheduled_before: iso(to),
    created_before: iso(to + HOUR),
  };
}

/** Jobs that are due in a minute to come. */
export const jobsDueIn = (at: string): Query => ({
  status: "pending",
  scheduled_after: iso(Date.parse(at) - 1),
  scheduled_before: iso(Date.parse(at) + 60_000),
});

/**
 * The jobs that failed for good with what a group has in common, and were due in the window or shortly before: a retry takes a
 * while, and failures are counted by the quarter of an hour. Undefined for the group of all the rest, which has nothing in common.
 */
export function jobsOfFailing(
  { error_code, handler, host }: Failing,
  { buckets }: { readonly buckets: readonly Pick<Bucket, "at">[] },
): Query | undefined {
  if (error_code === "other") return undefined;
  const from = Date.parse(buckets[0]?.at ?? "");
  return {
    status: "failed",
    error_code,
    ...(handler !== null && { handler }),
    ...(host !== null && { host }),
    scheduled_after: iso(from - HOUR / 4),
  };
}
