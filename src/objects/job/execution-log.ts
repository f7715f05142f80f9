// One line for each attempt that is over: what an operator needs to follow a job, and nothing a user sent.

import { inOurWords } from "../../delivery/network-fault.ts";
import type { Execution, Job } from "../../domain/job.ts";
import { hostOf } from "../../domain/tally.ts";
import { log } from "../../log.ts";

export function logExecution(job: Job, execution: Execution): void {
  const { startedAt, dueAt, completedAt } = execution;
  log(execution.status === "interrupted" ? "warn" : "info", "execution", {
    account_id: job.accountId,
    job_id: job.id,
    execution_id: execution.id,
    attempt: execution.attempt,
    outcome: execution.status,
    http_status: execution.response?.status,
    error_code: execution.error?.code,
    ...whereItFailed(job, execution),
    lateness_ms: startedAt === null ? undefined : startedAt - dueAt,
    duration_ms: startedAt === null || completedAt === null ? undefined : completedAt - startedAt,
    job_status: job.phase.name,
    next_run_at: job.phase.name === "waiting" ? job.phase.runAt : undefined,
  });
}

/** Of the target no more than its host: path and query may hold a secret. A worker's reason is a text of its user, and is left out. */
function whereItFailed({ delivery }: Job, { error }: Execution) {
  const host = hostOf(delivery);
  if (error === null || host === null) return {};
  return { host, reason: error.code === "network" ? inOurWords(error.message) : error.message };
}
