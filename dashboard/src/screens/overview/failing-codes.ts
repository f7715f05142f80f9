// Failures by their code: the groups of one kind stand together. Pure.

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

/** The most frequent code first. */
export function byCode(failing: readonly Failing[]): FailingCode[] {
  const codes = new Map<string, Failing[]>();
  for (const group of failing) codes.set(group.error_code, [...(codes.get(group.error_code) ?? []), group]);
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
