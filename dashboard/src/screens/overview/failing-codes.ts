// Groups failures by their error code. Pure.

import type { Failing } from "./overview-answer.ts";

export interface FailingCode {
  readonly code: string;
  /** In words, for those who do not know the code. */
  readonly meaning: string;
  readonly count: number;
  readonly lastAt: string;
  /** The most frequent first. */
  readonly groups: readonly Failing[];
}

const MEANINGS: Readonly<Record<string, string>> = {
  http_status: "the target answered with an error",
  timeout: "no answer in time",
  network: "the target could not be reached",
  redirect: "the target redirects",
  blocked_target: "the target is not allowed",
  handler_error: "the worker reported an error",
  lease_expired: "the worker fell silent",
  platform: "the service itself was interrupted",
  expired: "too late to start",
  other: "everything else",
};

export const meaningOf = (code: string): string => MEANINGS[code] ?? code;

/** True if the jobs of `wide` cannot be asked for without those of `narrow`: no filter says "without a handler". */
const includes = (wide: Failing, narrow: Failing): boolean =>
  wide.error_code === narrow.error_code &&
  (wide.handler === null || wide.handler === narrow.handler) &&
  (wide.host === null || wide.host === narrow.host);

const together = (one: Failing, other: Failing): Failing => ({
  ...one,
  ...(other.last_at > one.last_at && { last_at: other.last_at, job_id: other.job_id }),
  count: one.count + other.count,
});

/** One group for those whose jobs no filter tells apart, so that each leads to its own jobs and to no others. */
function distinct(failing: readonly Failing[]): Failing[] {
  const isOfAnother = (group: Failing) => failing.some((one) => one !== group && includes(one, group));
  return failing
    .filter((group) => !isOfAnother(group))
    .map((group) => failing.filter((one) => one !== group && includes(group, one)).reduce(together, group));
}

/** The most frequent code first. */
export function byCode(failing: readonly Failing[]): FailingCode[] {
  const codes = new Map<string, Failing[]>();
  for (const group of distinct(failing)) codes.set(group.error_code, [...(codes.get(group.error_code) ?? []), group]);
  return [...codes]
    .map(([code, groups]) => ({
      code,
      meaning: meaningOf(code),
      count: groups.reduce((sum, { count }) => sum + count, 0),
      lastAt:
        groups
          .map(({ last_at }) => last_at)
          .sort()
          .at(-1) ?? "",
      groups: groups.toSorted((a, b) => b.count - a.count || b.last_at.localeCompare(a.last_at)),
    }))
    .sort((a, b) => b.count - a.count || b.lastAt.localeCompare(a.lastAt));
}
