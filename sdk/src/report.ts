// Reporting the end of an attempt: again and again after faults, until the lease is surely gone. It never rejects.

import { ChronosApiError, isPassingForWorker } from "./api-error.ts";
import { type Attempt, traceOf } from "./attempt.ts";
import { type Connection, pauseMs } from "./connection.ts";
import { type Outcome, unusable } from "./outcome.ts";
import { sleep } from "./platform.ts";
import { isLeaseGone, sendReport } from "./worker-calls.ts";

/** Our reckoning of the lease's end may be early by a request's way; the service is the judge. */
const LEASE_SLACK_MS = 5_000;

/** Tries at least once, even when the lease seems to have ended. `leaseLeftMs` is how long it is still ours. */
export async function report(
  connection: Connection,
  attempt: Attempt,
  outcome: Outcome,
  leaseLeftMs: number,
): Promise<void> {
  const { logger, platform } = connection;
  const trace = traceOf(attempt);
  const leaseEndsAt = platform.monotonicMs() + leaseLeftMs;
  for (let failures = 1; ; failures++) {
    try {
      await sendReport(connection, attempt, outcome);
      logger.debug(`Reported: ${outcome.kind}`, trace);
      return;
    } catch (error) {
      if (isLeaseGone(error)) {
        const code = error instanceof ChronosApiError ? error.code : "lease_lost";
        logger.warn(`Dropped a report: ${code}`, trace);
        return;
      }
      if (!isPassingForWorker(error)) {
        if (outcome.kind === "complete" && isAboutTheResult(error)) {
          const refused = unusable(`The service refused the handler's result: ${(error as Error).message}`);
          return report(connection, attempt, refused, leaseEndsAt - platform.monotonicMs());
        }
        logger.error(`The service refused a report; the attempt will time out: ${String(error)}`, trace);
        return;
      }
      const pause = pauseMs(connection, failures, error);
      if (platform.monotonicMs() + pause > leaseEndsAt + LEASE_SLACK_MS) {
        logger.error(`Gave up reporting, the lease is over: ${String(error)}`, trace);
        return;
      }
      logger.warn(`A report failed, trying again: ${String(error)}`, trace);
      await sleep(platform, pause);
    }
  }
}

/** Our limits are the service's; should they ever differ, the job must fail with a reason instead of timing out. */
function isAboutTheResult(error: unknown): boolean {
  return error instanceof ChronosApiError && [400, 413, 422].includes(error.status);
}
