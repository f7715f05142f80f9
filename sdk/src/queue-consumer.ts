// Pull jobs through a Cloudflare Queue of one's own: each message is started over the API, run, reported, acked.
// The service fences duplicates at the start, so a message delivered twice runs once.

import { retryAfterOf } from "./api-error.ts";
import type { Attempt } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { Chronos } from "./client.ts";
import type { Connection } from "./connection.ts";
import { HandlerRegistry } from "./handler-registry.ts";
import type { AnyHandlers, ChronosHandler, HandlerMap, HandlerName, PayloadOf, ResultOf } from "./handlers.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { runAttempt } from "./run-attempt.ts";
import { isLeaseGone, start } from "./worker-calls.ts";

/** The part of a Workers `Message` that is used. */
export interface QueueMessage {
  readonly body: unknown;
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

/** The part of a Workers `MessageBatch` that is used. */
export interface QueueBatch {
  readonly messages: readonly QueueMessage[];
}

/** Handlers by name, typed by the client's map if it has one. */
export type QueueHandlers<M> = {
  readonly [Name in HandlerName<M>]?: ChronosHandler<PayloadOf<M, Name>, ResultOf<M, Name>>;
};

/** What `queueConsumer()` is made of. */
interface QueueConsumerOptions<M extends HandlerMap<M>> {
  chronos: Chronos<M>;
  handlers: QueueHandlers<M>;
}

const OPTIONS: Fields<QueueConsumerOptions<AnyHandlers>> = { chronos: true, handlers: true };

/** Long enough to outlast a deploy: a queue counts redeliveries and gives up on a message after its `max_retries`. */
const REDELIVERY_BACKOFF = { baseMs: 20_000, capMs: 600_000 };
const SHORTEST_DELAY_SECONDS = 5;

/**
 * Makes the `queue()` handler of a Worker that consumes a queue named in a job's `delivery.queue`. Messages of a batch run
 * in parallel. Each ends in one of four ways:
 *
 * - its handler ran and was reported, or the job fails for good because no handler has its name: acked;
 * - the service says that the execution is no longer to be had (a duplicate, cancelled, gone): acked;
 * - the service could not be reached or refused for the moment: retried after a while;
 * - it is no message of this service: retried, so that it ends in the queue's dead letters.
 *
 * Give the queue a high `max_retries` (100). A handler must end within the 15 minutes Workers grant a batch.
 *
 * @example
 * ```ts
 * import { Chronos, type QueueBatch, queueConsumer } from "@chronos-edge/sdk";
 *
 * interface Env {
 *   CHRONOS_API_KEY: string;
 *   CHRONOS_URL: string;
 * }
 * export default {
 *   async queue(batch: QueueBatch, env: Env): Promise<void> {
 *     const chronos = new Chronos({ apiKey: env.CHRONOS_API_KEY, baseUrl: env.CHRONOS_URL });
 *     const handlers = { hello: async () => ({ ok: true }) };
 *     await queueConsumer({ chronos, handlers })(batch);
 *   },
 * };
 * ```
 */
export function queueConsumer<M extends HandlerMap<M> = AnyHandlers>(
  options: QueueConsumerOptions<M>,
): (batch: QueueBatch) => Promise<void> {
  checkFields("The options of queueConsumer()", options, OPTIONS);
  const { chronos, handlers } = options;
  const registry = new HandlerRegistry();
  for (const [name, handler] of Object.entries(handlers)) registry.add(name, handler);
  return async (batch) => {
    // One id for the batch; made here, since Workers allow no randomness while a module loads.
    const workerId = crypto.randomUUID();
    await Promise.all(batch.messages.map((message) => consume(chronos.connection, registry, message, workerId)));
  };
}

/** Never rejects: a throwing consumer would redeliver the whole batch. */
async function consume(
  connection: Connection,
  registry: HandlerRegistry,
  message: QueueMessage,
  workerId: string,
): Promise<void> {
  const { logger, platform } = connection;
  const ids = idsOf(message.body);
  if (ids === null) {
    logger.error("A message on the queue is not one of Chronos; leaving it to the dead letters");
    return message.retry();
  }
  let attempt: Attempt;
  try {
    attempt = await start(connection, { ...ids, workerId });
  } catch (error) {
    if (isLeaseGone(error)) {
      logger.info(`Nothing to start: ${String(error)}`, ids);
      return message.ack();
    }
    const waitMs = backoffMs(message.attempts, REDELIVERY_BACKOFF, platform.random(), retryAfterOf(error));
    const delaySeconds = Math.max(SHORTEST_DELAY_SECONDS, Math.ceil(waitMs / 1000));
    logger.warn(`Could not start, trying again in ${delaySeconds} s: ${String(error)}`, ids);
    return message.retry({ delaySeconds });
  }
  await runAttempt(connection, attempt, registry.get(attempt.handler));
  message.ack();
}

function idsOf(body: unknown): { jobId: string; executionId: string } | null {
  const { job_id: jobId, execution_id: executionId } = (body ?? {}) as Record<string, unknown>;
  return typeof jobId === "string" && typeof executionId === "string" ? { jobId, executionId } : null;
}
