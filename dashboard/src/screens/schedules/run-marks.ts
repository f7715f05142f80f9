// The last runs of a schedule as marks in a row, the oldest first. Pure.

/** What a mark shows of a job. */
export interface RunJob {
  readonly id: string;
  readonly status: string;
  readonly idempotency_key: string | null;
  readonly scheduled_for: string;
  readonly completed_at: string | null;
  readonly attempts: number;
}

export interface RunMark {
  readonly jobId: string;
  readonly status: string;
  readonly at: number;
  /** Somebody triggered it; it is no tick. */
  readonly byHand: boolean;
  /** From its time to its end; null before that. */
  readonly lengthMs: number | null;
  readonly attempts: number;
}

/** @param jobs as a list answers them: the newest first */
export const runMarks = (jobs: readonly RunJob[], scheduleId: string): RunMark[] =>
  jobs.map((job) => markOf(job, scheduleId)).reverse();

const markOf = (job: RunJob, scheduleId: string): RunMark => {
  const at = Date.parse(job.scheduled_for);
  return {
    jobId: job.id,
    status: job.status,
    at,
    byHand: job.idempotency_key?.startsWith(`${scheduleId}.`) !== true,
    lengthMs: job.completed_at === null ? null : Math.max(0, Date.parse(job.completed_at) - at),
    attempts: job.attempts,
  };
};

/** All of them in words, for those who do not see the marks: `18 completed, 2 failed`. */
export function wordsOfMarks(marks: readonly RunMark[]): string {
  const counts = new Map<string, number>();
  for (const { status } of marks) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, n]) => `${n} ${status}`).join(", ");
}
