// The types of a bulk action: one call that cancels, retries, runs or deletes many jobs.

import type { JobSelection } from "./job.ts";

export type BulkVerb = "cancel" | "retry" | "run" | "delete";

export type BulkStatus = "running" | "completed" | "aborted";

/**
 * A bulk action and how far it is.
 *
 * @example
 * ```ts
 * import { type BulkAction, Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const bulk: BulkAction = await chronos.bulk.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * console.log(bulk.status, `${bulk.done + bulk.skipped + bulk.failed} of ${bulk.matched}`);
 * ```
 */
export interface BulkAction {
  id: string;
  action: BulkVerb;
  status: BulkStatus;
  /** Jobs found so far; it grows while the action runs. */
  matched: number;
  /** Jobs to which it was done. */
  done: number;
  /** Jobs whose status did not allow it. */
  skipped: number;
  /** Jobs to which it could not be done. */
  failed: number;
  createdAt: Date;
  /** When it ended, whatever the end. An aborted action ends once the jobs that it was changing are counted. */
  completedAt: Date | null;
}

/** The result of a dry run. */
export interface BulkCount {
  action: BulkVerb;
  /** Jobs that would be selected now. Counting stops at 10,000, and after a bounded number of jobs looked at. */
  matched: number;
}

/** Selects jobs by a filter, by their ids, or all of the account. Jobs created later are never touched. */
export type BulkSelection<Name extends string = string> =
  | {
      /** As in `jobs.list()`. An empty one is refused: say `all: true`. */
      filter: JobSelection<Name>;
      jobIds?: undefined;
      all?: undefined;
    }
  | {
      /** 1–1,000 ids. */
      jobIds: readonly string[];
      filter?: undefined;
      all?: undefined;
    }
  | { all: true; filter?: undefined; jobIds?: undefined };

/** The argument of `jobs.bulk()`. */
export type NewBulkAction<Name extends string = string> = BulkSelection<Name> & {
  action: BulkVerb;
  /** Counts the jobs that would be selected, and changes none. */
  dryRun?: boolean | undefined;
};
