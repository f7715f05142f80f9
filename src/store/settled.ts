// Executions that started and are over, as a report brings them, and which of them the read model has not heard of.

import type { Execution } from "../domain/job.ts";
import type { Settled } from "../domain/tally.ts";
import type { JobReport } from "./report.ts";

/** What a report says of an execution that is over; what it lacks is in the job's row. */
export interface SettledAttempt extends Settled {
  readonly attempt: number;
}

/** What the row said before the report. */
export interface Known {
  readonly revision: number;
  readonly attempt: number;
  readonly settledAt: number | null;
}

/** Each once: the newest may be in the row and apart of it. */
export function settledIn(report: JobReport): SettledAttempt[] {
  const { facts, apart } = report;
  const settled = apart.flatMap((one) => settledApart(report, one));
  const { attempt, settledAt, executionStatus } = facts;
  const isApart = apart.some((one) => one.attempt === attempt);
  const { startedAt, lastError } = facts;
  if (isApart || settledAt === null || startedAt === null || executionStatus === null) return settled;
  const newest = { attempt, status: executionStatus, dueAt: facts.dueAt ?? settledAt, startedAt };
  return [
    ...settled,
    { ...newest, completedAt: settledAt, errorCode: lastError?.code ?? null, endsJob: endsJob(report, attempt) },
  ];
}

function settledApart(report: JobReport, execution: Execution): SettledAttempt[] {
  const { attempt, status, dueAt, startedAt, completedAt, error } = execution;
  if (startedAt === null || completedAt === null) return [];
  const errorCode = error?.code ?? null;
  return [{ attempt, status, dueAt, startedAt, completedAt, errorCode, endsJob: endsJob(report, attempt) }];
}

/**
 * Whether the job ended with this execution, if that failed. A later execution says so by what started it, and the job by
 * its status: one that failed with `expired` was waiting for another attempt.
 */
function endsJob({ facts, apart }: JobReport, attempt: number): boolean {
  if (attempt < facts.attempt) {
    const next = apart.find((one) => one.attempt === attempt + 1)?.trigger;
    return (next ?? facts.executionTrigger) === "manual_retry";
  }
  if (facts.status === "failed") return facts.lastError?.code !== "expired";
  return facts.status === "pending" && facts.trigger === "manual_retry";
}

/**
 * Whether the row knew nothing of this end. A report brings every execution whose end no earlier one has brought to the row: so
 * those up to the row's own have been counted, and the row's own has been if it had settled.
 */
export const isNews = ({ attempt }: SettledAttempt, { revision }: JobReport, known: Known): boolean =>
  revision > known.revision && (attempt > known.attempt || (attempt === known.attempt && known.settledAt === null));

/** A job that failed because its time ran out has no attempt of its own to count. */
export const hasExpired = ({ facts }: JobReport): boolean =>
  facts.status === "failed" && facts.lastError?.code === "expired" && facts.completedAt !== null;
