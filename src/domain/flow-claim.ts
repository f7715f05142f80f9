// What a job's owner remembers of its flow: the place or the slot that the flow may hold for an attempt. None of it changes the job:
// the revision stays. A claim that is needed no more is given back, so that nobody waits behind a ghost.

import type { SlotEnd, Ticket } from "./flow.ts";
import { type FlowClaim, isEnded, type Job, newest } from "./job.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A turn holds so long: a job that starts later asks again, since the flow may have been paused. */
export const TURN_MS = SECOND;

/** A job in line looks by itself only in case its turn was lost: after this, doubling to an hour. */
const LOOK_MS = 10 * MINUTE;
const MAX_LOOK_MS = 60 * MINUTE;

/** Nobody could say whether it is its turn: it asks again within this. */
const ASK_AGAIN_MS = 5 * SECOND;

/** How long a slot is kept beyond the moment its attempt has to be over by. */
const MARGIN_MS = 30 * SECOND;
/** An offered attempt may wait for its worker as long as it likes; the flow looks after it now and then. */
const OFFERED_MS = 10 * MINUTE;

/** The next attempt, or the one that runs, as its flow knows it. */
export function ticketOf(job: Job): Ticket {
  const { id: jobId, phase, attempt, timeoutSeconds } = job;
  if (phase.name === "waiting") return { jobId, attempt: attempt + 1, dueAt: phase.runAt, timeoutSeconds };
  return { jobId, attempt, dueAt: newest(job)?.dueAt ?? job.scheduledFor, timeoutSeconds };
}

/** Whether what the flow holds is for the attempt that the job waits for, or makes. */
export function isClaimNeeded(job: Job): boolean {
  const { claim, flow, phase } = job;
  if (claim === null || claim.flow !== flow || isEnded(phase)) return false;
  if (phase.name === "waiting" && phase.heldUntil !== undefined && phase.heldFor !== "flow") return false;
  const { attempt, dueAt } = ticketOf(job);
  return claim.attempt === attempt && claim.dueAt === dueAt;
}

/** A claim that has to be given back, and when. */
export const uselessSince = (job: Job): number | null =>
  job.claim === null || isClaimNeeded(job) ? null : (job.claim.againAt ?? job.updatedAt);

const claimFor = (job: Job, turnAt: number | null): FlowClaim | null => {
  if (job.flow === null) return null;
  const { attempt, dueAt } = ticketOf(job);
  return { flow: job.flow, attempt, dueAt, turnAt, againAt: null };
};

/** It is the job's turn: it may start, or be offered, within `TURN_MS`. */
export const withTurn = (job: Job, now: number): Job => ({ ...job, claim: claimFor(job, now) });

/** Whether it was told so just now. */
export const hasTurn = (job: Job, now: number): boolean =>
  isClaimNeeded(job) && job.claim?.turnAt != null && now >= job.claim.turnAt && now - job.claim.turnAt <= TURN_MS;

/** The flow calls: what stood in line goes on now. */
export function called(job: Job, now: number): Job {
  const { phase } = job;
  const turned = withTurn(job, now);
  if (phase.name === "waiting")
    return { ...turned, phase: { name: "waiting", runAt: phase.runAt, trigger: phase.trigger } };
  return phase.name === "queued" ? { ...turned, phase: { ...phase, offerAt: now } } : turned;
}

/** It is not the job's turn: it stands in line until it is called, and looks by itself after this long. */
export const inLine = (job: Job): Job => ({ ...job, claim: claimFor(job, null) });

export const lookAfterMs = (since: number, now: number): number =>
  Math.min(Math.max(LOOK_MS, now - since), MAX_LOOK_MS);

/** The flow did not answer: the job asks again soon, and may have a place there. @param chance in [0, 1) */
export function unanswered(job: Job, chance: number, now: number): Job {
  const { phase } = job;
  if (phase.name !== "waiting") return job;
  const longest = Math.min(Math.max(ASK_AGAIN_MS, (now - phase.runAt) / 2), MINUTE);
  const heldUntil = now + Math.ceil(longest * (0.5 + chance / 2));
  return { ...job, claim: claimFor(job, null), phase: { ...phase, heldUntil, heldFor: "flow" } };
}

/** The flow holds nothing for the job any more, whatever it needs now: then it asks anew. */
export function givenBack(job: Job): Job {
  const { phase } = job;
  const isHeld = phase.name === "waiting" && phase.heldFor === "flow";
  return {
    ...job,
    claim: null,
    phase: isHeld ? { name: "waiting", runAt: phase.runAt, trigger: phase.trigger } : phase,
  };
}

/** Giving it back failed: again then, after five seconds doubling to a minute. */
export function giveBackAgain(job: Job, now: number): Job {
  if (job.claim === null) return job;
  const waited = now - job.updatedAt;
  return { ...job, claim: { ...job.claim, againAt: now + Math.min(Math.max(ASK_AGAIN_MS, waited), MINUTE) } };
}

/** How the attempt of a claim went. Until it has ended, and for one that came to nothing: neither. */
export function endOf({ executions, claim }: Job): SlotEnd {
  const status = executions.find(({ attempt }) => attempt === claim?.attempt)?.status;
  if (status === "completed") return "completed";
  return status === "failed" || status === "timed_out" ? "failed" : "neither";
}

/** Until when the flow may count on a slot being used, as its owner sees it. */
export function slotEndsAt({ phase, delivery, timeoutSeconds }: Job, now: number): number {
  if (phase.name === "queued") return now + OFFERED_MS;
  if (phase.name !== "running") return now + MARGIN_MS;
  const end = delivery.type === "pull" ? phase.leaseEndsAt : phase.startedAt + timeoutSeconds * SECOND;
  return Math.max(end, now) + MARGIN_MS;
}
