// What a job is: the shapes its owner stores, and the view of it that may leave. How it changes stands in life.ts.

import type { Event } from "./event.ts";
import type { JsonText } from "./json-text.ts";
import type { Backoff } from "./retry-policy.ts";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** How an attempt reaches its handler: we call them, or they ask us. */
export type Delivery =
  | { readonly type: "push"; readonly url: string; readonly method: Method; readonly headers: Record<string, string> }
  | { readonly type: "pull"; readonly queue: string | null };

/** Where a job's end is told (contract §9): a POST to that URL. */
export interface Callback {
  readonly url: string;
  readonly headers: Record<string, string>;
}

/** Who is to be told how a job ended, for each of these ends. */
export interface Callbacks {
  readonly completed: Callback | null;
  readonly failed: Callback | null;
}

/** What made an execution start. */
export type Trigger = "scheduled" | "system_retry" | "manual_retry" | "manual_run";

/** Who made a job. */
export type Origin = "api" | "schedule" | "event";

/** Why an attempt, or a whole job, failed. `message` is for people and at most 4,096 characters. */
export interface Fault {
  readonly code: FaultCode;
  readonly message: string;
}

export const FAULT_CODES = [
  "http_status",
  "timeout",
  "network",
  "redirect",
  "blocked_target",
  "handler_error",
  "lease_expired",
  "platform",
  "expired",
] as const;

export type FaultCode = (typeof FAULT_CODES)[number];

/**
 * Where a job stands. Each phase carries only what is true in it; all times are milliseconds since the epoch.
 *
 *            ┌───────────── retry ──────────────┐
 *            ▼                                  │
 *   ──▶ waiting ──(push)──────────▶ running ──▶ completed │ failed
 *            │                      ▲     │
 *            └──(pull)──▶ queued ───┘     └─ a failure with budget left, an interruption ──▶ waiting
 *
 * and from each of the three, `cancelled`.
 */
export type Phase = Waiting | Queued | Running | Ended;

export interface Waiting {
  readonly name: "waiting";
  readonly runAt: number;
  readonly trigger: Trigger;
  /** Set while it may not start: look again then. */
  readonly heldUntil?: number;
  /** Why: the account is suspended, nobody knows what to sign the request with, or it is not its turn in its flow. */
  readonly heldFor?: "suspended" | "unsigned" | "flow";
}

/** A place in the line of a flow, or a slot: what the flow may hold for an attempt (flow-claim.ts). */
export interface FlowClaim {
  readonly flow: string;
  readonly attempt: number;
  /** When that attempt was due: its place in line. */
  readonly dueAt: number;
  /** When the flow last said that it is its turn; null while it stands in line. */
  readonly turnAt: number | null;
  /** It is needed no more, and giving it back has failed: again then. */
  readonly againAt: number | null;
}

export interface Queued {
  readonly name: "queued";
  readonly executionId: string;
  readonly since: number;
  /** How often it has been offered to workers, and when it is offered again if none has come by then. */
  readonly offers: number;
  readonly offerAt: number;
}

export interface Running {
  readonly name: "running";
  readonly executionId: string;
  readonly startedAt: number;
  readonly leaseEndsAt: number;
}

export interface Ended {
  readonly name: "completed" | "failed" | "cancelled";
  readonly endedAt: number;
  /** What a pull worker returned. */
  readonly result: JsonText | null;
  /** Whether all who are to be told of this end have a job that tells them. */
  readonly announced: boolean;
  /** Whether the read model holds this end and all executions. */
  readonly confirmed: boolean;
}

export type ExecutionStatus = "queued" | "running" | "completed" | "failed" | "timed_out" | "cancelled" | "interrupted";

/** What a push target answered: its first 4 KB. */
export interface PushResponse {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly body: string;
  readonly truncated: boolean;
}

/** One attempt. Its `attempt` numbers the executions of a job from 1 and never restarts. */
export interface Execution {
  readonly id: string;
  readonly attempt: number;
  readonly trigger: Trigger;
  readonly status: ExecutionStatus;
  readonly workerId: string | null;
  readonly dueAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  readonly response: PushResponse | null;
  readonly error: Fault | null;
  /** The progress its worker reported last. */
  readonly progress: JsonText | null;
  /** The job's revision that changed it last. */
  readonly revision: number;
}

/** What is to be done and how: the same for a job and for the schedule that makes it. */
export interface Work {
  readonly name: string;
  readonly handler: string | null;
  readonly payload: JsonText | null;
  readonly delivery: Delivery;
  readonly timeoutSeconds: number;
  readonly maxRetries: number;
  /** null: the rule of contract §3. */
  readonly backoff: Backoff | null;
  /** How long after its nominal time an attempt may still start; null: at any time. */
  readonly expiresAfterMs: number | null;
  readonly tags: readonly string[];
  readonly flow: string | null;
  readonly callbacks: Callbacks | null;
}

/** What was asked for. */
export interface JobSpec extends Work {
  readonly accountId: string;
  readonly id: string;
  readonly scheduleId: string | null;
  readonly origin: Origin;
  readonly idempotencyKey: string | null;
  /** The trace of the request that made it (trace-context.ts): it goes out with each attempt. */
  readonly traceparent: string | null;
  readonly scheduledFor: number;
  readonly createdAt: number;
}

/** What a person may still change of a job that has not begun. */
export interface JobEdit extends Work {
  readonly scheduledFor: number;
  /** Of a job that takes the place of this one; left out, it stays. */
  readonly traceparent?: string | null;
  /** Whether a time was given: then the job is due at that one. */
  readonly retimed: boolean;
}

/** How often an account's signing secret has been rotated, and until when the one before is in force beside it. */
export interface SigningState {
  readonly signingVersion: number;
  readonly overlapEndsAt: number | null;
  /** The master key that this version, and the one before it, was first issued with. */
  readonly masterKeyId: string;
  readonly previousMasterKeyId: string | null;
}

/** A job as its owner stores it. `v` is the version of this shape, see upgrade.ts. */
export interface Job extends JobSpec {
  readonly v: 1;
  readonly updatedAt: number;
  /** Counts the changes; the read model keeps the highest it has seen. */
  readonly revision: number;
  /** The revision that last changed what was asked for, while the read model does not hold that; else 0. */
  readonly editedAt: number;
  /** The bulk actions that changed it last, see bulk-action.ts: repeated, they change nothing. */
  readonly operation: string | null;
  /** No attempt starts from then on. */
  readonly expiresAt: number | null;
  /** The number of the newest execution. */
  readonly attempt: number;
  /** Executions that have started. */
  readonly started: number;
  /** Counted failures since creation or the last manual retry: budget and backoff. */
  readonly tries: number;
  /** Interruptions in a row, and the moment of the first of them. */
  readonly interruptions: number;
  readonly interruptedSince: number | null;
  readonly lastError: Fault | null;
  /** As it was last read: what a delivery is signed with while D1 cannot be asked. */
  readonly signing: SigningState | null;
  readonly phase: Phase;
  /** What its flow may hold for it; null: nothing. */
  readonly claim: FlowClaim | null;
  /** Events of ends that were undone by a manual retry before anybody could be told of them. */
  readonly untold: readonly Event[];
  /** Superseded executions the read model has not confirmed yet, oldest first, and last the newest one. */
  readonly executions: readonly Execution[];
  /** When this revision is reported to the read model (again); null when the read model holds it. */
  readonly reportAt: number | null;
  /** How many reports of this revision have failed. */
  readonly failedReports: number;
  /** Until when an ended job is kept although it is confirmed: an `arm` that is still under way must find it. */
  readonly keepUntil: number;
}

export type JobStatus = "pending" | "queued" | "running" | "retrying" | "completed" | "failed" | "cancelled";

/** The name of a job's phase in the contract. */
export function statusOf({ phase }: Job): JobStatus {
  if (phase.name !== "waiting") return phase.name;
  return phase.trigger === "system_retry" ? "retrying" : "pending";
}

/** The job with the account's signing state as it was read; an older one, from a memory that lags behind, is not taken. */
export const withSigning = (job: Job, signing: SigningState | null): Job =>
  signing === null || signing.signingVersion < (job.signing?.signingVersion ?? 0) ? job : { ...job, signing };

export const isEnded = (phase: Phase): phase is Ended =>
  phase.name === "completed" || phase.name === "failed" || phase.name === "cancelled";

export const isOver = (status: JobStatus): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/** What may be shown of a job to its account, whether it comes from its owner or from the read model. */
export interface JobView extends JobSpec {
  readonly status: JobStatus;
  readonly revision: number;
  readonly runAt: number | null;
  readonly expiresAt: number | null;
  readonly attempts: number;
  readonly lastError: Fault | null;
  readonly result: JsonText | null;
  readonly updatedAt: number;
  readonly completedAt: number | null;
}

/** An execution with what its worker returned. */
export interface ExecutionView extends Execution {
  readonly result: JsonText | null;
}

/** When the next attempt is due, or the present one was; null once the job has ended. */
export function runAtOf(job: Job): number | null {
  if (isEnded(job.phase)) return null;
  return job.phase.name === "waiting" ? job.phase.runAt : (newest(job)?.dueAt ?? job.scheduledFor);
}

/** When a job gives up waiting that is to run at `scheduledFor`. */
export const expiryOf = ({ expiresAfterMs }: Work, scheduledFor: number): number | null =>
  expiresAfterMs === null ? null : scheduledFor + expiresAfterMs;

/** The newest execution that the owner still holds. */
export const newest = (job: Job): Execution | undefined => job.executions.at(-1);

export function viewOf(job: Job): JobView {
  const { phase } = job;
  return {
    ...specOf(job),
    revision: job.revision,
    updatedAt: job.updatedAt,
    expiresAt: job.expiresAt,
    lastError: job.lastError,
    status: statusOf(job),
    runAt: runAtOf(job),
    attempts: job.started,
    result: isEnded(phase) ? phase.result : null,
    completedAt: isEnded(phase) ? phase.endedAt : null,
  };
}

export const workOf = (of: Work): Work => ({
  name: of.name,
  handler: of.handler,
  payload: of.payload,
  delivery: of.delivery,
  timeoutSeconds: of.timeoutSeconds,
  maxRetries: of.maxRetries,
  backoff: of.backoff,
  expiresAfterMs: of.expiresAfterMs,
  tags: of.tags,
  flow: of.flow,
  callbacks: of.callbacks,
});

/** What was asked for, without what became of it. */
export const specOf = (job: JobSpec): JobSpec => ({
  ...workOf(job),
  accountId: job.accountId,
  id: job.id,
  scheduleId: job.scheduleId,
  origin: job.origin,
  idempotencyKey: job.idempotencyKey,
  traceparent: job.traceparent,
  scheduledFor: job.scheduledFor,
  createdAt: job.createdAt,
});

/**
 * True if one copy of an execution is at least as new as another. An execution that has ended does not open again, so a copy that
 * has ended is the newer one.
 */
export function isAsNew(one: Execution, other: Execution): boolean {
  const hasEnded = one.completedAt !== null;
  return hasEnded === (other.completedAt !== null) ? one.revision >= other.revision : hasEnded;
}

/** The execution as its owner shows it; the result is the job's, since the attempt that returns one ends the job. */
export const executionViewOf = (execution: Execution, result: JsonText | null): ExecutionView => ({
  ...execution,
  result: execution.status === "completed" ? result : null,
});
