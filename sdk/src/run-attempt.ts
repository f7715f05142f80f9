// One attempt from the moment its lease is ours: run the handler, keep the lease, report the end. It never rejects.

import { traceOf } from "./attempt.ts";
import type { Connection } from "./connection.ts";
import type { ChronosContext, ChronosHandler } from "./handlers.ts";
import type { Lease } from "./lease.ts";
import { type Outcome, outcomeOfError, outcomeOfResult } from "./outcome.ts";
import { progressToJson } from "./progress.ts";
import type { Reporter } from "./reporter.ts";

/** `handler` is undefined when nobody registered one under this name: the attempt then fails for good. */
export async function runAttempt(
  connection: Connection,
  lease: Lease,
  reporter: Reporter,
  handler: ChronosHandler | undefined,
): Promise<void> {
  const { logger } = connection;
  const trace = traceOf(lease.attempt);
  if (lease.signal.aborted) return logger.warn("Dropped a job: its lease ended before its handler could start", trace);
  const outcome = await perform(connection, lease, handler);
  await lease.sayTheRest();
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
  await reporter.report(lease.attempt, outcome, lease.leftMs);
}

async function perform(connection: Connection, lease: Lease, handler: ChronosHandler | undefined): Promise<Outcome> {
  if (handler === undefined) {
    const message = `No handler is registered for "${lease.attempt.handler}"`;
    return { kind: "fail", message, name: "UnknownHandlerError", retryable: false };
  }
  try {
    return outcomeOfResult(await handler(contextOf(connection, lease)));
  } catch (error) {
    return outcomeOfError(error);
  }
}

function contextOf({ platform }: Connection, lease: Lease): ChronosContext {
  const { attempt } = lease;
  return {
    jobId: attempt.jobId,
    executionId: attempt.executionId,
    handler: attempt.handler,
    attempt: attempt.attempt,
    scheduledFor: attempt.scheduledFor,
    payload: attempt.payload,
    payloadText: attempt.payloadText,
    traceparent: attempt.traceparent,
    progress: (value) => lease.say(progressToJson(value)),
    signal: lease.signal,
    get deadline() {
      return new Date(Math.round(platform.wallMs() + lease.leftMs));
    },
  };
}
