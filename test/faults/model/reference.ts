// The contract as a plain map: what a pull job is after each call, and what each call must be answered. It knows nothing
// of objects, queues or databases.

/** Where the reference believes a job to be. A waiting one moves on by itself when its time has come. */
export type Status = "waiting" | "queued" | "running" | "completed" | "failed" | "cancelled";

export interface ReferenceJob {
  readonly id: string;
  readonly key: string;
  readonly maxRetries: number;
  status: Status;
  /** While it waits: when it is due, and whether because an attempt failed. */
  runAt: number;
  isRetry: boolean;
  /** Executions started, and failures that count. */
  attempts: number;
  tries: number;
  /** The execution that holds the lease, and those that held it before. */
  holder: string | null;
  readonly past: string[];
  /** What the last report was, for its repetition. */
  lastReport: "complete" | "fail" | null;
  result: unknown;
}

export const isOver = ({ status }: ReferenceJob): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/** What the API may call it now: a job that is due is seen to move on a little later. */
export function statusesAt(job: ReferenceJob, now: number): readonly string[] {
  if (job.status !== "waiting") return [job.status];
  const waiting = job.isRetry ? "retrying" : "pending";
  return now < job.runAt ? [waiting] : [waiting, "queued"];
}

export const canBeClaimed = (job: ReferenceJob, now: number): boolean =>
  job.status === "queued" || (job.status === "waiting" && now >= job.runAt);

export function claimed(job: ReferenceJob, executionId: string): void {
  job.status = "running";
  job.holder = executionId;
  job.attempts += 1;
}

export function completed(job: ReferenceJob, result: unknown): void {
  letGo(job, "complete");
  job.status = "completed";
  job.result = result;
}

/** @param runAt the next attempt as the service told it; null when it told none */
export function failed(job: ReferenceJob, retryable: boolean, now: number, runAt: number | null): string[] {
  letGo(job, "fail");
  job.tries += 1;
  if (!retryable || job.tries > job.maxRetries) {
    job.status = "failed";
    return runAt === null ? [] : ["a job that failed for good is due again"];
  }
  const baseMs = 1_000 * 2 ** (job.tries - 1);
  job.status = "waiting";
  job.isRetry = true;
  job.runAt = runAt ?? 0;
  const slackMs = 1_000;
  const fits = runAt !== null && runAt >= now - slackMs + baseMs && runAt <= now + slackMs + 2 * baseMs;
  return fits ? [] : [`failure ${job.tries} is followed after ${(runAt ?? 0) - now} ms`];
}

export function cancelled(job: ReferenceJob): void {
  if (job.holder !== null) letGo(job, null);
  job.status = "cancelled";
}

export function retried(job: ReferenceJob, now: number): void {
  job.status = "waiting";
  job.isRetry = false;
  job.runAt = now;
  job.tries = 0;
}

function letGo(job: ReferenceJob, report: ReferenceJob["lastReport"]): void {
  if (job.holder !== null) job.past.push(job.holder);
  job.holder = null;
  job.lastReport = report;
}
