// The contract as a plain map: what a pull job is after each call, and what each call must be answered. It knows nothing
// of objects, queues or databases.

/** Where the reference believes a job to be. A waiting one moves on by itself when its time has come. */
export type Status = "waiting" | "queued" | "running" | "completed" | "failed" | "cancelled";

/** What was asked for, in the API's words. */
export interface Asked {
  readonly name: string;
  readonly handler: string;
  readonly payload: unknown;
  readonly tags: readonly string[];
  readonly flow: string | null;
  readonly timeout: number;
  readonly max_retries: number;
  readonly backoff: { readonly type: "list"; readonly delays: readonly number[] } | null;
}

export interface ReferenceJob {
  readonly id: string;
  /** null once another job has it. */
  key: string | null;
  asked: Asked;
  scheduledFor: number;
  expiresAfterMs: number | null;
  /** No attempt starts from then on. */
  expiresAt: number | null;
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
  /** Whether it has ever failed: then a completion is a recovery, too. */
  hasFailed: boolean;
  /** The events that its ends have made so far. */
  readonly events: string[];
}

/** What a change says: what it leaves out stays as it is. */
export interface Change {
  readonly asked: Partial<Asked>;
  readonly scheduledFor?: number;
  readonly expiresAfterMs?: number | null;
}

/** Between two clocks, and between a moment and the answer that tells of it. */
export const SLACK_MS = 1_000;

export const isOver = ({ status }: ReferenceJob): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/** What has not begun, and moves on by itself when its time has come. */
export const waits = ({ status }: ReferenceJob): boolean => status === "waiting" || status === "queued";

/** What the API may call it now: a job that is due is seen to move on a little later. */
export function statusesAt(job: ReferenceJob, now: number): readonly string[] {
  if (job.status !== "waiting") return [job.status];
  const waiting = job.isRetry ? "retrying" : "pending";
  return now < job.runAt ? [waiting] : [waiting, "queued"];
}

export const canBeClaimed = (job: ReferenceJob, now: number): boolean =>
  job.status === "queued" || (job.status === "waiting" && now >= job.runAt);

/** Whether it may expire while somebody speaks of it. */
export const expiresBy = (job: ReferenceJob, at: number): boolean =>
  waits(job) && job.expiresAt !== null && job.expiresAt <= at;

/** What a change that is refused or made must be answered; both when the job is just becoming due. */
export function changeStatuses(job: ReferenceJob, isRetimed: boolean, now: number): readonly number[] {
  if (job.status !== "waiting" || (isRetimed && job.isRetry)) return [409];
  return now < job.runAt - SLACK_MS ? [200] : [200, 409];
}

export function claimed(job: ReferenceJob, executionId: string): void {
  job.status = "running";
  job.holder = executionId;
  job.attempts += 1;
}

export function completed(job: ReferenceJob, result: unknown): void {
  letGo(job, "complete");
  job.status = "completed";
  job.result = result;
  job.events.push("job.completed", ...(job.hasFailed ? ["job.recovered"] : []));
}

/** @param runAt the next attempt as the service told it; null when it told none */
export function failed(job: ReferenceJob, retryable: boolean, now: number, runAt: number | null): string[] {
  letGo(job, "fail");
  job.tries += 1;
  job.hasFailed = true;
  if (!retryable || job.tries > job.asked.max_retries) {
    job.status = "failed";
    job.events.push("job.failed");
    return runAt === null ? [] : ["a job that failed for good is due again"];
  }
  const [leastMs, mostMs] = backoffOf(job);
  job.status = "waiting";
  job.isRetry = true;
  job.runAt = runAt ?? 0;
  const fits = runAt !== null && runAt >= now - SLACK_MS + leastMs && runAt <= now + SLACK_MS + mostMs;
  return fits ? [] : [`failure ${job.tries} is followed after ${(runAt ?? 0) - now} ms`];
}

function backoffOf({ asked: { backoff }, tries }: ReferenceJob): readonly [number, number] {
  const baseMs = 1_000 * 2 ** (tries - 1);
  if (backoff === null) return [baseMs, 2 * baseMs];
  const ms = 1_000 * (backoff.delays[tries - 1] ?? backoff.delays.at(-1) ?? 0);
  return [ms, ms];
}

export function cancelled(job: ReferenceJob): void {
  if (job.holder !== null) letGo(job, null);
  job.status = "cancelled";
  job.events.push("job.cancelled");
}

export function expired(job: ReferenceJob): void {
  job.status = "failed";
  job.lastReport = null;
  job.hasFailed = true;
  job.events.push("job.failed");
}

export function retried(job: ReferenceJob, now: number): void {
  job.status = "waiting";
  job.isRetry = false;
  job.runAt = now;
  job.tries = 0;
  job.expiresAt = job.expiresAfterMs === null ? null : now + job.expiresAfterMs;
}

export function run(job: ReferenceJob, now: number): void {
  job.isRetry = false;
  job.runAt = now;
}

export function changed(job: ReferenceJob, { asked, scheduledFor, expiresAfterMs }: Change): void {
  job.asked = { ...job.asked, ...asked };
  const isOtherwise = expiresAfterMs !== undefined && expiresAfterMs !== job.expiresAfterMs;
  if (expiresAfterMs !== undefined) job.expiresAfterMs = expiresAfterMs;
  if (scheduledFor !== undefined) {
    job.scheduledFor = scheduledFor;
    job.runAt = scheduledFor;
  }
  if (isOtherwise || scheduledFor !== undefined)
    job.expiresAt = job.expiresAfterMs === null ? null : job.scheduledFor + job.expiresAfterMs;
}

/** Another job has its key from now on. */
export function keyTaken(job: ReferenceJob): void {
  job.key = null;
}

function letGo(job: ReferenceJob, report: ReferenceJob["lastReport"]): void {
  if (job.holder !== null) job.past.push(job.holder);
  job.holder = null;
  job.lastReport = report;
}
