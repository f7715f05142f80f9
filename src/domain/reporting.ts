// What an owner remembers of its reports to the read model. None of it changes the job or the schedule: the revision stays.

import { eventsOf } from "./event.ts";
import { type Execution, isEnded, type Job, type JobStatus, newest } from "./job.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** What became of a report. */
export type Receipt =
  | WriteReceipt
  /** Nothing is written: somebody asks to be told of this. Its events are made first, and then it is reported again. */
  | "announce";

/** The same with several databases: of an account that moves nothing is written, and its neighbours do not wait for it. */
export type Applied = Receipt | "moving";

/** It is to be reported again. That an account moves is no failure, and nobody is told. */
export type FailedReport = "unavailable" | "refused" | "moving";

export type WriteReceipt =
  /** The read model holds this revision or a newer one. */
  | "stored"
  /** There is no row. */
  | "missing"
  /** The database cannot answer at the moment. */
  | "unavailable"
  /** The database refuses the statement because of a bug in Chronos. */
  | "refused";

/** Owners that could not report learn within a minute that the database is back. */
const MAX_UNAVAILABLE_MS = MINUTE;
/** A refusal is logged each time and needs a person: it is repeated hourly. */
const MAX_REFUSED_MS = 60 * MINUTE;

/** What jobs and schedules have in common here. */
export interface Reporting {
  readonly reportAt: number | null;
  readonly failedReports: number;
}

/** A move refuses reports for seconds. */
const MOVING_MS = 3 * SECOND;

/** So much of a pause is left to chance, or a crowd whose reports failed together would come again together. */
const LEFT_TO_CHANCE = 0.8;

/**
 * The report failed: when it is repeated, doubling from ten seconds to a minute, or to an hour when it was refused, less what chance
 * leaves out.
 *
 * @param random 0 ≤ x < 1
 */
export function reportAgain<T extends Reporting>(state: T, receipt: FailedReport, random: number, now: number): T {
  if (receipt === "moving") return { ...state, reportAt: now + MOVING_MS };
  const failedReports = state.failedReports + 1;
  const longest = receipt === "refused" ? MAX_REFUSED_MS : MAX_UNAVAILABLE_MS;
  const pauseMs = Math.min(5 * SECOND * 2 ** failedReports, longest);
  return { ...state, failedReports, reportAt: now + Math.round(pauseMs * (1 - LEFT_TO_CHANCE * random)) };
}

/**
 * Whether a report that failed is repeated: nothing has changed since, or what has is overdue itself. Beats of a worker leave the
 * moment of the next report where it is: a failed one would otherwise be repeated without a pause.
 *
 * @param revision the one that was reported
 */
export const isRepeated = (job: Pick<Job, "revision" | "reportAt">, revision: number, now: number): boolean =>
  job.revision === revision || (job.reportAt !== null && job.reportAt <= now);

/** What of a report on a job its confirmation speaks of. */
export interface Reported {
  readonly revision: number;
  readonly facts?: { readonly status: JobStatus; readonly executionId: string | null };
  /** Executions that are stored apart from the job's row. What stands in that row the next report overwrites. */
  readonly apart: readonly Execution[];
}

/**
 * The read model holds this report. Superseded executions it has stored are let go; the newest is kept until a later attempt
 * supersedes it. A lease is reported once more when it would have ended, and not within `LEASE_REPORT_MS`, also if its worker has
 * beaten since: beats that come faster than the database answers would be reported without end.
 */
export function confirm(job: Job, reported: Reported): Job {
  const { revision, apart } = reported;
  const last = newest(job);
  const isStored = (one: Execution) => apart.some(({ id, revision }) => id === one.id && revision === one.revision);
  const executions = job.executions.filter((one) => one === last || !isStored(one));
  const editedAt = job.editedAt > revision ? job.editedAt : 0;
  if (revision !== job.revision) {
    const reportAt = hasOnlyBeaten(job, reported, editedAt) ? leaseReportAt(job) : job.reportAt;
    const same = executions.length === job.executions.length && editedAt === job.editedAt && reportAt === job.reportAt;
    return same ? job : { ...job, executions, editedAt, reportAt };
  }
  const { phase } = job;
  return {
    ...job,
    executions,
    editedAt,
    reportAt: leaseReportAt(job),
    failedReports: 0,
    untold: [],
    phase: isEnded(phase) ? { ...phase, announced: true, confirmed: true } : phase,
  };
}

/** A lease that goes on is reported no more often than this, however short it is. The sweeper waits longer. */
const LEASE_REPORT_MS = 15 * SECOND;

/** When a lease that goes on is reported again; null when no worker holds one. */
const leaseReportAt = ({ phase, delivery, updatedAt }: Job): number | null =>
  phase.name === "running" && delivery.type === "pull"
    ? Math.max(phase.leaseEndsAt, updatedAt + LEASE_REPORT_MS)
    : null;

/** Whether the lease that was reported lasts, and nothing else is news since. */
const hasOnlyBeaten = ({ phase, delivery }: Job, { facts }: Reported, editedAt: number): boolean =>
  phase.name === "running" &&
  delivery.type === "pull" &&
  facts?.status === "running" &&
  facts.executionId === phase.executionId &&
  editedAt === 0;

/** Whether there is an end, or was one, of which those who asked may not have been told. What carries an event makes none. */
export const isUnannounced = ({ phase, origin, untold }: Job): boolean =>
  untold.length > 0 || (isEnded(phase) && !phase.announced && origin !== "event");

/** Each of them holds a payload; together they must fit into the owner's record. */
const MAX_UNTOLD = 3;

/** Whether no other end can be undone before somebody is told. */
export const isFullOfUntold = ({ untold }: Job): boolean => untold.length >= MAX_UNTOLD;

/** All who are to be told of the job's ends as it was then have a job that tells them. Ends since then are left. */
export function announced(job: Job, then: Job): Job {
  const { phase } = job;
  const isTold = isEnded(phase) && isEnded(then.phase) && phase.endedAt === then.phase.endedAt;
  const told = new Set(eventsOf(then).map(({ identity }) => identity));
  const untold = job.untold.filter(({ identity }) => !told.has(identity));
  return { ...job, untold, phase: isTold ? { ...phase, announced: true } : phase };
}

/** Whether a confirmed end may go at once. */
export const isForgettable = ({ phase, keepUntil, claim }: Job, now: number): boolean =>
  isEnded(phase) && phase.confirmed && claim === null && now >= keepUntil;
