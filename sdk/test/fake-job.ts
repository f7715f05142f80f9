// Jobs, executions and reports of the service in memory.

export interface FakeJob {
  id: string;
  status: string;
  handler: string | null;
  run_at: string | null;
  timeout: number;
  max_retries: number;
  attempts: number;
  [field: string]: unknown;
}

export interface FakeReport {
  job_id: string;
  execution_id: string;
  status: "completed" | "failed";
  result?: unknown;
  error?: { message: string; name?: string };
  retryable?: boolean;
}

export interface FakeExecution {
  id: string;
  job_id: string;
  attempt: number;
  status: string;
  leaseEndsAt: number | null;
  report: string | null;
  worker_id: string | null;
  due_at: string;
  started_at: string | null;
  completed_at: string | null;
  error: unknown;
  result: unknown;
}

/** As the API shows it. */
export function shown({
  id,
  job_id,
  attempt,
  status,
  worker_id,
  due_at,
  started_at,
  completed_at,
  error,
  result,
}: FakeExecution) {
  const trigger = attempt === 1 ? "scheduled" : "system_retry";
  const times = { due_at, started_at, completed_at, lateness_ms: 0 };
  return { id, job_id, attempt, trigger, status, worker_id, ...times, response: null, error, result };
}
