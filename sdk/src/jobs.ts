// Jobs over the API, one by one and many at once. Which calls are repeated after a fault is decided here, call by call.

import { IdempotencyKeyConflictError, isPassing, isUntouched, PreconditionFailedError } from "./api-error.ts";
import type { BulkAction, BulkCount, NewBulkAction } from "./bulk-action.ts";
import {
  type CallLimits,
  type CallOptions,
  type ChangeOptions,
  type CreateOptions,
  changeLimitsOf,
  createLimitsOf,
  limitsOf,
} from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { type BatchEntry, createMany } from "./create-many.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { GivenPayload, HandlerName, PayloadOf, ResultOf } from "./handlers.ts";
import type { HttpCall } from "./http.ts";
import type { Job, JobChanges, JobFilters, NewJob, NewJobWithPayload, NewPushJob } from "./job.ts";
import { kindOf } from "./known-fields.ts";
import { onceDone } from "./once-done.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import { isTheJobWeAskedFor, readsAsAsked } from "./same-job.ts";
import { executionFromWire, jobFromWire, toJson, type WireJob } from "./wire.ts";
import { bulkFromWire, countFromWire, newBulkToWire, type WireBulkAction } from "./wire-bulk.ts";
import { filtersToWire, jobChangesToWire, newJobToWire } from "./wire-job-input.ts";

/** The job a client of this map knows under this name. */
type JobOf<M, Name extends keyof M> = Job<PayloadOf<M, Name>, ResultOf<M, Name>>;

/** One input of `jobs.createMany()`: a job for any handler of the map. */
export type ManyJob<M> =
  | ({ [Name in HandlerName<M>]: NewJob<Name, PayloadOf<M, Name>> }[HandlerName<M>] & { onConflict?: undefined })
  | (NewPushJob & { onConflict?: undefined });

/**
 * The jobs of the account. Reached as `chronos.jobs`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const job = await chronos.jobs.create({
 *   name: "Welcome mail",
 *   handler: "email",
 *   payload: { to: "ada@example.com" },
 *   delay: { value: 10, unit: "minute" },
 *   idempotencyKey: "welcome-ada",
 * });
 * console.log(job.id, job.scheduledFor);
 * ```
 */
export class Jobs<M> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Creates a job. Repeated by itself after 429, which creates nothing; after a network fault or a 5xx only with an
   * `idempotencyKey`, since the first try may have got through. If it had, the service answers
   * the second with 409; that job is then returned as ours if it says the same in every field.
   * Any other 409 throws IdempotencyKeyConflictError. With `onConflict: "replace"` it is repeated only after 429: the job
   * of a lost try may have started, and a second job would follow.
   */
  create<Name extends HandlerName<M>>(
    input: NewJob<Name, PayloadOf<M, Name>>,
    options?: CreateOptions,
  ): Promise<JobOf<M, Name>>;
  create<Name extends HandlerName<M>>(
    input: NewJobWithPayload<Name, GivenPayload<M, Name>>,
    options?: CreateOptions,
  ): Promise<JobOf<M, Name>>;
  create(input: NewPushJob, options?: CreateOptions): Promise<Job>;
  async create(input: object, options?: CreateOptions): Promise<Job> {
    const job = newJobToWire(input as NewJob | NewPushJob);
    const body = toJson("The job", job);
    const isSafe = job.idempotency_key != null && job.on_conflict !== "replace";
    const { traceparent, ...limits } = createLimitsOf(this.#connection, "jobs.create()", options);
    return onceDone(this.#connection, { method: "POST", path: "/v1/jobs", body, traceparent }, limits, {
      read: readJob,
      mayRepeat: isSafe ? isPassing : isUntouched,
      lookAgain: (refusal, sinceAskedMs) => {
        if (!(refusal instanceof IdempotencyKeyConflictError) || refusal.data === null) return undefined;
        return isTheJobWeAskedFor(refusal.data, body, sinceAskedMs) ? refusal.data : undefined;
      },
    });
  }

  /** One job, as its owner knows it now, with what it waits on. 404 `job_not_found` if there is none. */
  get<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<JobOf<M, Name>>;
  async get(id: string, options?: CallOptions): Promise<Job> {
    return this.#get(id, limitsOf(this.#connection, "jobs.get()", options));
  }

  /** The account's jobs, newest first. Nothing is read before you iterate or ask for a page. */
  list<Name extends HandlerName<M> = HandlerName<M>>(
    filters?: JobFilters<Name>,
    options?: CallOptions,
  ): PagedList<JobOf<M, Name>>;
  list(filters: JobFilters = {}, options?: CallOptions): PagedList<Job> {
    const call = { name: "jobs.list()", path: "/v1/jobs", query: filtersToWire(filters), size: filters.size, options };
    return pagedList(this.#connection, call, jobFromWire);
  }

  /** The executions of a job, oldest first. */
  executions(id: string, options?: CallOptions): PagedList<Execution> {
    const path = `${jobPath(id)}/executions`;
    const call = { name: "jobs.executions()", path, query: [], size: undefined, options };
    return pagedList(this.#connection, call, executionFromWire);
  }

  /**
   * Cancels a job; a running attempt can no longer change it. 409 `job_not_cancellable` if it has ended. Repeated after
   * a fault: should the lost try have got through, the cancelled job is returned all the same.
   */
  cancel<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<JobOf<M, Name>>;
  async cancel(id: string, options?: CallOptions): Promise<Job> {
    const limits = limitsOf(this.#connection, "jobs.cancel()", options);
    return onceDone(this.#connection, { method: "POST", path: `${jobPath(id)}/cancel` }, limits, {
      read: readJob,
      lookAgain: async ({ code }) => {
        if (code !== "job_not_cancellable") return undefined;
        const job = await this.#get(id, limits);
        return job.status === "cancelled" ? job : undefined;
      },
    });
  }

  /**
   * Changes what is given: everything of a `pending` job, all but the time of a `retrying` one, else 409
   * `job_not_editable`. A null resets a field to its default, a `delay` counts from now. An attempt that starts meanwhile has all
   * of the change or nothing of it. With `ifMatch`, PreconditionFailedError if the job has changed since. Repeated after a
   * fault; if the job can then no longer be changed but reads as asked, it is returned.
   */
  update<Name extends HandlerName<M> = HandlerName<M>>(
    id: string,
    changes: JobChanges<Name, PayloadOf<M, Name>>,
    options?: ChangeOptions,
  ): Promise<JobOf<M, Name>>;
  async update(id: string, changes: object, options?: ChangeOptions): Promise<Job> {
    const body = toJson("The change", jobChangesToWire(changes));
    const { ifMatch, ...limits } = changeLimitsOf(this.#connection, "jobs.update()", options);
    return onceDone(this.#connection, { method: "PATCH", path: jobPath(id), body, ifMatch }, limits, {
      read: readJob,
      lookAgain: async (refusal) => {
        const isChanged = refusal instanceof PreconditionFailedError;
        if (!isChanged && refusal.code !== "job_not_editable") return undefined;
        const job = await this.#get(id, limits);
        return readsAsAsked(job, body) ? job : undefined;
      },
    });
  }

  /**
   * Runs a `pending` or `retrying` job now; its `scheduledFor` stays. Else 409 `job_not_runnable`. Repeated by itself only
   * after 429: after a lost answer the job may have run and failed, and would not wait for its retry.
   */
  run<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<JobOf<M, Name>>;
  async run(id: string, options?: CallOptions): Promise<Job> {
    const limits = limitsOf(this.#connection, "jobs.run()", options);
    return this.#job({ method: "POST", path: `${jobPath(id)}/run` }, limits, isUntouched);
  }

  /**
   * Deletes an ended job with its executions, and frees its key; else 409 `job_not_deletable`. Repeated after a fault: a job
   * that is then gone is as good as deleted.
   */
  async delete(id: string, options?: ChangeOptions): Promise<void> {
    const { ifMatch, ...limits } = changeLimitsOf(this.#connection, "jobs.delete()", options);
    const call: HttpCall = { method: "DELETE", path: jobPath(id), ifMatch };
    await onceDone<null>(this.#connection, call, limits, {
      read: () => null,
      lookAgain: async ({ code }) => (code === "job_not_found" ? null : undefined),
    });
  }

  /**
   * Runs a failed or cancelled job again, now, with a fresh retry budget. Else 409 `job_not_retryable`. Repeated by
   * itself only after 429: after a lost answer the job may have run and failed anew, so that is for you to judge.
   */
  retry<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<JobOf<M, Name>>;
  async retry(id: string, options?: CallOptions): Promise<Job> {
    const limits = limitsOf(this.#connection, "jobs.retry()", options);
    return this.#job({ method: "POST", path: `${jobPath(id)}/retry` }, limits, isUntouched);
  }

  /**
   * Creates any number of jobs, up to a hundred in one request. Resolves with an entry for each, in their order:
   * `created: false` with the job that already holds its key. A batch is created as a whole or not at all. If a batch after
   * the first fails, CreateManyError tells what became of those before.
   *
   * A batch is repeated like `create()`: after a network fault or a 5xx only if each of its jobs has an `idempotencyKey`.
   */
  createMany(inputs: readonly ManyJob<M>[], options?: CreateOptions): Promise<BatchEntry<JobOf<M, HandlerName<M>>>[]>;
  async createMany(inputs: readonly object[], options?: CreateOptions): Promise<BatchEntry[]> {
    if (!Array.isArray(inputs)) throw new ChronosConfigError(`The jobs must be an array, not ${kindOf(inputs)}`);
    const encoder = new TextEncoder();
    const written = inputs.map((input: NewJob | NewPushJob, i) => {
      const job = newJobToWire(input);
      if (job.on_conflict !== undefined) throw new ChronosConfigError("createMany() knows no onConflict: use create()");
      const json = toJson(`The job ${i}`, job);
      return { json, bytes: encoder.encode(json).byteLength, idempotencyKey: job.idempotency_key };
    });
    return createMany(this.#connection, written, createLimitsOf(this.#connection, "jobs.createMany()", options));
  }

  /**
   * Starts a bulk action: cancels, retries, runs or deletes all jobs that a filter or a list of ids selects now. Follow it
   * with `chronos.bulk`. A `dryRun` only counts them. An action is repeated by itself only after 429: after a lost answer it
   * may be under way, see `bulk.list()`; a dry run is repeated after any fault.
   */
  bulk(bulk: NewBulkAction<HandlerName<M>> & { dryRun: true }, options?: CallOptions): Promise<BulkCount>;
  bulk(
    bulk: NewBulkAction<HandlerName<M>> & { dryRun?: false | undefined },
    options?: CallOptions,
  ): Promise<BulkAction>;
  bulk(bulk: NewBulkAction<HandlerName<M>>, options?: CallOptions): Promise<BulkAction | BulkCount>;
  async bulk(bulk: NewBulkAction, options?: CallOptions): Promise<BulkAction | BulkCount> {
    const body = toJson("The bulk action", newBulkToWire(bulk));
    const limits = limitsOf(this.#connection, "jobs.bulk()", options);
    const isDryRun = bulk.dryRun === true;
    const call: HttpCall = { method: "POST", path: "/v1/bulk-actions", body };
    const { data } = await retrying(this.#connection, call, limits, isDryRun ? isPassing : isUntouched);
    return isDryRun ? countFromWire(data as WireBulkAction) : bulkFromWire(data as WireBulkAction);
  }

  #get(id: string, limits: CallLimits): Promise<Job> {
    return this.#job({ method: "GET", path: jobPath(id) }, limits, isPassing);
  }

  async #job(call: HttpCall, limits: CallLimits, mayRepeat: (error: unknown) => boolean): Promise<Job> {
    const { data } = await retrying(this.#connection, call, limits, mayRepeat);
    return readJob(data);
  }
}

const readJob = (data: unknown): Job => jobFromWire(data as WireJob);

/** An empty id would address the list instead of a job. */
function jobPath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A job's id is required");
  return `/v1/jobs/${encodeURIComponent(id)}`;
}
