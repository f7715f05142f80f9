// Between D1's rows and the domain's shapes: what is inserted for a new job, and what a row says of one.

import { createdAtOf } from "../domain/ids.ts";
import {
  type Execution,
  expiryOf,
  type Fault,
  isOver,
  type Job,
  type JobSpec,
  type JobView,
  type Phase,
  type Trigger,
  type Waiting,
} from "../domain/job.ts";
import { CONTESTED_MS, KEEP_MS, OWNERLESS_MS, SOON_MS } from "../domain/timer.ts";
import type { Wait } from "../domain/waiting-on.ts";
import type { jobs } from "./schema.ts";

export type JobRow = typeof jobs.$inferSelect;
export type NewJobRow = typeof jobs.$inferInsert;

/** The intent: a row that its owner has not seen yet. */
export function rowOfSpec(spec: JobSpec): NewJobRow {
  const { createdAt, tags, ...columns } = spec;
  return {
    ...columns,
    tags: tags.length > 0 ? tags : null,
    expiresAt: expiryOf(spec, spec.scheduledFor),
    status: "pending",
    runAt: spec.scheduledFor,
    updatedAt: createdAt,
    reportDueAt: Math.max(spec.scheduledFor, createdAt), // the job of a tick that was held up is due before it is made
  };
}

export const viewOfRow = (row: JobRow): JobView => ({
  ...specOfRow(row),
  status: row.status,
  revision: revisionOf(row),
  runAt: row.runAt,
  expiresAt: row.expiresAt,
  attempts: row.started,
  lastError: row.lastError,
  result: row.result,
  updatedAt: row.updatedAt,
  completedAt: row.completedAt,
});

/** The revision a row has, as its owner will count it: taking it up is no change. */
const revisionOf = ({ revision }: JobRow): number => (revision > 0 ? revision : 1 - revision);

/**
 * Nobody has armed a job that is due beyond the horizon: its row is the whole truth, is changed itself, and a question would
 * make its object.
 */
export const isOwnerless = (row: JobRow, now: number): boolean => isUnowned(row, now + OWNERLESS_MS);

/** Whether somebody whose clock is behind may take the row for one without an owner. */
export const isContested = (row: JobRow, now: number): boolean => isUnowned(row, now + CONTESTED_MS);

/** Whoever makes a job that is due soon arms it before the answer: one that has not been heard of may have lost its `arm`. */
export const isOwedAnOwner = (row: JobRow, now: number): boolean =>
  row.revision <= 0 && row.runAt !== null && row.runAt < now + SOON_MS && !hasEnded(row);

const isUnowned = ({ revision, runAt }: JobRow, dueAfter: number): boolean =>
  revision <= 0 && runAt !== null && runAt > dueAfter;

const specOfRow = (row: JobRow): JobSpec => ({
  accountId: row.accountId,
  id: row.id,
  scheduleId: row.scheduleId,
  origin: row.origin,
  name: row.name,
  handler: row.handler,
  payload: row.payload,
  delivery: row.delivery,
  timeoutSeconds: row.timeoutSeconds,
  maxRetries: row.maxRetries,
  backoff: row.backoff,
  expiresAfterMs: row.expiresAfterMs,
  tags: row.tags ?? [],
  flow: row.flow,
  callbacks: row.callbacks,
  idempotencyKey: row.idempotencyKey,
  traceparent: row.traceparent,
  scheduledFor: row.scheduledFor,
  createdAt: createdAtOf(row.id),
});

/** A job that has just been inserted. */
export const viewOfSpec = (spec: JobSpec): JobView => ({
  ...spec,
  status: "pending",
  revision: 1,
  runAt: spec.scheduledFor,
  expiresAt: expiryOf(spec, spec.scheduledFor),
  attempts: 0,
  lastError: null,
  result: null,
  updatedAt: spec.createdAt,
  completedAt: null,
});

/**
 * The newest execution, as far as it fits into the job's row; undefined before the first. Its revision is 0: what is stored apart
 * of it is more complete, and is never overwritten by this.
 */
export function executionOfRow(row: JobRow): Execution | undefined {
  const { executionId, executionTrigger, executionStatus } = row;
  if (executionId === null || executionTrigger === null || executionStatus === null) return undefined;
  return {
    id: executionId,
    attempt: row.attempt,
    trigger: executionTrigger,
    status: executionStatus,
    workerId: row.workerId,
    dueAt: row.dueAt ?? row.scheduledFor,
    startedAt: row.startedAt,
    completedAt: row.settledAt,
    response: row.response,
    error: FAILED.has(executionStatus) ? row.lastError : null,
    progress: row.progress,
    revision: 0,
  };
}

const FAILED: ReadonlySet<string> = new Set(["failed", "timed_out", "interrupted"]);

export const hasEnded = ({ status }: Pick<JobRow, "status">): boolean => isOver(status);

const LOST: Fault = { code: "platform", message: "The service lost the state of this attempt." };

/**
 * The job a row stands for, for an owner that holds nothing. A row found `queued` or `running` by an empty owner has
 * lost its attempt with the owner's state: it is interrupted and due again, its numbers go on.
 *
 * @returns undefined when the row has ended: then the row is the whole truth
 */
export function jobOfRow(row: JobRow, now: number): Job | undefined {
  if (hasEnded(row)) return undefined;
  const waits = row.status === "pending" || row.status === "retrying";
  const phase: Phase = { name: "waiting", runAt: waits ? (row.runAt ?? now) : now, trigger: triggerOf(row) };
  const revision = row.revision > 0 ? row.revision + 1 : revisionOf(row);
  const known = executionOfRow(row);
  const lost = known && { ...known, status: "interrupted" as const, completedAt: now, error: LOST, revision };
  const execution = waits ? known : lost;
  return {
    ...specOfRow(row),
    v: 1,
    updatedAt: row.updatedAt,
    revision,
    editedAt: 0,
    operation: row.operation,
    expiresAt: row.expiresAt,
    attempt: row.attempt,
    started: row.started,
    tries: row.tries,
    interruptions: row.interruptions,
    interruptedSince: null,
    lastError: waits ? row.lastError : LOST,
    signing: null,
    phase,
    claim: null,
    untold: [],
    executions: execution ? [execution] : [],
    reportAt: waits ? null : now,
    failedReports: 0,
    keepUntil: createdAtOf(row.id) + KEEP_MS,
  };
}

/** The wait of a job without an owner; null when it has ended, or was running. What was lost with its owner is due. */
export function waitOfRow(row: JobRow): Wait | null {
  if (hasEnded(row) || row.status === "running") return null;
  const phase: Waiting = { name: "waiting", runAt: row.runAt ?? row.scheduledFor, trigger: triggerOf(row) };
  return { phase, attempt: row.attempt, endedAt: row.settledAt, standing: null };
}

const triggerOf = ({ status, trigger, attempt }: JobRow): Trigger =>
  trigger ?? (status === "retrying" || attempt > 0 ? "system_retry" : "scheduled");
