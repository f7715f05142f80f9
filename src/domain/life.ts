// The life of a job, one function per transition: pure, decided here and written by its owner. `now`, chance and ids
// are arguments. Every change counts the revision up.

import { hasMade, remembering } from "./bulk-action.ts";
import { eventsOf } from "./event.ts";
import { inLine, lookAfterMs } from "./flow-claim.ts";
import { formatInstant } from "./instant.ts";
import {
  type Ended,
  type Execution,
  expiryOf,
  type Fault,
  isEnded,
  type Job,
  type JobEdit,
  type JobSpec,
  type PushResponse,
  type Running,
  type SigningState,
  statusOf,
  type Trigger,
  type Waiting,
  workOf,
} from "./job.ts";
import type { JsonText } from "./json-text.ts";
import type { StateRefusal } from "./refusal.ts";
import { err, ok, type Result } from "./result.ts";
import { backoffMs, MAX_INTERRUPTED_MS, retryDelayMs } from "./retry-policy.ts";
import { cut } from "./text.ts";
import { REPORT_AFTER_MS } from "./timer.ts";

export type Step = Result<Job, StateRefusal>;

/** How an attempt ended, as its delivery or its worker tells it. */
export type Outcome =
  | { readonly kind: "completed"; readonly response?: PushResponse; readonly result?: JsonText | null }
  | {
      readonly kind: "failed" | "timed_out";
      readonly error: Fault;
      readonly response?: PushResponse;
      readonly retryable: boolean;
      /** A lower bound the target asked for. */
      readonly retryAfterMs: number | null;
    };

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** A queued execution is offered again after these, then hourly: what a queue may have lost comes back. */
const OFFER_AGAIN_MS = [MINUTE, 5 * MINUTE, 30 * MINUTE] as const;
/** A consumer Worker's own queue is durable; its message is only sent again once a day. */
const NAMED_OFFER_AGAIN_MS = 24 * HOUR;

const OFFER_SOON_MS = 30 * SECOND;

const MAX_MESSAGE_LENGTH = 4_096;

/** A suspended account's due jobs look again after a minute and half their lateness, at most 15 min. */
const MAX_HOLD_MS = 15 * MINUTE;

/** A job as its owner first stores it: waiting for its time. */
export function arm(spec: JobSpec, signing: SigningState | null): Job {
  return {
    ...spec,
    v: 1,
    updatedAt: spec.createdAt,
    revision: 1,
    editedAt: 0,
    operation: null,
    expiresAt: expiryOf(spec, spec.scheduledFor),
    attempt: 0,
    started: 0,
    tries: 0,
    interruptions: 0,
    interruptedSince: null,
    lastError: null,
    signing,
    phase: { name: "waiting", runAt: spec.scheduledFor, trigger: "scheduled" },
    claim: null,
    untold: [],
    executions: [],
    reportAt: null,
    failedReports: 0,
    keepUntil: 0,
  };
}

/** A due push job begins its next attempt. Undefined when it is not due: an alarm that rings early does nothing. */
export function start(job: Job, executionId: string, now: number): Job | undefined {
  const due = begin(job, executionId, now);
  if (!due) return undefined;
  return {
    ...due,
    started: due.started + 1,
    phase: runningFrom(job, executionId, now),
    executions: withNewest(due, { status: "running", startedAt: now }),
  };
}

/** A due pull job gets an execution that waits for a worker. Undefined when it is not due. */
export function enqueue(job: Job, executionId: string, now: number): Job | undefined {
  const due = begin(job, executionId, now);
  if (!due) return undefined;
  return {
    ...due,
    phase: { name: "queued", executionId, since: now, offers: 1, offerAt: now + OFFER_AGAIN_MS[0] },
  };
}

/** Its first offer was taken. Until then it is repeated soon, also one to a named queue: its owner may die before it has sent it. */
export function offerTaken(job: Job, now: number): Job {
  const { phase, delivery } = job;
  const isDurable = phase.name === "queued" && delivery.type === "pull" && delivery.queue !== null;
  return isDurable ? { ...job, phase: { ...phase, offerAt: now + NAMED_OFFER_AGAIN_MS } } : job;
}

/** The same execution is offered again, because no worker has come for it. */
export function offerAgain(job: Job, now: number): Job | undefined {
  const { phase } = job;
  if (phase.name !== "queued" || now < phase.offerAt) return undefined;
  const offers = phase.offers + 1;
  return changed(job, now, { phase: { ...phase, offers, offerAt: now + offerAgainMs(job, offers) } });
}

/** No queue took the offer: it is made again soon. */
export function offerSoon(job: Job, now: number): Job {
  const { phase } = job;
  return phase.name === "queued" ? { ...job, phase: { ...phase, offerAt: now + OFFER_SOON_MS } } : job;
}

/** A worker takes the lease of a queued execution. */
export function lease(job: Job, executionId: string, workerId: string | null, now: number): Step {
  const { phase } = job;
  if (phase.name !== "queued" || phase.executionId !== executionId || isTooLate(job, now)) return leaseLost(job);
  const leased = changed(job, now, {
    started: job.started + 1,
    phase: runningFrom(job, executionId, now),
  });
  return ok({ ...leased, executions: withNewest(leased, { status: "running", startedAt: now, workerId }) });
}

/** A worker that was given the lease has gone before it learned of it: the execution waits again, nothing is burned. */
export function release(job: Job, executionId: string, now: number): Step {
  const running = worker(job, executionId, now);
  if (!running.ok) return running;
  const released = changed(job, now, {
    started: job.started - 1,
    phase: { name: "queued", executionId, since: now, offers: 1, offerAt: now + offerAgainMs(job, 1) },
  });
  return ok({ ...released, executions: withNewest(released, { status: "queued", startedAt: null, workerId: null }) });
}

/**
 * The worker is alive: its lease lasts another `timeout` from now, never less than before.
 *
 * @param progress how far it is; null: nothing new
 */
export function heartbeat(job: Job, executionId: string, now: number, progress: JsonText | null = null): Step {
  const running = worker(job, executionId, now);
  if (!running.ok) return running;
  const leaseEndsAt = Math.max(running.value.leaseEndsAt, now + job.timeoutSeconds * SECOND);
  const { reportAt, failedReports } = job; // a beat is no news until the lease that was reported would have ended
  const beaten = changed(job, now, { phase: { ...running.value, leaseEndsAt }, reportAt, failedReports });
  return ok(progress === null ? beaten : { ...beaten, executions: withNewest(beaten, { progress }) });
}

/** An attempt's outcome ends the job or sends it into its next wait, if the attempt still holds the lease. */
export function settle(job: Job, executionId: string, outcome: Outcome, chance: number, now: number): Step {
  const running = holder(job, executionId, now);
  if (!running.ok) return running;
  return ok(outcome.kind === "completed" ? completed(job, outcome, now) : failed(job, outcome, chance, now));
}

/** A worker's report on an execution it holds. What we push we settle ourselves, whatever the target says elsewhere. */
export function report(job: Job, executionId: string, outcome: Outcome, chance: number, now: number): Step {
  const running = worker(job, executionId, now);
  return running.ok ? settle(job, executionId, outcome, chance, now) : running;
}

/** A pull worker let its lease end without a report. Undefined while the lease lasts. */
export function expire(job: Job, chance: number, now: number): Job | undefined {
  const { phase } = job;
  if (phase.name !== "running" || job.delivery.type !== "pull" || now < phase.leaseEndsAt) return undefined;
  const error: Fault = { code: "lease_expired", message: `The worker did not report within ${job.timeoutSeconds} s.` };
  return failed(job, { kind: "timed_out", error, retryable: true, retryAfterMs: null }, chance, now);
}

/**
 * The service itself died in the middle of a push. It costs no retry; the next attempt backs off by the interruptions
 * in a row. A job that met nothing else for a day fails. Undefined when no push is running: a lease is never interrupted.
 */
export function interrupt(job: Job, chance: number, now: number): Job | undefined {
  if (job.phase.name !== "running" || job.delivery.type !== "push") return undefined;
  const error: Fault = { code: "platform", message: "The service stopped in the middle of this attempt." };
  const interruptions = job.interruptions + 1;
  const interruptedSince = job.interruptedSince ?? now;
  const met = changed(job, now, { interruptions, interruptedSince, lastError: error });
  const executions = withNewest(met, { status: "interrupted", completedAt: now, error });
  if (now - interruptedSince >= MAX_INTERRUPTED_MS) return { ...met, executions, phase: ended("failed", now) };
  return { ...met, executions, phase: waiting(now + backoffMs(interruptions, chance), "system_retry") };
}

/** Ends a job that has not ended. What is in flight can no longer change it. */
export function cancel(job: Job, now: number): Step {
  if (isEnded(job.phase)) return err({ code: "job_not_cancellable", status: statusOf(job) });
  return ok(endedEarly(job, now, { phase: ended("cancelled", now) }));
}

/**
 * No attempt has begun in time: the job fails with `expired`. One that has begun goes on. Undefined while there is time, or
 * when nothing waits.
 */
export function giveUp(job: Job, now: number): Job | undefined {
  const waits = job.phase.name === "waiting" || job.phase.name === "queued";
  if (!waits || !isTooLate(job, now)) return undefined;
  const lastError: Fault = { code: "expired", message: cut(whyExpired(job), MAX_MESSAGE_LENGTH) };
  return endedEarly(job, now, { lastError, phase: ended("failed", now) });
}

/** A job that has not begun is another one from now on; one that is to be tried again keeps its time. */
export function edit(job: Job, asked: JobEdit, now: number): Step {
  const { scheduledFor, retimed, traceparent = job.traceparent, ...work } = asked;
  const { phase } = job;
  if (phase.name !== "waiting" || (retimed && phase.trigger === "system_retry"))
    return err({ code: "job_not_editable", status: statusOf(job) });
  const reckonedAnew = retimed || work.expiresAfterMs !== job.expiresAfterMs;
  const edited = changed(job, now, {
    ...workOf(work),
    scheduledFor,
    traceparent,
    expiresAt: reckonedAnew ? expiryOf(work, scheduledFor) : job.expiresAt,
    phase: retimed ? waiting(scheduledFor, phase.trigger) : phase,
  });
  return ok({ ...edited, editedAt: edited.revision });
}

/** Another job has the key from now on. The read model does not hold that yet; nobody else is told again. */
export function dropKey(job: Job, now: number): Step {
  if (job.idempotencyKey === null) return ok(job);
  const phase = isEnded(job.phase) ? { ...job.phase, confirmed: false } : job.phase;
  const dropped = changed(job, now, { idempotencyKey: null, phase });
  return ok({ ...dropped, editedAt: dropped.revision });
}

/** A job that waits for its time is due now. One that stands in the line of its flow keeps its place. */
export function run(job: Job, now: number): Step {
  const { phase, claim } = job;
  if (phase.name !== "waiting") return err({ code: "job_not_runnable", status: statusOf(job) });
  const runAt = claim === null ? now : Math.min(phase.runAt, now);
  return ok(changed(job, now, { phase: waiting(runAt, "manual_run") }));
}

/** A change that a bulk action makes. It may be asked for again after a crash, and is made once. */
export const onceFor =
  (operation: string | null, step: (job: Job, now: number) => Step) =>
  (job: Job, now: number): Step => {
    if (operation === null) return step(job, now);
    if (hasMade(job.operation, operation)) return ok(job);
    const next = step(job, now);
    return next.ok ? ok({ ...next.value, operation: remembering(job.operation, operation) }) : next;
  };

/** A failed or cancelled job is due now, with a fresh budget of retries and of time. Whoever is to be told of its end still is. */
export function retry(job: Job, now: number): Step {
  const { phase } = job;
  if (phase.name !== "failed" && phase.name !== "cancelled")
    return err({ code: "job_not_retryable", status: statusOf(job) });
  const fresh = { tries: 0, interruptions: 0, interruptedSince: null, expiresAt: expiryOf(job, now) };
  return ok(changed(job, now, { ...fresh, phase: waiting(now, "manual_retry"), untold: eventsOf(job) }));
}

/** A due job that may not start waits on; its `runAt` stays, so that its lateness is told truly. */
export function hold(job: Job, now: number, heldFor: Waiting["heldFor"] = "suspended"): Job {
  if (job.phase.name !== "waiting") return job;
  const heldUntil = now + Math.min(MINUTE + Math.floor((now - job.phase.runAt) / 2), MAX_HOLD_MS);
  return changed(job, now, { phase: { ...job.phase, heldUntil, heldFor } });
}

/** A due job whose turn it is not in its flow waits to be called; one that was offered already is offered to nobody meanwhile. */
export function standInLine(job: Job, now: number): Job {
  const { phase } = job;
  if (phase.name === "queued")
    return changed(inLine(job), now, { phase: { ...phase, offerAt: now + lookAfterMs(phase.since, now) } });
  if (phase.name !== "waiting") return job;
  const heldUntil = now + lookAfterMs(phase.runAt, now);
  return changed(inLine(job), now, { phase: { ...phase, heldUntil, heldFor: "flow" } });
}

/** Whether the fence lets this execution speak: it is the one in flight and, for a pull worker, its lease lasts. */
function holder(job: Job, executionId: string, now: number) {
  const { phase } = job;
  if (phase.name !== "running" || phase.executionId !== executionId) return leaseLost(job);
  if (job.delivery.type === "pull" && now >= phase.leaseEndsAt) return leaseLost(job);
  return ok(phase);
}

/** The same for somebody outside: only the lease of a pull job is ever in other hands. */
const worker = (job: Job, executionId: string, now: number) =>
  job.delivery.type === "pull" ? holder(job, executionId, now) : leaseLost(job);

const leaseLost = (job: Job) => err<StateRefusal>({ code: "lease_lost", status: statusOf(job) });

/** The start of an attempt, common to push and pull: a new execution, numbered on. */
function begin(job: Job, id: string, now: number): Job | undefined {
  const { phase } = job;
  if (phase.name !== "waiting" || now < phase.runAt || isTooLate(job, now)) return undefined;
  const attempt = job.attempt + 1;
  const begun = changed(job, now, { attempt });
  const execution: Execution = {
    id,
    attempt,
    trigger: phase.trigger,
    status: "queued",
    workerId: null,
    dueAt: phase.runAt,
    startedAt: null,
    completedAt: null,
    response: null,
    error: null,
    progress: null,
    revision: begun.revision,
  };
  return { ...begun, executions: [...job.executions, execution] };
}

function completed(job: Job, { response, result }: Outcome & { kind: "completed" }, now: number): Job {
  const done = changed(job, now, {
    interruptions: 0,
    interruptedSince: null,
    phase: { ...ended("completed", now), result: result ?? null },
  });
  return {
    ...done,
    executions: withNewest(done, { status: "completed", completedAt: now, response: response ?? null }),
  };
}

function failed(job: Job, outcome: Exclude<Outcome, { kind: "completed" }>, chance: number, now: number): Job {
  const { error, retryable, retryAfterMs, response } = outcome;
  const tries = job.tries + 1;
  const again = retryable && tries <= job.maxRetries;
  const met = changed(job, now, {
    tries,
    interruptions: 0,
    interruptedSince: null,
    lastError: error,
    phase: again
      ? waiting(now + retryDelayMs(job.backoff, tries, chance, retryAfterMs), "system_retry")
      : ended("failed", now),
  });
  const end = { status: outcome.kind, completedAt: now, error, response: response ?? null };
  return { ...met, executions: withNewest(met, end) };
}

const runningFrom = (job: Job, executionId: string, now: number): Running => ({
  name: "running",
  executionId,
  startedAt: now,
  leaseEndsAt: now + job.timeoutSeconds * SECOND,
});

const waiting = (runAt: number, trigger: Trigger) => ({ name: "waiting", runAt, trigger }) as const;

const isTooLate = ({ expiresAt }: Job, now: number): boolean => expiresAt !== null && now >= expiresAt;

function whyExpired({ phase, expiresAt, lastError }: Job): string {
  const until = formatInstant(expiresAt ?? 0);
  if (phase.name === "queued") return `No worker took it before ${until}.`;
  const last = lastError ? ` The last attempt failed: ${lastError.message}` : "";
  return `No attempt could start before ${until}.${last}`;
}

/** The end of a job whose open execution, if there is one, comes to nothing. */
function endedEarly(job: Job, now: number, patch: Partial<Job>): Job {
  const open = job.phase.name === "queued" || job.phase.name === "running";
  const over = changed(job, now, patch);
  return open ? { ...over, executions: withNewest(over, { status: "cancelled", completedAt: now }) } : over;
}

const ended = (name: Ended["name"], now: number): Ended => ({
  name,
  endedAt: now,
  result: null,
  announced: false,
  confirmed: false,
});

function offerAgainMs(job: Job, offers: number): number {
  if (job.delivery.type === "pull" && job.delivery.queue !== null) return NAMED_OFFER_AGAIN_MS;
  return OFFER_AGAIN_MS[offers - 1] ?? HOUR;
}

/** Whoever changes a job reports it at once or, if it may soon change again, leaves that to the timer. */
const changed = (job: Job, now: number, patch: Partial<Job>): Job => ({
  ...job,
  reportAt: now + REPORT_AFTER_MS,
  failedReports: 0,
  ...patch,
  updatedAt: now,
  revision: job.revision + 1,
});

/** The newest execution, changed at the job's present revision. */
function withNewest(job: Job, patch: Partial<Execution>): readonly Execution[] {
  return job.executions.map((one, i) =>
    i === job.executions.length - 1 ? { ...one, ...patch, revision: job.revision } : one,
  );
}
