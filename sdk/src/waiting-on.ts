// Why a job has not run yet.

/** The service may name more in time. */
export type WaitingReason =
  | "not_due"
  | "backoff"
  | "waiting_for_worker"
  | "no_worker"
  | "queue_not_bound"
  | "account_suspended"
  | "flow_limited"
  | "flow_paused"
  | "overdue"
  | (string & {});

/**
 * What a job waits on, as `jobs.get()` tells it.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const { waitingOn } = await chronos.jobs.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * if (waitingOn?.reason === "no_worker") console.log(waitingOn.message, waitingOn.since.toISOString());
 * ```
 */
export interface WaitingOn {
  reason: WaitingReason;
  /** A sentence for people: what the job waits for, and what to do about it. */
  message: string;
  /** Since when it waits for this reason. */
  since: Date;
  /** When this wait ends by itself, if only because the job expires; null when nobody knows. */
  until: Date | null;
}
