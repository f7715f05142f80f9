// One attempt of a job, as the SDK shows it.

export type ExecutionStatus = "queued" | "running" | "completed" | "failed" | "timed_out" | "cancelled" | "interrupted";

export type ExecutionTrigger = "scheduled" | "system_retry" | "manual_retry" | "manual_run";

export type ExecutionErrorCode =
  | "http_status"
  | "timeout"
  | "network"
  | "redirect"
  | "blocked_target"
  | "handler_error"
  | "lease_expired"
  | "platform"
  | "expired"
  | (string & {});

/**
 * One attempt of a job.
 *
 * @example
 * ```ts
 * import { Chronos, type Execution } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const failed: Execution[] = [];
 * for await (const execution of chronos.jobs.executions("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11")) {
 *   if (execution.error) failed.push(execution);
 * }
 * ```
 */
export interface Execution {
  id: string;
  jobId: string;
  /** From 1; it never restarts. */
  attempt: number;
  trigger: ExecutionTrigger;
  status: ExecutionStatus;
  workerId: string | null;
  dueAt: Date;
  startedAt: Date | null;
  completedAt: Date | null;
  /** Started minus due. */
  latenessMs: number | null;
  /** What a push target answered, its body cut after 4 KB. */
  response: { status: number; headers: Record<string, string>; body: string; truncated: boolean } | null;
  result: unknown;
  /** The result as it was sent. */
  resultText: string | null;
  error: { code: ExecutionErrorCode; message: string } | null;
  /** The last value given to `ctx.progress()`, also after the end; null if there was none. */
  progress: unknown;
  /** The progress as it was sent. */
  progressText: string | null;
}
