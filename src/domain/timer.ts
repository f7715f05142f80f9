// The two clocks of a job, derived from its state and never set by hand: when its owner wakes, and by when the read
// model may expect to hear of it.

import { isEnded, type Job } from "./job.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What lasts longer than this in `queued` or `running` is reported; what is over sooner is not worth a row. */
export const REPORT_AFTER_MS = 5 * SECOND;

/**
 * How often the owner of a running push is rung. The platform holds an alarm back while the handler of the last one
 * lives, so the ring only comes through when that instance has died.
 */
export const WATCH_MS = 35 * SECOND;

/**
 * State made from a row younger than this is kept, so that an `arm` still on its way finds it. No longer than the watch: the
 * timer of a push that is over soon need not be set again, and each setting is a row.
 */
export const KEEP_MS = WATCH_MS;

/** An `arm` of a job created longer ago than this is not believed: the row is read instead. Well below `KEEP_MS`. */
export const STALE_ARM_MS = 10 * SECOND;

/** How far ahead owners hold their timers. A job that is due later is its row and nothing else until then. */
export const HORIZON_MS = 60 * MINUTE;

/**
 * A job due within this is armed by whoever creates it. Beyond the horizon by more than clocks differ and an insert takes:
 * the sweeper's look ahead cannot have passed the row before it was there.
 */
export const ARM_AHEAD_MS = HORIZON_MS + 5 * MINUTE;

/** An unarmed row is the sweeper's business this long after its creation. */
export const ARM_GRACE_MS = 15 * SECOND;

/** When the job's owner must wake next, in epoch milliseconds. Moments already past mean now. */
export function wakeAt(job: Job, now: number): number {
  const { phase } = job;
  switch (phase.name) {
    case "waiting":
      return Math.max(phase.runAt, phase.heldUntil ?? 0);
    case "queued":
      return phase.reported ? phase.offerAt : Math.min(phase.since + REPORT_AFTER_MS, phase.offerAt);
    case "running":
      if (job.delivery.type === "push") return nextWatch(phase.startedAt, now);
      return phase.reported ? phase.leaseEndsAt : Math.min(phase.startedAt + REPORT_AFTER_MS, phase.leaseEndsAt);
    case "completed":
    case "failed":
    case "cancelled":
      return phase.reportAt;
  }
}

/**
 * Whether a timer set for an earlier moment may stand. What waits for a worker, is in its hands or is over changes more often
 * than its timer has to ring, and setting a timer costs seven times as much as a ring that finds nothing to do.
 */
export const bearsEarlyRing = ({ phase }: Job): boolean => phase.name !== "waiting";

function nextWatch(startedAt: number, now: number): number {
  return startedAt + WATCH_MS * (1 + Math.max(0, Math.floor((now - startedAt) / WATCH_MS)));
}

/** By when the read model will have heard of the job again; null once it has ended. The sweeper looks for the overdue. */
export function attentionAt(job: Job): number | null {
  const { phase } = job;
  if (isEnded(phase)) return null;
  switch (phase.name) {
    case "waiting":
      return Math.max(phase.runAt, phase.heldUntil ?? 0);
    case "queued":
      return phase.offerAt;
    case "running":
      return phase.leaseEndsAt;
  }
}

/** The same for a row whose job has not been armed yet. */
export const unarmedAttentionAt = (runAt: number, createdAt: number): number =>
  Math.max(runAt, createdAt + ARM_GRACE_MS);
