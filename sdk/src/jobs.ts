// Jobs over the API: create, read, cancel, retry. Which calls are repeated after a fault is decided here, call by call.

import { ChronosApiError, IdempotencyKeyConflictError, isPassing, isUntouched } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import type { Execution } from "./execution.ts";
import type { HandlerName, PayloadOf, ResultOf } from "./handlers.ts";
import type { HttpCall } from "./http.ts";
import type { Job, JobFilters, NewJob, NewPushJob } from "./job.ts";
import { type Page, PagedList, type PagePosition } from "./pages.ts";
import { fieldsToJson } from "./raw-json.ts";
import { retrying } from "./retrying.ts";
import { isTheJobWeAskedFor } from "./same-job.ts";
import {
  executionFromWire,
  filtersToWire,
  jobFromWire,
  newJobToWire,
  type WireExecution,
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
   * the second with 409; that job is then returned as ours if it was made during this very call and says the same.
   * Any other 409 throws IdempotencyKeyConflictError.
   */
  create<Name extends HandlerName<M>>(input: NewJob<Name, PayloadOf<M, Name>>): Promise<JobOf<M, Name>>;
  create(input: NewPushJob): Promise<Job>;
  async create(input: object): Promise<Job> {
    const job = input as NewJob | NewPushJob;
    const body = toJson(newJobToWire(job));
    const askedAt = this.#connection.platform.now();
    let mayExist = false;
    try {
      return await this.#job({ method: "POST", path: "/v1/jobs", body }, (error) => {
        if (isUntouched(error)) return true;
        if (!isPassing(error) || job.idempotencyKey == null) return false;
        mayExist = true;
        return true;
      });
    } catch (error) {
      if (!mayExist || !(error instanceof IdempotencyKeyConflictError) || error.data === null) throw error;
      const now = this.#connection.platform.now();
      // Ages are compared by the service's clock alone where it tells it: ours may differ by more than a call takes.
      const ageMs = (error.answeredAt ?? now) - error.data.createdAt.getTime();
      if (!isTheJobWeAskedFor(error.data, JSON.parse(body), { ageMs, sinceAskedMs: now - askedAt })) throw error;
      return error.data;
    }
  }

  /** One job, as its owner knows it now. 404 `job_not_found` if there is none. */
  get<Name extends HandlerName<M> = HandlerName<M>>(id: string): Promise<JobOf<M, Name>>;
  async get(id: string): Promise<Job> {
    return this.#job({ method: "GET", path: jobPath(id) }, isPassing);
  }

  /** The account's jobs, newest first. Nothing is read before you iterate or ask for a page. */
  list<Name extends HandlerName<M> = HandlerName<M>>(filters?: JobFilters<Name>): PagedList<JobOf<M, Name>>;
  list(filters: JobFilters = {}): PagedList<Job> {
    const query = filtersToWire(filters);
    return this.#list("/v1/jobs", query, filters.size, (item) => jobFromWire(item as WireJob));
  }

  /** The executions of a job, oldest first. */
  executions(id: string): PagedList<Execution> {
    const path = `${jobPath(id)}/executions`;
    return this.#list(path, [], undefined, (item) => executionFromWire(item as WireExecution));
  }

  /**
   * Cancels a job; a running attempt can no longer change it. 409 `job_not_cancellable` if it has ended. Repeated after
   * a fault: should the lost try have got through, the cancelled job is returned all the same.
   */
  cancel<Name extends HandlerName<M> = HandlerName<M>>(id: string): Promise<JobOf<M, Name>>;
  async cancel(id: string): Promise<Job> {
    let mayBeDone = false;
    try {
      return await this.#job({ method: "POST", path: `${jobPath(id)}/cancel` }, (error) => {
        mayBeDone ||= isPassing(error) && !isUntouched(error);
        return isPassing(error);
      });
    } catch (error) {
      if (!mayBeDone || !(error instanceof ChronosApiError) || error.code !== "job_not_cancellable") throw error;
      const job = await this.get(id);
      if (job.status !== "cancelled") throw error;
      return job;
    }
  }

  /**
   * Runs a failed or cancelled job again, now, with a fresh retry budget. Else 409 `job_not_retryable`. Repeated by
   * itself only after 429: after a lost answer the job may have run and failed anew, so that is for you to judge.
   */
  retry<Name extends HandlerName<M> = HandlerName<M>>(id: string): Promise<JobOf<M, Name>>;
  async retry(id: string): Promise<Job> {
    return this.#job({ method: "POST", path: `${jobPath(id)}/retry` }, isUntouched);
  }

  async #job(call: HttpCall, mayRepeat: (error: unknown) => boolean): Promise<Job> {
    const { data } = await retrying(this.#connection, () => this.#connection.http.send(call), mayRepeat);
    return jobFromWire(data as WireJob);
  }

  #list<T>(
    path: string,
    filters: [string, string][],
    size: number | undefined,
    read: (item: unknown) => T,
  ): PagedList<T> {
    const readPage = async (position: PagePosition, pageSize: number | undefined): Promise<Page<T>> => {
      const query = [...filters];
      if (position.page !== undefined) query.push(["page", String(position.page)]);
      if (position.cursor !== undefined) query.push(["cursor", position.cursor]);
      if (pageSize !== undefined) query.push(["size", String(pageSize)]);
      const call: HttpCall = { method: "GET", path, query };
      const { data, meta } = await retrying(this.#connection, () => this.#connection.http.send(call), isPassing);
      const items = (data as unknown[]).map(read);
      const { page = 1, pages = 1, size: told = items.length, total = items.length } = numbersOf(meta?.paging);
      const nextCursor = meta?.paging?.next_cursor;
      return {
        items,
        paging: { page, pages, size: told, total, nextCursor: typeof nextCursor === "string" ? nextCursor : null },
      };
    };
    return new PagedList(readPage, size);
  }
}

function numbersOf(paging: Record<string, unknown> | undefined): Partial<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(paging ?? {}).filter((entry): entry is [string, number] => typeof entry[1] === "number"),
  );
}

/** An empty id would address the list instead of a job. */
function jobPath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A job's id is required");
  return `/v1/jobs/${encodeURIComponent(id)}`;
}

function toJson(value: Record<string, unknown>): string {
  try {
    return fieldsToJson(value);
  } catch (cause) {
    throw new ChronosConfigError("The job cannot be written as JSON", { cause });
  }
}
