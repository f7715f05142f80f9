// What is known of a handler: which of its executions wait, and which workers ask for them.

/** A worker that named itself in a claim. */
export interface WorkerSeen {
  readonly workerId: string;
  readonly lastPollAt: number;
}

/** A handler as its PullQueue knows it. Times are epoch milliseconds. */
export interface HandlerView {
  readonly handler: string;
  /** Executions that wait for a worker now. */
  readonly waiting: number;
  /** When the oldest of them became due; null when none waits. */
  readonly oldestDueAt: number | null;
  /** When a worker last asked, or waited for an answer; null: not within a week. */
  readonly lastPollAt: number | null;
  /** Workers of the last five minutes, newest first, at most 100. A claim without a `worker_id` is not among them. */
  readonly workers: readonly WorkerSeen[];
}
