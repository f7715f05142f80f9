// An attempt whose lease is ours, and how log lines name it.

export interface Attempt {
  jobId: string;
  executionId: string;
  handler: string;
  attempt: number;
  scheduledFor: Date;
  payload: unknown;
  payloadText: string | null;
  traceparent: string | null;
  /** The length of the lease; each heartbeat starts it anew. */
  timeoutMs: number;
}

/** What log lines say about an attempt: enough to find it, nothing of its content. */
export function traceOf(attempt: Attempt): Record<string, unknown> {
  const { jobId, executionId, handler, attempt: number } = attempt;
  return { jobId, executionId, handler, attempt: number };
}
