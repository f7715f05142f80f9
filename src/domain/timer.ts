// The two clocks of a job, derived from its state and never set by hand: when its owner wakes, and by when the read
// model expects to hear from it.

import { uselessSince } from "./flow-claim.ts";
import { isEnded, type Job } from "./job.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * How long a change may go unreported. A state that lasts longer than this is reported; one that is over sooner is not worth a
 * row. A report that is made at once and fails is repeated then.
 */
export const REPORT_AFTER_MS = 5 * SECOND;

/** State made from a row is kept until its job is this old, so that an `arm` still under way finds it. */
export const KEEP_MS = 35 * SECOND;

/**
 * An `arm` of a job created longer ago than this is not believed: the row is read instead. An insert whose first try was lost may
 * take twenty seconds, and the database that was so slow cannot be trusted to answer that read. Below `KEEP_MS` by more than clocks
 * differ.
 */
export const STALE_ARM_MS = 25 * SECOND;

/** An owner that has reported an end has let go of it after this. */
export const LET_GO_MS = 2 * MINUTE;

/** How far ahead owners hold their timers. A job that is due later is its row and nothing else until then. */
export const HORIZON_MS = 60 * MINUTE;

/** A job due within this has its owner before it is answered: no time remains to repair what was lost. */
export const SOON_MS = 5 * MINUTE;

/**
 * A job due within this is armed by whoever creates it: the horizon plus a margin for clock skew and insert latency. The look
 * ahead cannot have passed a later row before it was inserted.
 */
export const ARM_AHEAD_MS = HORIZON_MS + 5 * MINUTE;

/** A row due beyond this is changed itself. The gap to `ARM_AHEAD_MS` is wider than clocks differ, so it cannot have been armed. */
export const OWNERLESS_MS = ARM_AHEAD_MS + 30 * SECOND;

/** An owner that takes up a row due beyond this says so there first: a change of the row may still be on its way. */
export const CONTESTED_MS = HORIZON_MS + MINUTE;

/**
 * When the job's owner must wake next, in epoch milliseconds. Moments already past mean now. A push in flight has no moment: the
 * platform rings again by itself when the instance that runs it dies.
 *
 * @returns null: never
 */
export function wakeAt(job: Job): number | null {
  const useless = uselessSince(job);
  if (isEnded(job.phase) && job.phase.confirmed) return useless ?? job.keepUntil;
  const moments = [momentOf(job), job.reportAt, useless].filter((at) => at !== null);
  return moments.length === 0 ? null : Math.min(...moments);
}

function momentOf(job: Job): number | null {
  const { phase, delivery, expiresAt } = job;
  const latest = expiresAt ?? Number.POSITIVE_INFINITY;
  switch (phase.name) {
    case "waiting":
      return Math.min(Math.max(phase.runAt, phase.heldUntil ?? 0, uselessSince(job) ?? 0), latest);
    case "queued":
      return Math.min(phase.offerAt, latest);
    case "running":
      return delivery.type === "push" ? null : phase.leaseEndsAt;
    case "completed":
    case "failed":
    case "cancelled":
      return null;
  }
}

/**
 * Whether an earlier alarm may be kept. A job that a worker holds, waits for or has ended changes more often than its alarm
 * has to ring, and setting an alarm costs seven times as much as a ring that finds nothing to do.
 */
export const mayRingEarly = ({ phase }: Job): boolean => phase.name !== "waiting";

/** By when the read model will have heard of the job again; null once it has ended. The sweeper looks for the overdue. */
export function reportDueAt(job: Job): number | null {
  const { phase } = job;
  if (isEnded(phase)) return null;
  return phase.name === "running" ? phase.leaseEndsAt : momentOf(job);
}
