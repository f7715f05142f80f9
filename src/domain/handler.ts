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

/** Who asks a PullQueue for executions. */
export interface Seen {
  /** null: nobody, as far as it remembers. After the loss of an instance it may be half a minute older than the truth. */
  readonly lastPollAt: number | null;
  /** The last poll was not later than this. */
  readonly lastPollBy: number | null;
  /** Newest first. */
  readonly workers: readonly WorkerSeen[];
}

/** A PullQueue at a moment. */
export interface QueueView extends Seen {
  readonly waiting: number;
  readonly oldestDueAt: number | null;
  /** Whether the execution that was asked about waits there. */
  readonly holds: boolean;
}

/** How long a worker is named after it last asked. */
export const WORKER_SEEN_MS = 5 * 60_000;

/** How many workers of a handler are named at most: those that asked last. */
export const MAX_WORKERS_SEEN = 100;

/** A handler that nothing was offered to and nobody asked for is forgotten after this. */
export const HANDLER_LIFE_MS = 7 * 24 * 60 * 60_000;

/** How many handlers of an account are listed. A client that invents names does not fill the table. */
export const MAX_HANDLERS = 1_000;
