// Schedules over the API: create, read, change, archive, preview. Which calls are repeated after a fault is decided
// here, call by call.

import { ChronosApiError, isPassing, isUntouched } from "./api-error.ts";
import { type CallLimits, type CallOptions, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import type { GivenPayload, HandlerName, PayloadOf } from "./handlers.ts";
import type { HttpCall } from "./http.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import type {
  FireTime,
  NewPushSchedule,
  NewSchedule,
  NewScheduleWithPayload,
  Recurrence,
  Schedule,
  ScheduleBounds,
  ScheduleChanges,
  ScheduleFilters,
} from "./schedule.ts";
import { toJson } from "./wire.ts";
import {
  changesToWire,
  fireTimeFromWire,
  newScheduleToWire,
  recurrenceToWire,
  scheduleFiltersToWire,
  scheduleFromWire,
  type WireFireTime,
  type WireSchedule,
} from "./wire-schedule.ts";

/** The schedule a client of this map knows under this handler's name. */
type ScheduleOf<M, Name extends keyof M> = Schedule<PayloadOf<M, Name>>;

/**
 * The schedules of the account. Reached as `chronos.schedules`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const schedule = await chronos.schedules.create({
 *   name: "Weekly report",
 *   handler: "report",
 *   cron: "0 9 * * MON",
 *   timezone: "Europe/London",
 * });
 * for (const { local } of await chronos.schedules.preview(schedule.id, 3)) console.log(local);
 * for await (const job of chronos.jobs.list({ scheduleId: schedule.id })) console.log(job.scheduledFor, job.status);
 * ```
 */
export class Schedules<M> {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Creates a schedule. Repeated by itself only after 429, which creates nothing: after a lost answer it may exist, and
   * a second one would run beside it, so look at the list before you try again.
   */
  create<Name extends HandlerName<M>>(
    input: NewSchedule<Name, PayloadOf<M, Name>>,
    options?: CallOptions,
  ): Promise<ScheduleOf<M, Name>>;
  create<Name extends HandlerName<M>>(
    input: NewScheduleWithPayload<Name, GivenPayload<M, Name>>,
    options?: CallOptions,
  ): Promise<ScheduleOf<M, Name>>;
  create(input: NewPushSchedule, options?: CallOptions): Promise<Schedule>;
  async create(input: object, options?: CallOptions): Promise<Schedule> {
    const body = toJson("The schedule", newScheduleToWire(input as NewSchedule | NewPushSchedule));
    const limits = limitsOf(this.#connection, "schedules.create()", options);
    return this.#schedule({ method: "POST", path: "/v1/schedules", body }, limits, isUntouched);
  }

  /** One schedule, as its owner knows it now. 404 `schedule_not_found` if there is none. */
  get<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<ScheduleOf<M, Name>>;
  async get(id: string, options?: CallOptions): Promise<Schedule> {
    return this.#get(id, limitsOf(this.#connection, "schedules.get()", options));
  }

  /** The account's schedules, newest first. Nothing is read before you iterate or ask for a page. */
  list<Name extends HandlerName<M> = HandlerName<M>>(
    filters?: ScheduleFilters<Name>,
    options?: CallOptions,
  ): PagedList<ScheduleOf<M, Name>>;
  list(filters: ScheduleFilters = {}, options?: CallOptions): PagedList<Schedule> {
    const query = scheduleFiltersToWire(filters);
    const call = { name: "schedules.list()", path: "/v1/schedules", query, size: filters.size, options };
    return pagedList(this.#connection, call, scheduleFromWire);
  }

  /**
   * Changes what is given; it takes effect from the next tick, and a new timing counts from now. 409
   * `schedule_completed` or `schedule_archived` if it is over, `schedule_status_changed` if it ended meanwhile. Repeated
   * after a fault: the same change said twice is one.
   */
  update<Name extends HandlerName<M> = HandlerName<M>>(
    id: string,
    changes: ScheduleChanges<Name>,
    options?: CallOptions,
  ): Promise<ScheduleOf<M, Name>>;
  async update(id: string, changes: ScheduleChanges, options?: CallOptions): Promise<Schedule> {
    const body = toJson("The schedule", changesToWire(changes));
    const limits = limitsOf(this.#connection, "schedules.update()", options);
    return this.#schedule({ method: "PATCH", path: schedulePath(id), body }, limits, isPassing);
  }

  /**
   * Ends a schedule and cancels its pending jobs. 409 `schedule_archived` or `schedule_completed` if it is over.
   * Repeated after a fault: should the lost try have got through, the archived schedule is returned all the same.
   */
  archive<Name extends HandlerName<M> = HandlerName<M>>(
    id: string,
    options?: CallOptions,
  ): Promise<ScheduleOf<M, Name>>;
  async archive(id: string, options?: CallOptions): Promise<Schedule> {
    const limits = limitsOf(this.#connection, "schedules.archive()", options);
    let mayBeDone = false;
    try {
      return await this.#schedule({ method: "POST", path: `${schedulePath(id)}/archive` }, limits, (error) => {
        mayBeDone ||= isPassing(error) && !isUntouched(error);
        return isPassing(error);
      });
    } catch (error) {
      if (mayBeDone && error instanceof ChronosApiError && error.code === "schedule_archived") {
        return this.#get(id, limits);
      }
      throw error;
    }
  }

  /**
   * The next fire times, 1–100 of them (10 unless told otherwise), of a schedule or of one that is not yet made; fewer
   * if `runs` or `stopAt` end it before.
   */
  async preview(
    of: string | (Recurrence & ScheduleBounds),
    count?: number,
    options?: CallOptions,
  ): Promise<FireTime[]> {
    const limits = limitsOf(this.#connection, "schedules.preview()", options);
    const { data } = await retrying(this.#connection, previewOf(of, count), limits, isPassing);
    return (data as WireFireTime[]).map(fireTimeFromWire);
  }

  #get(id: string, limits: CallLimits): Promise<Schedule> {
    return this.#schedule({ method: "GET", path: schedulePath(id) }, limits, isPassing);
  }

  async #schedule(call: HttpCall, limits: CallLimits, mayRepeat: (error: unknown) => boolean): Promise<Schedule> {
    const { data } = await retrying(this.#connection, call, limits, mayRepeat);
    return scheduleFromWire(data as WireSchedule);
  }
}

function previewOf(of: string | (Recurrence & ScheduleBounds), count: number | undefined): HttpCall {
  if (typeof of !== "string") {
    const body = toJson("The schedule", { ...recurrenceToWire(of), count });
    return { method: "POST", path: "/v1/schedules/preview", body };
  }
  const path = `${schedulePath(of)}/preview`;
  return count === undefined ? { method: "GET", path } : { method: "GET", path, query: [["count", String(count)]] };
}

/** An empty id would address the list instead of a schedule. */
function schedulePath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A schedule's id is required");
  return `/v1/schedules/${encodeURIComponent(id)}`;
}
