// One change to many jobs: which jobs, how far it has come, what became of them. Pure: `now` is an argument.

import { type FaultCode, isOver as hasEnded, type JobStatus, type Origin } from "./job.ts";
import { LET_GO_MS, REPORT_AFTER_MS } from "./timer.ts";

/** Which jobs of an account a list shows, or a bulk action changes. Moments are epoch milliseconds and exclusive. */
export interface JobFilter {
  readonly status?: readonly JobStatus[];
  readonly handler?: string;
  /** null: only one-off jobs. */
  readonly scheduleId?: string | null;
  readonly idempotencyKey?: string;
  readonly createdAfter?: number;
  readonly createdBefore?: number;
  /** All of them. */
  readonly tags?: readonly string[];
  readonly flow?: string;
  readonly name?: string;
  readonly scheduledAfter?: number;
  readonly scheduledBefore?: number;
  /** Left out: all but `event`. */
  readonly origin?: readonly Origin[];
  /** Of the job's last error. */
  readonly errorCode?: FaultCode;
  /** Where it is pushed to: with its port, unless that is the scheme's own. */
  readonly host?: string;
}

export type BulkKind = "cancel" | "retry" | "run" | "delete";

/** The jobs a bulk action has not reached yet. */
export type Rest =
  /** @param after the id behind which the walk goes on; null: it begins with the newest */
  { readonly filter: JobFilter; readonly after: string | null } | { readonly jobIds: readonly string[] };

/** Jobs that are being asked. It is written before the first of them is: after a crash the same ones are asked again. */
export interface Page {
  readonly jobIds: readonly string[];
  /** How often all of them have been asked in vain. */
  readonly tries: number;
}

/** A bulk action as its object stores it. */
export interface BulkAction {
  readonly v: 1;
  readonly accountId: string;
  readonly id: string;
  readonly action: BulkKind;
  /** null: there is nothing left, or it was aborted. */
  readonly rest: Rest | null;
  readonly page: Page | null;
  /** When it goes on, if it has not ended. */
  readonly goOnAt: number;
  readonly status: "running" | "completed" | "aborted";
  /** Counts the changes; the read model keeps the highest it has seen. 0: it has not begun. */
  readonly revision: number;
  readonly matched: number;
  readonly done: number;
  /** Their state forbade it, or they were gone. */
  readonly skipped: number;
  /** They could not be reached. */
  readonly failed: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** When its last job was counted; null while there is one to come. */
  readonly completedAt: number | null;
  /** When this revision is reported to the read model (again); null when the read model holds it. */
  readonly reportAt: number | null;
  /** How many reports of this revision have failed. */
  readonly failedReports: number;
}

const SECOND = 1_000;

/** Jobs that cannot be reached are asked again after these; then they have failed. */
const ASK_AGAIN_MS = [2 * SECOND, 10 * SECOND, 30 * SECOND, 60 * SECOND] as const;

/** How soon it goes on while the database cannot answer. That costs no job a try. */
const HELD_UP_MS = 10 * SECOND;

/** A bulk action as it is asked for. */
export function bulkAction(
  { accountId, id, now }: { accountId: string; id: string; now: number },
  action: BulkKind,
  jobs: { readonly filter: JobFilter } | { readonly jobIds: readonly string[] },
): BulkAction {
  return {
    v: 1,
    accountId,
    id,
    action,
    rest: "filter" in jobs ? { filter: frozen(jobs.filter, now), after: null } : { jobIds: [...new Set(jobs.jobIds)] },
    page: null,
    goOnAt: now,
    status: "running",
    revision: 0,
    matched: 0,
    done: 0,
    skipped: 0,
    failed: 0,
    createdAt: now,
    updatedAt: now,
    completedAt: null,
    reportAt: null,
    failedReports: 0,
  };
}

/** A bulk action that only counts: nothing is done, and it is over when it begins. */
export const dryRunOf = (action: BulkAction, matched: number, skipped: number): BulkAction => ({
  ...action,
  status: "completed",
  matched,
  skipped,
  completedAt: action.createdAt,
});

/** What is created from now on does not match. */
export const frozen = (filter: JobFilter, now: number): JobFilter => ({
  ...filter,
  createdBefore: Math.min(filter.createdBefore ?? now, now),
});

/** What a row tells of a job that is about to be asked. */
export interface Known {
  readonly id: string;
  readonly status: JobStatus;
  readonly updatedAt: number;
}

/**
 * Which of the jobs on a page have to be asked. Not those that are gone, nor those that ended so long ago that their owners have let
 * go of them: an owner that is asked about such a job is made for it.
 */
export function worthAsking(
  action: BulkKind,
  jobIds: readonly string[],
  rows: readonly Known[],
  now: number,
): string[] {
  const known = new Map(rows.map((row) => [row.id, row]));
  return jobIds.filter((id) => {
    const row = known.get(id);
    return row !== undefined && !(row.updatedAt < now - LET_GO_MS && isForbidden(action, row.status));
  });
}

function isForbidden(action: BulkKind, status: JobStatus): boolean {
  switch (action) {
    case "cancel":
    case "run":
      return hasEnded(status);
    case "retry":
      return status === "completed";
    case "delete":
      return false;
  }
}

/** The next jobs, of which some need not be asked, and what lies behind them. */
export interface NextPage {
  readonly jobIds: readonly string[];
  readonly skipped: number;
  readonly rest: Rest | null;
}

/** The next jobs are about to be asked. */
export function beginPage(action: BulkAction, { jobIds, skipped, rest }: NextPage, now: number): BulkAction {
  return changed(action, now, {
    rest,
    page: jobIds.length > 0 ? { jobIds, tries: 0 } : null,
    matched: action.matched + jobIds.length + skipped,
    skipped: action.skipped + skipped,
  });
}

/** What became of the jobs on a page. */
export interface Outcomes {
  readonly done: number;
  readonly skipped: number;
  /** They did not answer, or changed under the question's hands. */
  readonly unreached: readonly string[];
}

/** Counts a page. Those that were not reached are asked again, a few times. */
export function counted(action: BulkAction, { done, skipped, unreached }: Outcomes, now: number): BulkAction {
  const tries = (action.page?.tries ?? 0) + 1;
  const pause = ASK_AGAIN_MS[tries - 1];
  const isOnceMore = unreached.length > 0 && pause !== undefined;
  return changed(action, now, {
    page: isOnceMore ? { jobIds: unreached, tries } : null,
    goOnAt: isOnceMore ? now + pause : now,
    done: action.done + done,
    skipped: action.skipped + skipped,
    failed: action.failed + (isOnceMore ? 0 : unreached.length),
  });
}

/** Counts those that answered while the database could not: the others have not lost a try. */
export function countedSome(action: BulkAction, { done, skipped, unreached }: Outcomes, now: number): BulkAction {
  return changed(action, now, {
    page: { jobIds: unreached, tries: action.page?.tries ?? 0 },
    goOnAt: now + HELD_UP_MS,
    done: action.done + done,
    skipped: action.skipped + skipped,
  });
}

/** The database cannot say which jobs come next. */
export const heldUp = (action: BulkAction, now: number): BulkAction => ({ ...action, goOnAt: now + HELD_UP_MS });

/** No other jobs are asked. Those on the page under way may have been: they are counted first. */
export function abort(action: BulkAction, now: number): BulkAction {
  return action.status === "running" ? changed(action, now, { status: "aborted", rest: null }) : action;
}

/** Nothing is left to ask or to count. */
export const isOver = ({ completedAt }: BulkAction): boolean => completedAt !== null;

/** The read model holds this revision. */
export const confirmed = (action: BulkAction): BulkAction => ({ ...action, reportAt: null, failedReports: 0 });

/** When its object must wake next; null: never again. */
export function bulkWakeAt(action: BulkAction): number | null {
  if (isOver(action)) return action.reportAt;
  return Math.min(action.goOnAt, action.reportAt ?? Number.POSITIVE_INFINITY);
}

/** By when the read model will have heard of it again; null once it is over. The sweeper looks for the overdue. */
export const bulkReportDueAt = (action: BulkAction): number | null => (isOver(action) ? null : action.goOnAt);

function changed(action: BulkAction, now: number, fields: Partial<BulkAction>): BulkAction {
  const next = { ...action, ...fields, revision: action.revision + 1, updatedAt: now, failedReports: 0 };
  const reportAt = Math.min(action.reportAt ?? Number.POSITIVE_INFINITY, now + REPORT_AFTER_MS);
  if (isOver(action) || next.rest !== null || next.page !== null) return { ...next, reportAt };
  const status = next.status === "running" ? "completed" : next.status;
  return { ...next, status, completedAt: now, reportAt: now };
}

/** So many bulk actions are remembered by a job: repeated after a crash, they change nothing. */
const REMEMBERED = 4;

/** Of what a job remembers, as much as another one leaves: ids of 36 characters, separated by blanks. */
export const REMEMBERED_LENGTH = (REMEMBERED - 1) * 37 - 1;

/** Whether one of the bulk actions that a job remembers is this one. */
export const hasMade = (operations: string | null, operation: string): boolean =>
  operations?.split(" ").includes(operation) ?? false;

/** @returns what a job remembers once this bulk action has changed it: the newest first, separated by blanks */
export const remembering = (operations: string | null, operation: string): string =>
  [operation, ...(operations?.split(" ") ?? [])].slice(0, REMEMBERED).join(" ");
