// A job's claim on its flow: the place in line or the slot that the flow may hold for one attempt. A claim does not change the job, so
// the revision stays. The owner returns a claim that it no longer needs, so that no other job waits for an unused slot.

import type { FlowSpec, SlotEnd, SlotUse, Ticket } from "./flow.ts";
import { type FlowClaim, isEnded, type Job, newest } from "./job.ts";
import { ARRIVES_WITHIN_MS } from "./rate-window.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * A turn is valid for this long. A job that starts, or is offered, later asks again: the flow may have been paused, and counts a start from
 * when it happens.
 */
export const TURN_MS = SECOND;

/** Until when a turn given now is valid: with a rate, half of what the window allows for. The other half is the request's. */
export const turnEndsAt = ({ rate }: Pick<FlowSpec, "rate">, now: number): number =>
  now + (rate === null ? TURN_MS : ARRIVES_WITHIN_MS / 2);

/** A job in line asks again after this long, doubling to an hour, in case the call to it was lost. */
const LOOK_MS = 10 * MINUTE;
const MAX_LOOK_MS = 60 * MINUTE;

/** A job asks again within this if the flow did not answer. */
const ASK_AGAIN_MS = 5 * SECOND;

/** A slot is kept for this long after its attempt must have ended. */
const MARGIN_MS = 30 * SECOND;
/** An offered attempt may wait for its worker without limit; the flow checks it at this interval. */
const OFFERED_MS = 10 * MINUTE;

/** The ticket of the next attempt, or of the running one. */
export function ticketOf(job: Job): Ticket {
  const { id: jobId, phase, attempt, timeoutSeconds } = job;
  if (phase.name === "waiting") return { jobId, attempt: attempt + 1, dueAt: phase.runAt, timeoutSeconds };
  return { jobId, attempt, dueAt: newest(job)?.dueAt ?? job.scheduledFor, timeoutSeconds };
}

/** True if the claim is for the attempt that the job waits for or runs. */
export function isClaimNeeded(job: Job): boolean {
  const { claim, flow, phase } = job;
  if (claim === null || claim.flow !== flow || isEnded(phase)) return false;
  if (phase.name === "waiting" && phase.heldUntil !== undefined && phase.heldFor !== "flow") return false;
  const { attempt, dueAt } = ticketOf(job);
  return claim.attempt === attempt && claim.dueAt === dueAt;
}

/** When a claim that the job no longer needs has to be returned; null if there is none. */
export const uselessSince = (job: Job): number | null =>
  job.claim === null || isClaimNeeded(job) ? null : (job.claim.againAt ?? job.updatedAt);

const claimFor = (job: Job, turnAt: number | null): FlowClaim | null => {
  if (job.flow === null) return null;
  const { attempt, dueAt } = ticketOf(job);
  return { flow: job.flow, attempt, dueAt, turnAt, againAt: null };
};

/** The job with its turn: it may start, or be offered, within `TURN_MS`. */
export const withTurn = (job: Job, now: number): Job => ({ ...job, claim: claimFor(job, now) });

/** True if the job has its turn, and the turn is still valid. */
export const hasTurn = (job: Job, now: number): boolean =>
  isClaimNeeded(job) && job.claim?.turnAt != null && now >= job.claim.turnAt && now - job.claim.turnAt <= TURN_MS;

/** The flow called the job: it leaves the line and goes on now. @param until when its turn is valid */
export function called(job: Job, now: number, until = now + TURN_MS): Job {
  const { phase } = job;
  const turned = withTurn(job, Math.min(until - TURN_MS, now));
  if (phase.name === "waiting")
    return { ...turned, phase: { name: "waiting", runAt: phase.runAt, trigger: phase.trigger } };
  return phase.name === "queued" ? { ...turned, phase: { ...phase, offerAt: now } } : turned;
}

/** The job in line, waiting to be called. */
export const inLine = (job: Job): Job => ({ ...job, claim: claimFor(job, null) });

export const lookAfterMs = (since: number, now: number): number =>
  Math.min(Math.max(LOOK_MS, now - since), MAX_LOOK_MS);

/** The flow did not answer. It may hold a place for the job, which asks again soon. @param chance in [0, 1) */
export function unanswered(job: Job, chance: number, now: number): Job {
  const { phase } = job;
  if (phase.name !== "waiting") return job;
  const longest = Math.min(Math.max(ASK_AGAIN_MS, (now - phase.runAt) / 2), MINUTE);
  const heldUntil = now + Math.ceil(longest * (0.5 + chance / 2));
  return { ...job, claim: claimFor(job, null), phase: { ...phase, heldUntil, heldFor: "flow" } };
}

/** The flow confirmed that it holds nothing for the job. If the job needs a turn now, it asks again. */
export function givenBack(job: Job): Job {
  const { phase } = job;
  const isHeld = phase.name === "waiting" && phase.heldFor === "flow";
  return {
    ...job,
    claim: null,
    phase: isHeld ? { name: "waiting", runAt: phase.runAt, trigger: phase.trigger } : phase,
  };
}

/** The flow did not confirm the return: repeat it after five seconds, doubling to a minute. */
export function giveBackAgain(job: Job, now: number): Job {
  if (job.claim === null) return job;
  const waited = now - job.updatedAt;
  return { ...job, claim: { ...job.claim, againAt: now + Math.min(Math.max(ASK_AGAIN_MS, waited), MINUTE) } };
}

/** The result of the claim's attempt. "neither" if it has not ended, was cancelled or was interrupted. */
export function endOf({ executions, claim }: Job): SlotEnd {
  const status = executions.find(({ attempt }) => attempt === claim?.attempt)?.status;
  if (status === "completed") return "completed";
  return status === "failed" || status === "timed_out" ? "failed" : "neither";
}

/** When the claim's attempt started; null if it has not. */
export const startOf = ({ executions, claim }: Job): number | null =>
  executions.find(({ attempt }) => attempt === claim?.attempt)?.startedAt ?? null;

/** How the job uses the slot of an attempt; one that it does not know of has not been used. */
export function slotUse(job: Job | undefined, flow: string, attempt: number, now: number): SlotUse {
  if (job?.claim?.flow !== flow || job.claim.attempt !== attempt)
    return { until: null, end: "neither", startedAt: null };
  if (isClaimNeeded(job)) return { until: slotEndsAt(job, now) };
  return { until: null, end: endOf(job), startedAt: startOf(job) };
}

function slotEndsAt({ phase, delivery, timeoutSeconds }: Job, now: number): number {
  if (phase.name === "queued") return now + OFFERED_MS;
  if (phase.name !== "running") return now + MARGIN_MS;
  const end = delivery.type === "pull" ? phase.leaseEndsAt : phase.startedAt + timeoutSeconds * SECOND;
  return Math.max(end, now) + MARGIN_MS;
}
