// How a batch of reports is counted: its stamps, and what of it is news. Who holds the counts until they are in the overview is
// handed in.

import type { Delivery, Origin } from "../domain/job.ts";
import { hostOf, isFailure, type SettledExecution, stampOf } from "../domain/tally.ts";
import { isAmong } from "./json-rows.ts";
import type { JobReport } from "./report.ts";
import { jobs } from "./schema.ts";
import { isNews, type Known, settledIn } from "./settled.ts";
import type { Database } from "./store.ts";

/** Who counts what the batches bring to an end. */
export interface Counting {
  /** What the next batch is stamped with. */
  readonly epoch: Epoch;
  /** A batch has been applied, and these had not been counted. */
  applied(settled: readonly SettledExecution[]): void;
  /** A batch may have been applied or not: whatever has the epoch's stamp is left to the recount. */
  uncertain(): void;
  /** The epoch is being recounted, or gone, and nothing was applied. @returns whether there is another to stamp with */
  claimed(): boolean;
}

export interface Epoch {
  readonly id: number;
  /** Now, if it is opened now. */
  readonly openedAt: number;
  /** Whether a batch of it has been applied. */
  readonly isKnown: boolean;
  /** Whether epochs may have been left, by an instance that died or by this one: its next batch claims them. */
  readonly claimsOthers: boolean;
}

/** The stamp of an execution, should its end be news. */
export function stampFor(report: JobReport, attempt: number, epoch: Epoch | null): number | null {
  const settled = epoch && settledIn(report).find((one) => one.attempt === attempt);
  return settled ? stampOf(epoch.id, settled) : null;
}

/** Where a job that has failed went. */
export interface FailingJob {
  readonly accountId: string;
  readonly id: string;
  readonly handler: string | null;
  readonly delivery: Delivery;
}

export const hasFailed = (report: JobReport): boolean => settledIn(report).some(isFailure);

/** What the groups of failures go by, of jobs whose attempts have failed. */
export const failingJobs = (db: Database, reports: readonly JobReport[]) =>
  db
    .select({ accountId: jobs.accountId, id: jobs.id, handler: jobs.handler, delivery: jobs.delivery })
    .from(jobs)
    .where(isAmong(jobs, reports));

/** What of a batch had not been counted. Deliveries of events are left out, as lists do. */
export function newsIn(
  reports: readonly JobReport[],
  rows: readonly (Known & Ref & { readonly origin: Origin })[],
  failing: readonly FailingJob[],
): SettledExecution[] {
  const known = new Map(rows.map((row) => [refOf(row), row]));
  const details = new Map(failing.map((row) => [refOf(row), row]));
  return reports.flatMap((report) => {
    const row = known.get(refOf(report));
    if (!row || row.origin === "event") return [];
    const { handler = null, delivery } = details.get(refOf(report)) ?? {};
    const of = { accountId: report.accountId, jobId: report.id, handler, host: delivery ? hostOf(delivery) : null };
    return settledIn(report)
      .filter((one) => isNews(one, report, row))
      .map((one) => ({ ...of, ...one }));
  });
}

type Ref = Pick<JobReport, "accountId" | "id">;

const refOf = ({ accountId, id }: Ref): string => `${accountId}/${id}`;
