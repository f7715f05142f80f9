// What an owner reports to the read model: the state of a job at a revision, with its newest execution, and the executions
// that have no place in its row; never the payload. Of a schedule, all of it.

import { type EventType, pendingTypes, webhookOf } from "../domain/event.ts";
import {
  type Execution,
  type ExecutionStatus,
  type Fault,
  isEnded,
  type Job,
  type JobSpec,
  type JobStatus,
  newest,
  type PushResponse,
  runAtOf,
  specOf,
  statusOf,
  type Trigger,
  type Work,
  workOf,
} from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import type { Schedule } from "../domain/schedule.ts";
import { bytesOf } from "../domain/text.ts";
import { reportDueAt } from "../domain/timer.ts";
import { type NewJobRow, rowOfSpec } from "./rows.ts";

/**
 * A row of a `WITHOUT ROWID` table beyond 1,002 bytes takes a page of 4 KB of its own. These are counted on what varies in
 * length; the rest (ids, numbers, names of states) takes up to 250.
 */
const MAX_VARYING_BYTES = 700;

/** The columns of a row that change in a job's life. */
export interface JobFacts {
  readonly status: JobStatus;
  readonly reportDueAt: number | null;
  readonly runAt: number | null;
  readonly expiresAt: number | null;
  readonly trigger: Trigger | null;
  readonly operation: string | null;
  readonly attempt: number;
  readonly started: number;
  readonly tries: number;
  readonly interruptions: number;
  readonly lastError: Fault | null;
  readonly result: JsonText | null;
  readonly updatedAt: number;
  readonly completedAt: number | null;
  readonly executionId: string | null;
  readonly executionTrigger: Trigger | null;
  readonly executionStatus: ExecutionStatus | null;
  readonly workerId: string | null;
  readonly dueAt: number | null;
  readonly startedAt: number | null;
  readonly settledAt: number | null;
  readonly response: PushResponse | null;
  readonly progress: JsonText | null;
}

/** The columns of a row that only a person changes. */
export type Asked = Pick<NewJobRow, keyof Work | "idempotencyKey" | "traceparent" | "scheduledFor">;

export interface JobReport {
  readonly kind: "job";
  readonly accountId: string;
  readonly id: string;
  readonly revision: number;
  readonly facts: JobFacts;
  /** What was asked for, while the read model does not hold a change of that. */
  readonly asked: Asked | null;
  /** Executions for their own table. */
  readonly apart: readonly Execution[];
  /** The events of an end that nobody has been told of yet; empty for all others. */
  readonly announces: readonly EventType[];
  /** What this revision's attempt says of the webhook it went to; null when it says nothing. */
  readonly health: WebhookHealth | null;
}

/** How a delivery to a webhook went. */
export interface WebhookHealth {
  readonly webhookId: string;
  readonly at: number;
  /** null: it was taken. */
  readonly failure: string | null;
}

export interface ScheduleReport {
  readonly kind: "schedule";
  readonly accountId: string;
  readonly id: string;
  readonly revision: number;
  readonly schedule: Schedule;
  readonly announces: readonly EventType[];
}

export type Report = JobReport | ScheduleReport;

export function reportOf(job: Job): JobReport {
  const { accountId, id, revision } = job;
  const last = newest(job);
  const isLarge = last !== undefined && !fitsRow(job, last);
  return {
    kind: "job",
    accountId,
    id,
    revision,
    facts: factsOf(job, isLarge ? { ...last, response: null, progress: null } : last),
    asked: job.editedAt > 0 ? askedOf(job) : null,
    apart: isLarge || isHidden(job, last) ? job.executions : job.executions.slice(0, -1),
    announces: pendingTypes(job),
    health: healthOf(job, last),
  };
}

/** Only the revision that settled the attempt tells of it: repeated by a later one, it would be old news. */
function healthOf(job: Job, last: Execution | undefined): WebhookHealth | null {
  const webhookId = webhookOf(job);
  if (webhookId === null || last?.completedAt == null || last.revision !== job.revision) return null;
  if (last.status === "completed") return { webhookId, at: last.completedAt, failure: null };
  if (last.status !== "failed" && last.status !== "timed_out") return null;
  const failure = last.response ? `${last.error?.code} ${last.response.status}` : (last.error?.code ?? last.status);
  return { webhookId, at: last.completedAt, failure };
}

export const reportOfSchedule = (schedule: Schedule): ScheduleReport => ({
  kind: "schedule",
  accountId: schedule.accountId,
  id: schedule.id,
  revision: schedule.revision,
  schedule,
  announces: [...new Set(schedule.news.map(({ type }) => type))],
});

/** A row for a job whose own is gone although it lives: D1 was taken back to an earlier moment. */
export const rowOfJob = (job: Job): NewJobRow => ({
  ...rowOfSpec(specOf(job)),
  ...reportOf(job).facts,
  revision: job.revision,
});

const isManual = (trigger: Trigger): boolean => trigger === "manual_retry" || trigger === "manual_run";

export const askedOf = (job: JobSpec): Asked => ({
  ...workOf(job),
  tags: job.tags.length > 0 ? job.tags : null,
  idempotencyKey: job.idempotencyKey,
  traceparent: job.traceparent,
  scheduledFor: job.scheduledFor,
});

function factsOf(job: Job, execution: Execution | undefined): JobFacts {
  const { phase } = job;
  return {
    status: statusOf(job),
    reportDueAt: reportDueAt(job),
    runAt: runAtOf(job),
    expiresAt: job.expiresAt,
    trigger: phase.name === "waiting" && isManual(phase.trigger) ? phase.trigger : null,
    operation: job.operation,
    attempt: job.attempt,
    started: job.started,
    tries: job.tries,
    interruptions: job.interruptions,
    lastError: job.lastError,
    result: isEnded(phase) ? phase.result : null,
    updatedAt: job.updatedAt,
    completedAt: isEnded(phase) ? phase.endedAt : null,
    executionId: execution?.id ?? null,
    executionTrigger: execution?.trigger ?? null,
    executionStatus: execution?.status ?? null,
    workerId: execution?.workerId ?? null,
    dueAt: execution?.dueAt ?? null,
    startedAt: execution?.startedAt ?? null,
    settledAt: execution?.completedAt ?? null,
    response: execution?.response ?? null,
    progress: execution?.progress ?? null,
  };
}

/** The row shows an attempt's error as the job's last one, and the job has met another since. */
const isHidden = ({ lastError }: Job, last: Execution | undefined): boolean =>
  lastError?.code === "expired" && last?.error != null;

/** An execution without a response and without progress has nothing to take away: then the row is as long as it is. */
function fitsRow(job: Job, { response, progress, workerId }: Execution): boolean {
  if (response === null && progress === null) return true;
  const { name, handler, delivery, backoff, tags, flow, callbacks, idempotencyKey, traceparent } = job;
  const { operation, lastError } = job;
  const asked = [name, handler, delivery, backoff, tags, flow, callbacks, idempotencyKey, traceparent];
  const varying = [...asked, operation, lastError, workerId, response, progress];
  return bytesOf(JSON.stringify(varying)) <= MAX_VARYING_BYTES;
}
