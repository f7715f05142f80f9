// What the service knows of a handler: who waits, and who asks.

/** A worker that asked within the last five minutes. */
export interface WorkerSeen {
  workerId: string;
  lastPollAt: Date;
}

/**
 * A handler of the account. While the service cannot find out in time, `unavailable` is true and the rest is null.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * for await (const status of chronos.handlers.list()) {
 *   if (status.unavailable) console.log(status.handler, "unknown");
 *   else console.log(status.handler, status.waiting, status.workers.length);
 * }
 * ```
 */
export type HandlerStatus =
  | {
      handler: string;
      unavailable: false;
      /** Jobs that are due and that no worker has taken. */
      waiting: number;
      /** When the one that has waited longest came due; null when none waits. */
      oldestDueAt: Date | null;
      /** When a worker last asked; null: not in the last seven days. */
      lastPollAt: Date | null;
      /** Newest first, at most 100. */
      workers: WorkerSeen[];
    }
  | { handler: string; unavailable: true; waiting: null; oldestDueAt: null; lastPollAt: null; workers: null };
