// Why something was not done: every expected failure of a job's owner or its stores, as a value with its facts.

import type { JobStatus } from "./job.ts";
import type { ScheduleStatus } from "./schedule.ts";

/** A store or an object cannot answer at the moment; the caller may try again. */
export interface Unavailable {
  readonly code: "unavailable";
  readonly retryAfterSeconds: number;
  /** Certainly nothing was done: the account moves to another database. */
  readonly isMoving?: true;
}

/** The job's state forbids it. */
export interface StateRefusal {
  readonly code:
    | "job_not_cancellable"
    | "job_not_retryable"
    | "job_not_editable"
    | "job_not_runnable"
    | "job_not_deletable"
    | "lease_lost";
  readonly status: JobStatus;
}

/** The job is no longer as the caller looked at it: look again. */
export interface JobMoved {
  readonly code: "job_moved";
}

/** There is no such job on this account. */
export interface NoSuchJob {
  readonly code: "job_not_found";
}

export type JobRefusal = StateRefusal | NoSuchJob | JobMoved | Unavailable;

/** There is no such flow on this account, or it is no longer what the caller looked at. */
export type FlowRefusal = { readonly code: "flow_not_found" | "flow_moved" | "flow_limit_reached" } | Unavailable;

/** There is no such bulk action on this account. */
export type BulkActionRefusal = { readonly code: "bulk_action_not_found" } | Unavailable;

/** There is no such webhook on this account. */
export type WebhookRefusal = { readonly code: "webhook_not_found" } | Unavailable;

/** A schedule that is not there, is over, or changed its status under the caller's hands. */
export type ScheduleRefusal =
  | { readonly code: "schedule_not_found" | "schedule_archived" | "schedule_completed" }
  | { readonly code: "schedule_status_changed"; readonly status: ScheduleStatus }
  /** Still there, but no longer what the caller looked at: look again. */
  | { readonly code: "schedule_moved" }
  | Unavailable;
