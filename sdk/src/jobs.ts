// Jobs over the API: create, read, cancel, retry. Which calls are repeated after a fault is decided here, call by call.

import { ChronosApiError, IdempotencyKeyConflictError, isPassing, isUntouched } from "./api-error.ts";
import { type CallLimits, type CallOptions, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { GivenPayload, HandlerName, PayloadOf, ResultOf } from "./handlers.ts";
import type { HttpCall } from "./http.ts";
import type { Job, JobFilters, NewJob, NewJobWithPayload, NewPushJob } from "./job.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import { isTheJobWeAskedFor } from "./same-job.ts";
import {
  executionFromWire,
  filtersToWire,
  jobFromWire,
  type NewWireJob,
  newJobToWire,
  toJson,
  type WireJob,
} from "./wire.ts";

/** The job a client of this map knows under this name. */
type JobOf<M, Name extends keyof M> = Job<PayloadOf<M, Name>, ResultOf<M, Name>>;

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
   * Any other 409 throws IdempotencyKeyConflictError.
   */
  create<Name extends HandlerName<M>>(
    input: NewJob<Name, PayloadOf<M, Name>>,
    options?: CallOptions,
  ): Promise<JobOf<M, Name>>;
  create<Name extends HandlerName<M>>(
    input: NewJobWithPayload<Name, GivenPayload<M, Name>>,
    options?: CallOptions,
  ): Promise<JobOf<M, Name>>;
  create(input: NewPushJob, options?: CallOptions): Promise<Job>;
  async create(input: object, options?: CallOptions): Promise<Job> {
    const job = newJobToWire(input as NewJob | NewPushJob);
    const body = toJson("The job", job);
    const { platform } = this.#connection;
    const limits = limitsOf(this.#connection, "jobs.create()", options);
    const askedAt = platform.monotonicMs();
    let mayExist = false;
    try {
      return await this.#job({ method: "POST", path: "/v1/jobs", body }, limits, (error) => {
        if (isUntouched(error)) return true;
        if (!isPassing(error) || job.idempotency_key == null) return false;
        mayExist = true;
        return true;
      });
    } catch (error) {
      if (!mayExist || !(error instanceof IdempotencyKeyConflictError) || error.data === null) throw error;
      const sent: NewWireJob = JSON.parse(body);
      if (!isTheJobWeAskedFor(error.data, sent, platform.monotonicMs() - askedAt)) throw error;
      return error.data;
    }
  }

  /** One job, as its owner knows it now. 404 `job_not_found` if there is none. */
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
    let mayBeDone = false;
    try {
      return await this.#job({ method: "POST", path: `${jobPath(id)}/cancel` }, limits, (error) => {
        mayBeDone ||= isPassing(error) && !isUntouched(error);
        return isPassing(error);
      });
    } catch (error) {
      if (!mayBeDone || !(error instanceof ChronosApiError) || error.code !== "job_not_cancellable") throw error;
      const job = await this.#get(id, limits);
      if (job.status !== "cancelled") throw error;
      return job;
    }
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

  #get(id: string, limits: CallLimits): Promise<Job> {
    return this.#job({ method: "GET", path: jobPath(id) }, limits, isPassing);
  }

  async #job(call: HttpCall, limits: CallLimits, mayRepeat: (error: unknown) => boolean): Promise<Job> {
    const { data } = await retrying(this.#connection, call, limits, mayRepeat);
    return jobFromWire(data as WireJob);
  }
}

/** An empty id would address the list instead of a job. */
function jobPath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A job's id is required");
  return `/v1/jobs/${encodeURIComponent(id)}`;
}
