// Why a job has not run yet: one reason, and a sentence a person can act on. Pure: a job's wait, facts and the moment are arguments.

import type { FlowView, Ticket } from "./flow.ts";
import { isClaimNeeded, ticketOf } from "./flow-claim.ts";
import type { QueueView } from "./handler.ts";
import { type Fault, type Job, type JobView, newest, type Queued, type Waiting } from "./job.ts";
import { cut } from "./text.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/**
 * - `not_due`: its time has not come
 * - `backoff`: an attempt failed, and the next one waits for its time
 * - `flow_paused`: it is due, and its flow is paused
 * - `flow_limited`: it is due, and others of its flow come first
 * - `waiting_for_worker`: it is due, and workers ask for its handler
 * - `no_worker`: it is due, and nobody has asked for its handler for a minute
 * - `queue_not_bound`: it is due, and the Cloudflare Queue it names is not bound to the service
 * - `account_suspended`: it was due while the account was suspended, and has not looked again yet
 * - `overdue`: it is due, and the service is behind
 */
export type WaitingReason =
  | "not_due"
  | "backoff"
  | "flow_paused"
  | "flow_limited"
  | "waiting_for_worker"
  | "no_worker"
  | "queue_not_bound"
  | "account_suspended"
  | "overdue";

export interface WaitingOn {
  readonly reason: WaitingReason;
  /** For people. */
  readonly message: string;
  /** Since when the job waits for this reason. */
  readonly since: number;
  /** When this wait ends by itself, if only because the job expires; null when nobody knows. */
  readonly until: number | null;
}

/** What a job's owner, or the row of a job without one, knows of its wait beside the job's view. */
export interface Wait {
  readonly phase: Waiting | Queued;
  /** The number of the newest execution; 0 before the first. */
  readonly attempt: number;
  /** When the newest execution ended. */
  readonly endedAt: number | null;
  /** The attempt that stands in the line of the job's flow; null when none does. */
  readonly standing: Ticket | null;
}

/** What others know of it. Only a queued job has any. */
export interface WaitFacts {
  /** The binding that the named queue lacks; null when it is bound, or the job names none. */
  readonly missingBinding: string | null;
  /** What its PullQueue says; null when it was not asked, or did not answer in time. */
  readonly queue: QueueView | null;
  /** What the flow says in whose line it stands; null when it was not asked, or did not answer in time. */
  readonly line: InLine | null;
}

/** A flow, and the place of a job in its line: 1 is the next one; null when it has none. */
export interface InLine {
  readonly flow: FlowView;
  readonly place: number | null;
}

/** A job due no longer than this is about to start: alarms are milliseconds late, in a crowd up to four seconds. */
export const GRACE_MS = 5 * SECOND;

/** A handler that nobody has asked for in so long has no worker. */
export const NO_WORKER_MS = MINUTE;

/** An offer that found no queue is made again within this; one that was taken, not before a minute has passed. */
const OFFERED_AGAIN_SOON_MS = 45 * SECOND;

const MAX_ERROR_LENGTH = 200;

/** The wait of a job; null when it runs or has ended. */
export function waitOf(job: Job): Wait | null {
  const { phase } = job;
  switch (phase.name) {
    case "waiting":
    case "queued":
      return { phase, attempt: job.attempt, endedAt: newest(job)?.completedAt ?? null, standing: standingOf(job) };
    case "running":
    case "completed":
    case "failed":
    case "cancelled":
      return null;
  }
}

const standingOf = (job: Job): Ticket | null =>
  job.claim !== null && job.claim.turnAt === null && isClaimNeeded(job) ? ticketOf(job) : null;

/** Why the job waits at this moment. */
export function waitingOn(job: JobView, wait: Wait, facts: WaitFacts, now: number): WaitingOn {
  const { phase } = wait;
  const found =
    wait.standing !== null
      ? inLine(job, wait.standing.dueAt, facts.line)
      : phase.name === "waiting"
        ? beforeAttempt(job, { ...wait, phase }, now)
        : atWorkers(job, phase, facts, now);
  const { expiresAt } = job;
  if (expiresAt === null || found.reason === "not_due" || found.reason === "backoff") return found;
  return {
    ...found,
    message: `${found.message} If no attempt has started by ${clock(expiresAt)}, the job fails with \`expired\`.`,
    until: Math.min(found.until ?? expiresAt, expiresAt),
  };
}

function beforeAttempt(job: JobView, wait: Wait & { readonly phase: Waiting }, now: number): WaitingOn {
  const { runAt, heldFor } = wait.phase;
  const heldUntil = heldFor === "flow" ? undefined : wait.phase.heldUntil; // it was edited out of its flow, and is about to start
  if (heldUntil !== undefined && now < heldUntil + GRACE_MS)
    return heldFor === "unsigned" ? unsigned(runAt, heldUntil) : suspended(job, runAt, heldUntil);
  if (now >= Math.max(runAt, heldUntil ?? 0) + GRACE_MS) {
    const since = Math.max(runAt, heldUntil ?? 0);
    const message = `Due since ${clock(since)}, and the service is behind. It starts the job by itself, within minutes of being well again: its operator finds the cause in \`/health\` and in the log.`;
    return { reason: "overdue", message, since, until: null };
  }
  return wait.phase.trigger === "system_retry" ? backoff(job, wait, now) : notDue(job, runAt, now);
}

/** Its turn has not come. */
function inLine({ flow: key }: JobView, since: number, line: InLine | null): WaitingOn {
  const due = `Due since ${clock(since)}`;
  if (!line) {
    const message = `${due}; it waits for its turn in the flow \`${key}\`, which could not be asked in time: read the job again in a moment.`;
    return { reason: "flow_limited", message, since, until: null };
  }
  const { flow, place } = line;
  const behind = place === null ? "" : ` It is number ${place} of ${flow.waiting} in line.`;
  if (flow.paused) {
    const message = `${due}, but the flow \`${key}\` is paused.${behind} To go on: \`POST /v1/flows/${encodeURIComponent(flow.key)}/resume\`.`;
    return { reason: "flow_paused", message, since, until: null };
  }
  if (flow.pausedUntil !== null) {
    const message = `${due}, but the flow \`${key}\` has paused itself after failures in a row. It lets one attempt try at ${clock(flow.pausedUntil)}.${behind}`;
    return { reason: "flow_paused", message, since, until: flow.pausedUntil };
  }
  const message = `${due}; it waits for its turn in the flow \`${key}\` (${limitsIn(flow)}).${behind} ${flow.running} ${flow.running === 1 ? "runs" : "run"} now.`;
  return { reason: "flow_limited", message, since, until: null };
}

function limitsIn({ concurrency, rate }: FlowView): string {
  const limits = [
    concurrency === null ? [] : `${concurrency} at once`,
    rate === null
      ? []
      : `${rate.limit} in ${rate.period.value} ${rate.period.unit}${rate.period.value === 1 ? "" : "s"}`,
  ].flat();
  return limits.length === 0 ? "without limits" : limits.join(", ");
}

function notDue(job: JobView, runAt: number, now: number): WaitingOn {
  const message =
    now < runAt ? `Due at ${clock(runAt)}; ${whatFollows(job)}` : `Due since ${clock(runAt)}; it is about to start.`;
  return { reason: "not_due", message, since: job.createdAt, until: runAt };
}

function whatFollows({ delivery, handler }: JobView): string {
  if (delivery.type === "push") return "it runs then.";
  return delivery.queue === null
    ? `workers of \`${handler}\` can take it then.`
    : `it goes to the queue \`${delivery.queue}\` then.`;
}

function backoff(
  job: JobView,
  { phase, attempt, endedAt }: Wait & { readonly phase: Waiting },
  now: number,
): WaitingOn {
  const { expiresAt } = job;
  const failed = `Attempt ${attempt} ${howItWent(job.lastError)}.`;
  const { runAt } = phase;
  const since = endedAt ?? job.updatedAt;
  const next = `Attempt ${attempt + 1}`;
  if (expiresAt !== null && expiresAt <= runAt) {
    const message = `${failed} ${next} would start at ${clock(runAt)}, but the job fails with \`expired\` at ${clock(expiresAt)}.`;
    return { reason: "backoff", message, since, until: expiresAt };
  }
  const then = now < runAt ? `starts at ${clock(runAt)}` : "is about to start";
  return { reason: "backoff", message: `${failed} ${next} ${then}.`, since, until: runAt };
}

function howItWent(error: Fault | null): string {
  if (error === null) return "failed";
  const said = cut(error.message.replace(/\s+/g, " ").trim(), MAX_ERROR_LENGTH).replace(/\.$/, "");
  return `${error.code === "platform" ? "was interrupted" : "failed"} (${error.code}: ${said})`;
}

function suspended({ id }: JobView, runAt: number, heldUntil: number): WaitingOn {
  const message = `The account was suspended when the job came due at ${clock(runAt)}. It looks again at ${clock(heldUntil)}, and runs if the account is active by then. To run it now: \`POST /v1/jobs/${id}/run\`.`;
  return { reason: "account_suspended", message, since: runAt, until: heldUntil };
}

function unsigned(runAt: number, heldUntil: number): WaitingOn {
  const message = `Due since ${clock(runAt)}, but the request cannot be signed: the service has no \`MASTER_KEY\`, or cannot read its database. It tries again at ${clock(heldUntil)}.`;
  return { reason: "overdue", message, since: runAt, until: heldUntil };
}

function atWorkers(job: JobView, phase: Queued, facts: WaitFacts, now: number): WaitingOn {
  const { delivery } = job;
  if (delivery.type === "pull" && delivery.queue !== null) return atQueue(delivery.queue, job, phase, facts, now);
  const handler = job.handler ?? "";
  const { since: queuedAt, offerAt } = phase;
  const since = job.runAt ?? queuedAt;
  const { queue } = facts;
  if (!queue) {
    const message = `Due since ${clock(since)}; it waits for a worker of \`${handler}\`. How many others wait, and who asks for them, could not be found out in time: read the job again in a moment.`;
    return { reason: "waiting_for_worker", message, since, until: null };
  }
  const { lastPollAt, lastPollBy } = queue;
  if (lastPollAt === null || lastPollBy === null || now - lastPollBy >= NO_WORKER_MS) {
    const last = lastPollAt === null ? "in the last 7 days" : `since ${clock(lastPollAt)}`;
    const message = `No worker has asked for \`${handler}\` ${last}; ${howMany(queue.waiting)}. Start a worker for this handler, or check that its API key and handler name are right. A worker that is busy asks again when it has room.`;
    return { reason: "no_worker", message, since: Math.max(since, lastPollAt ?? 0), until: null };
  }
  if (!queue.holds && now >= queuedAt + GRACE_MS) {
    const message = `Due since ${clock(since)}, but it has not reached the workers of \`${handler}\`: the service is behind. It offers the job again at ${clock(offerAt)}.`;
    return { reason: "overdue", message, since, until: offerAt };
  }
  const others =
    queue.waiting > 1 ? `${howMany(queue.waiting)}, the oldest since ${clock(queue.oldestDueAt ?? since)}` : howMany(1);
  const message = `A worker asked for \`${handler}\` last at ${clock(lastPollAt)}; ${others}. The job that is due longest is taken first; more workers take more at a time.`;
  return { reason: "waiting_for_worker", message, since, until: null };
}

/** A named queue's consumer asks nobody: only its queue knows of it. */
function atQueue(name: string, job: JobView, phase: Queued, { missingBinding }: WaitFacts, now: number): WaitingOn {
  const { since: sentAt, offerAt } = phase;
  const since = job.runAt ?? sentAt;
  const isSent = offerAt - now > OFFERED_AGAIN_SOON_MS;
  if (missingBinding !== null) {
    const then = isSent
      ? "It was sent to the queue before: a consumer that still has it can start it."
      : "The job is sent within 30 seconds after that.";
    const message = `Queue \`${name}\` is not bound to this service: bind it as ${missingBinding} and deploy. ${then} Or cancel the job, and create another one.`;
    return { reason: "queue_not_bound", message, since, until: null };
  }
  if (isSent) {
    const message = `Sent to the queue \`${name}\` at ${clock(sentAt)}; its consumer has not started it yet. Check that a Worker consumes the queue, and that its API key is right.`;
    return { reason: "waiting_for_worker", message, since, until: null };
  }
  const message = `Due since ${clock(since)}, but the queue \`${name}\` did not take it. The service sends it again at ${clock(offerAt)}.`;
  return { reason: "overdue", message, since, until: offerAt };
}

const howMany = (waiting: number): string => (waiting > 1 ? `${waiting} jobs wait` : "1 job waits");

/** `2026-01-15 09:00:00 UTC` */
const clock = (at: number): string => `${new Date(at).toISOString().slice(0, 19).replace("T", " ")} UTC`;
