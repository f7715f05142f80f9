// The report of one attempt, and what an answer means for it.

import { ChronosApiError } from "./api-error.ts";
import { type Attempt, traceOf } from "./attempt.ts";
import type { Connection } from "./connection.ts";
import { type Outcome, unusable } from "./outcome.ts";
import { reportToWire } from "./wire.ts";
import { isLeaseGone } from "./worker-calls.ts";

export interface Report {
  readonly attempt: Attempt;
  readonly outcome: Outcome;
  /** Written once: each try sends the same bytes. */
  readonly json: string;
  readonly bytes: number;
  readonly leaseEndsAt: number;
  /** Tries in a row that may yet succeed. */
  failures: number;
  /** Called once the report has been accepted, dropped or given up. */
  readonly over: () => void;
}

export function reportOf(
  attempt: Attempt,
  outcome: Outcome,
  { leaseEndsAt, over }: Pick<Report, "leaseEndsAt" | "over">,
): Report {
  const json = reportToWire(attempt, outcome);
  const bytes = new TextEncoder().encode(json).byteLength;
  return { attempt, outcome, json, bytes, leaseEndsAt, failures: 0, over };
}

/**
 * Logs an answer that another try would not change: null for an accepted report, else its error. Returns the report to
 * send in its place, or null when there is none.
 */
export function answered({ logger }: Connection, report: Report, error: unknown): Report | null {
  const { attempt, outcome } = report;
  const trace = traceOf(attempt);
  if (error === null) {
    logger.debug(`Reported: ${outcome.kind}`, trace);
  } else if (isLeaseGone(error)) {
    logger.warn(`Dropped a report: ${error.code}`, trace);
  } else if (outcome.kind === "complete" && isAboutTheReport(error)) {
    const refused = unusable(`The service refused the handler's result: ${error.message}`);
    return reportOf(attempt, refused, report);
  } else {
    logger.error(`The service refused a report; the attempt will time out: ${String(error)}`, trace);
  }
  return null;
}

/** Our limits are the service's; should they ever differ, the job must fail with a reason instead of timing out. */
export function isAboutTheReport(error: unknown): error is ChronosApiError {
  return error instanceof ChronosApiError && [400, 413, 422].includes(error.status);
}
