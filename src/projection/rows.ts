// Between D1's rows and the domain's shapes: what is inserted for a new job, and what a row says of one.

import type { Job, JobSpec, JobView, Phase, Trigger } from "../domain/job.ts";
import { unarmedAttentionAt } from "../domain/timer.ts";
import type { executions, jobs } from "./schema.ts";

export type JobRow = typeof jobs.$inferSelect;
export type NewJobRow = typeof jobs.$inferInsert;
export type ExecutionRow = typeof executions.$inferSelect;

/** The intent: a row that its owner has not seen yet. */
export function rowOfSpec(spec: JobSpec): NewJobRow {
  return {
    ...spec,
    status: "pending",
    runAt: spec.scheduledFor,
    updatedAt: spec.createdAt,
    attentionAt: unarmedAttentionAt(spec.scheduledFor, spec.createdAt),
  };
}

export function viewOfRow(row: JobRow): JobView {
  const { attempt, started, tries, interruptions, revision, attentionAt, sweeps, ...rest } = row;
  return { ...rest, attempts: started };
}

/** A job that has just been inserted. */
export const viewOfSpec = (spec: JobSpec): JobView => ({
  ...spec,
  status: "pending",
  runAt: spec.scheduledFor,
  attempts: 0,
  lastError: null,
  result: null,
  updatedAt: spec.createdAt,
  completedAt: null,
});

export const hasEnded = ({ status }: JobRow): boolean =>
  status === "completed" || status === "failed" || status === "cancelled";

/**
 * The job a row stands for, for an owner that holds nothing. A row found `queued` or `running` by an empty owner has
 * lost its attempt with the owner's state: it is due again, its numbers go on.
 *
 * @returns undefined when the row has ended: then the row is the whole truth
 */
export function jobOfRow(row: JobRow, now: number): Job | undefined {
  if (hasEnded(row)) return undefined;
  const { status, runAt, completedAt, result, attentionAt, sweeps, revision, ...rest } = row;
  const waits = status === "pending" || status === "retrying";
  const phase: Phase = { name: "waiting", runAt: waits ? (runAt ?? now) : now, trigger: triggerOf(row) };
  return { ...rest, v: 1, revision: revision + 1, interruptedSince: null, signing: null, phase, executions: [] };
}

/** A pending row that has had attempts can only have been taken back to life by hand. */
function triggerOf({ attempt, status }: JobRow): Trigger {
  if (attempt === 0) return "scheduled";
  return status === "pending" ? "manual_retry" : "system_retry";
}
