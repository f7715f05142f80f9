// One change to many jobs: which jobs, how far it has come, what became of them. Pure: `now` is an argument.

import type { JobStatus, Origin } from "./job.ts";

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
}

export type BulkKind = "cancel" | "retry" | "run" | "delete";

/** A bulk action as its object stores it. */
export interface BulkAction {
  readonly v: 1;
  readonly accountId: string;
  readonly id: string;
  readonly action: BulkKind;
  /** A filter that was frozen when it was asked for, or the jobs themselves. */
  readonly target: { readonly filter: JobFilter } | { readonly jobIds: readonly string[] };
  readonly status: "running" | "completed" | "aborted";
  readonly revision: number;
  readonly matched: number;
  readonly done: number;
  /** Their state forbade it, or they were gone. */
  readonly skipped: number;
  readonly failed: number;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly completedAt: number | null;
}
