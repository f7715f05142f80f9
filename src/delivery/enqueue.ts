// How a queued execution leaves over a queue: the user's named one, or the default one, whose consumer hands it to the
// handler's PullQueue. Never throws.

import { type Execution, type Job, newest } from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import { deliveryBody } from "../domain/push-message.ts";
import { log, nameOf } from "../log.ts";
import { namedQueues } from "./queues.ts";

export const OFFER_VERSION = 1;

/** An execution that waits for a worker, as its handler's PullQueue holds it. */
export interface Entry {
  readonly jobId: string;
  readonly executionId: string;
  readonly dueAt: number;
}

/** The same with the handler it is for. */
export interface Offer extends Entry {
  readonly handler: string;
}

/** A message on the default queue. */
export interface OfferMessage extends Offer {
  readonly kind: "offer";
  readonly v: typeof OFFER_VERSION;
  readonly accountId: string;
}

/** Sends the newest execution of a pull job over its queue. @returns whether it was taken */
export async function enqueue(env: Cloudflare.Env, job: Job): Promise<boolean> {
  const execution = newest(job);
  if (job.delivery.type !== "pull" || !execution) return false;
  try {
    if (job.delivery.queue !== null) return await toNamed(env, job.delivery.queue, job, execution);
    const message: OfferMessage = {
      kind: "offer",
      v: OFFER_VERSION,
      accountId: job.accountId,
      handler: job.handler ?? "",
      ...entryOf(job, execution),
    };
    await env.EXECUTIONS.send(message, { contentType: "json" });
    return true;
  } catch (thrown) {
    log("warn", "enqueue_failed", { account_id: job.accountId, job_id: job.id, error: nameOf(thrown) });
    return false;
  }
}

export const entryOf = (job: Job, { id, dueAt }: Execution): Entry => ({ jobId: job.id, executionId: id, dueAt });

/**
 * A consumer Worker reads what a push would say, its trace, and how long it may take. The platform writes and parses this JSON
 * itself, so the payload goes as a value: what the consumer sees is what `JSON.parse` makes of the text.
 */
async function toNamed(env: Cloudflare.Env, name: string, job: Job, execution: Execution): Promise<boolean> {
  const queue = namedQueues(env).get(name);
  if (!queue) {
    log("error", "queue_not_bound", { account_id: job.accountId, job_id: job.id, queue: name });
    return false;
  }
  const ref = { executionId: execution.id, attempt: execution.attempt };
  const payload = job.payload && parsed(job.payload);
  const trace = job.traceparent !== null && { traceparent: job.traceparent };
  const message = { ...deliveryBody(job, ref), payload, timeout: job.timeoutSeconds, ...trace };
  await queue.send(message, { contentType: "json" });
  return true;
}

/** The value, of which the platform's `JSON.stringify` writes every number as it was sent. */
const parsed = (text: JsonText): unknown =>
  JSON.parse(text, (_name, value: unknown, { source }) =>
    typeof value === "number" && String(value) !== source ? JSON.rawJSON(source) : value,
  );
