// One attempt from the moment its lease is ours: run the handler, keep the lease, report the end. It never rejects.

import { type Attempt, traceOf } from "./attempt.ts";
import type { Connection } from "./connection.ts";
import type { ChronosContext, ChronosHandler } from "./handlers.ts";
import { Lease } from "./lease.ts";
import { type Outcome, outcomeOfError, outcomeOfResult } from "./outcome.ts";
import { report } from "./report.ts";

/** `handler` is undefined when nobody registered one under this name: the attempt then fails for good. */
export async function runAttempt(
  connection: Connection,
  attempt: Attempt,
  handler: ChronosHandler | undefined,
): Promise<void> {
  const { logger } = connection;
  const trace = traceOf(attempt);
  const lease = new Lease(connection, attempt);
  const outcome = await perform(connection, attempt, handler, lease);
  lease.close();
  if (outcome.kind === "fail") logger.warn(`Handler failed: ${outcome.message}`, { ...trace, error: outcome.name });
  const cause = lease.abortCause;
  if (cause === "cancelled" || cause === "lease_lost") {
    logger.warn(
      cause === "cancelled" ? "Dropped the report of a cancelled job" : "Dropped a report: lease lost",
      trace,
    );
    return;
  }
  await report(connection, attempt, outcome, lease.leftMs);
}

async function perform(
  connection: Connection,
  attempt: Attempt,
  handler: ChronosHandler | undefined,
  lease: Lease,
): Promise<Outcome> {
  if (handler === undefined) {
    const message = `No handler is registered for "${attempt.handler}"`;
    return { kind: "fail", message, name: "UnknownHandlerError", retryable: false };
  }
  try {
    return outcomeOfResult(await handler(contextOf(connection, attempt, lease)));
  } catch (error) {
    return outcomeOfError(error);
  }
}

function contextOf({ platform }: Connection, attempt: Attempt, lease: Lease): ChronosContext {
  return {
    jobId: attempt.jobId,
    executionId: attempt.executionId,
    handler: attempt.handler,
    attempt: attempt.attempt,
    scheduledFor: attempt.scheduledFor,
    payload: attempt.payload,
    payloadText: attempt.payloadText,
    signal: lease.signal,
    get deadline() {
      return new Date(Math.round(platform.wallMs() + lease.leftMs));
    },
  };
}
