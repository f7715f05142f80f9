// The pull worker: one poll at a time, up to `concurrency` handlers beside it. It installs no signal handlers and never
// takes a job it will not see through.

import { isPassingForWorker } from "./api-error.ts";
import { type Attempt, traceOf } from "./attempt.ts";
import { type Connection, pauseMs } from "./connection.ts";
import { ChronosConfigError, ChronosError } from "./errors.ts";
import { HandlerRegistry } from "./handler-registry.ts";
import type { ChronosHandler, HandlerName, PayloadOf, ResultOf } from "./handlers.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { sleep } from "./platform.ts";
import { runAttempt } from "./run-attempt.ts";
import { Slots } from "./slots.ts";
import { claim } from "./worker-calls.ts";

/** How a worker is started. */
export interface WorkerStartOptions {
  /** How many handlers may run at the same time. Default 1. */
  concurrency?: number | undefined;
  /** Shown as `workerId` of the executions; at most 255 characters. Default: a random UUID for each start. */
  workerId?: string | undefined;
}

const START_OPTIONS: Fields<WorkerStartOptions> = { concurrency: true, workerId: true };

/** An empty answer sooner than this did not wait for a job; asking again at once would be a busy loop. */
const SHORTEST_POLL_MS = 1_000;

/**
 * Runs pull jobs. Reached as `chronos.worker`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * chronos.worker
 *   .handle("hello", async (ctx) => ({ greeted: ctx.jobId }))
 *   .handle<{ to: string }>("email", async (ctx) => console.log("mailing", ctx.payload.to));
 * await chronos.worker.start({ concurrency: 5 });
 * ```
 */
export class Worker<M> {
  readonly #connection: Connection;
  readonly #registry = new HandlerRegistry();
  #run: { stopping: AbortController; ended: Promise<void> } | null = null;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Registers the function for jobs of exactly this name. Also while the worker runs: the next poll asks for it. Throws a
   * ChronosConfigError for a name that is empty, longer than 255 characters, taken, or has white space around it, and for
   * what is no function.
   */
  handle<TPayload = unknown, TResult = unknown>(
    name: string extends keyof M ? string : never,
    handler: ChronosHandler<TPayload, TResult>,
  ): this;
  handle<Name extends HandlerName<M>>(name: Name, handler: ChronosHandler<PayloadOf<M, Name>, ResultOf<M, Name>>): this;
  handle(name: string, handler: ChronosHandler<never>): this {
    this.#registry.add(name, handler);
    return this;
  }

  /**
   * Polls until `stop()`; resolves once every handler has ended and its report is through. Faults of network and service
   * are waited out, and so is the suspension of the account. Rejects with a ChronosApiError when the service refuses the
   * worker itself, such as 401 for a revoked key; handlers in flight end first. Left unawaited, such a rejection is only
   * logged. The process lives on until then, even if a handler waits for something that never comes.
   * Throws a ChronosError at once when the worker is already started or has no handlers.
   */
  start(options: WorkerStartOptions = {}): Promise<void> {
    checkFields("The options of worker.start()", options, START_OPTIONS);
    const { concurrency = 1, workerId = crypto.randomUUID() } = options;
    if (this.#run !== null) throw new ChronosError("Chronos worker is already started");
    if (this.#registry.names.length === 0) {
      throw new ChronosError("Register at least one handler before starting Chronos");
    }
    if (!Number.isInteger(concurrency) || concurrency < 1) {
      throw new ChronosConfigError("concurrency must be an integer of at least 1");
    }
    if (typeof workerId !== "string" || workerId === "" || [...workerId].length > 255) {
      throw new ChronosConfigError("workerId must be a string of 1 to 255 characters");
    }
    const stopping = new AbortController();
    const ended = this.#work(concurrency, workerId, stopping.signal).finally(() => {
      this.#run = null;
    });
    this.#run = { stopping, ended };
    // Told already in the log: a caller who does not await start() must not lose the process to it.
    ended.catch(() => {});
    return ended;
  }

  /**
   * Ends the poll at once and resolves when the handlers in flight have ended and reported. Never rejects; without a
   * running worker it resolves at once. Do not await it inside a handler: it would wait for itself.
   */
  async stop(): Promise<void> {
    const run = this.#run;
    run?.stopping.abort();
    await run?.ended.catch(() => {});
  }

  async #work(concurrency: number, workerId: string, stopping: AbortSignal): Promise<void> {
    const slots = new Slots(concurrency);
    const letGo = this.#connection.platform.keepAlive();
    try {
      while (!stopping.aborted) {
        if (slots.free === 0) {
          await slots.nextEnd();
          continue;
        }
        const attempt = await this.#next(workerId, stopping);
        if (attempt === null) continue;
        this.#connection.logger.debug("Claimed a job", traceOf(attempt));
        slots.run(runAttempt(this.#connection, attempt, this.#registry.get(attempt.handler)));
      }
    } finally {
      await slots.allEnded();
      letGo();
    }
  }

  #failures = 0;

  /** One poll, and the pause after one that failed. Null when it brought nothing; throws when polling is pointless. */
  async #next(workerId: string, stopping: AbortSignal): Promise<Attempt | null> {
    const { logger, platform, retryDelayMs } = this.#connection;
    const askedAt = platform.monotonicMs();
    try {
      const attempt = await claim(this.#connection, { handlers: this.#registry.names, workerId, stopping });
      this.#failures = 0;
      if (attempt === null && platform.monotonicMs() - askedAt < SHORTEST_POLL_MS) {
        await sleep(platform, retryDelayMs, stopping);
      }
      return attempt;
    } catch (error) {
      if (stopping.aborted) return null;
      if (!isPassingForWorker(error)) {
        logger.error(`The worker stops: ${String(error)}`, { workerId });
        throw error;
      }
      this.#failures += 1;
      const pause = pauseMs(this.#connection, this.#failures, error);
      logger.warn(`A poll failed, trying again in ${pause} ms: ${String(error)}`, { workerId });
      await sleep(platform, pause, stopping);
      return null;
    }
  }
}
