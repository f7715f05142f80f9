// A job fails when its retries are used up: not sooner, and with no attempt more.

import type { JobFacts } from "./ledger.ts";

interface Ended {
  readonly status: string;
  readonly last_error: { readonly code: string } | null;
}

/** @param statuses of its executions */
export function checkBudget(
  job: JobFacts,
  { status, last_error }: Ended,
  statuses: readonly string[],
  violated: (rule: string, what: string) => void,
): void {
  const isTouched = job.changedAt !== null || job.revivedAt > 0 || job.unsettled > 0 || job.retries !== 0;
  if (isTouched || job.knownAt === null || job.key !== null || job.kind === "schedule") return;
  const failures = statuses.filter((one) => one === "failed" || one === "timed_out").length;
  const told = `${failures} failures with ${job.maxRetries} retries: ${statuses.join(", ")}`;
  if (failures > 1 + job.maxRetries) violated("no retry more than asked for", told);
  const mayEndEarly = job.starts.some(({ outcome }) => outcome === "final" || outcome === "reporting");
  if (status === "failed" && !mayEndEarly && last_error?.code !== "expired" && failures < 1 + job.maxRetries)
    violated("a job fails when its retries are used up", told);
}
