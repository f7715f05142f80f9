// Schedules over the API: create, read, change, pause, trigger, archive, preview. Which calls are repeated after a fault is
// decided here, call by call.

import { isPassing, isUntouched, PreconditionFailedError, ScheduleKeyConflictError } from "./api-error.ts";
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
import { ensureSchedule } from "./ensure-schedule.ts";
import { ChronosConfigError } from "./errors.ts";
import type { GivenPayload, HandlerName, PayloadOf, ResultOf } from "./handlers.ts";
import type { HttpCall } from "./http.ts";
import type { Job } from "./job.ts";
import { onceDone } from "./once-done.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import { isTheScheduleWeAskedFor, readsAsTold } from "./same-schedule.ts";
import type {
  FireTime,
  NewPushSchedule,
  NewSchedule,
  NewScheduleWithPayload,
  PushScheduleSpec,
  Recurrence,
  Schedule,
  ScheduleBounds,
  ScheduleChanges,
  ScheduleFilters,
  ScheduleSpec,
  ScheduleSpecWithPayload,
} from "./schedule.ts";
import { jobFromWire, toJson, type WireJob } from "./wire.ts";
import {
  changesToWire,
  fireTimeFromWire,
  newScheduleToWire,
  recurrenceToWire,
  scheduleFiltersToWire,
  scheduleFromWire,
  scheduleSpecToWire,
  type WireFireTime,
  type WireSchedule,
} from "./wire-schedule.ts";

/** The schedule a client of this map knows under this handler's name. */
type ScheduleOf<M, Name extends keyof M> = Schedule<PayloadOf<M, Name>>;

/** The key is an argument of its own. */
interface KeyGiven {
  idempotencyKey?: undefined;
}

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
   * Creates a schedule. Repeated by itself after 429, which creates nothing; after a network fault or a 5xx only with an
   * `idempotencyKey`, without which a second schedule could run beside the first. If the lost try got through, its schedule is
   * returned; any other that holds the key throws ScheduleKeyConflictError. At the start of a program, `ensure()` is easier.
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
    const hasKey = (input as NewSchedule).idempotencyKey !== undefined;
    return this.#create(body, hasKey, limitsOf(this.#connection, "schedules.create()", options));
  }

  /**
   * Makes the schedule of this key what the spec says, and returns it: creates it, or changes where it differs. A field that
   * the spec leaves out goes back to its default, except `description`, `handler`, `payload`, `runs` and `stopAt`: the API
   * cannot take these away, so they keep their values. To be rid of one, give it a new value or use another key. A schedule
   * that says so already is left alone, so a program can call this at each start, in every process. A paused schedule stays
   * paused. ScheduleEndedError if it is archived or completed; a `stopAt` that has passed is refused with 422.
   */
  ensure<Name extends HandlerName<M>>(
    key: string,
    spec: ScheduleSpec<Name, PayloadOf<M, Name>> & KeyGiven,
    options?: CallOptions,
  ): Promise<ScheduleOf<M, Name>>;
  ensure<Name extends HandlerName<M>>(
    key: string,
    spec: ScheduleSpecWithPayload<Name, GivenPayload<M, Name>> & KeyGiven,
    options?: CallOptions,
  ): Promise<ScheduleOf<M, Name>>;
  ensure(key: string, spec: PushScheduleSpec & KeyGiven, options?: CallOptions): Promise<Schedule>;
  async ensure(key: string, spec: object, options?: CallOptions): Promise<Schedule> {
    if (typeof key !== "string" || key === "")
      throw new ChronosConfigError("ensure() needs a key, a text of your choice");
    const asked = scheduleSpecToWire(spec as ScheduleSpec | PushScheduleSpec);
    const limits = limitsOf(this.#connection, "schedules.ensure()", options);
    return ensureSchedule(this.#connection, key, asked, limits, {
      create: (body) => this.#create(body, true, limits),
      get: (id) => this.#get(id, limits),
      update: (id, body, ifMatch) =>
        this.#schedule({ method: "PATCH", path: schedulePath(id), body, ifMatch }, limits, isPassing),
    });
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
   * Changes what is given; it takes effect from the next tick, and a new timing counts from now. Null takes `tags`, `flow`,
   * `callbacks`, `backoff`, `expiresAfter` and `overlap` back to their defaults; in any other field it throws ChronosConfigError. 409 `schedule_completed` or `schedule_archived` if it is over, `schedule_status_changed` if it ended meanwhile;
   * with `ifMatch`, PreconditionFailedError if it has changed since. Repeated after a fault: the same change said twice is
   * one.
   */
  update<Name extends HandlerName<M> = HandlerName<M>>(
    id: string,
    changes: ScheduleChanges<Name, PayloadOf<M, Name>>,
    options?: ChangeOptions,
  ): Promise<ScheduleOf<M, Name>>;
  async update(id: string, changes: object, options?: ChangeOptions): Promise<Schedule> {
    const body = toJson("The schedule", changesToWire(changes));
    const { ifMatch, ...limits } = changeLimitsOf(this.#connection, "schedules.update()", options);
    return onceDone(this.#connection, { ...SCHEDULE, method: "PATCH", path: schedulePath(id), body, ifMatch }, limits, {
      read: readSchedule,
      lookAgain: async (refusal) => {
        if (!(refusal instanceof PreconditionFailedError)) return undefined;
        const schedule = await this.#get(id, limits);
        return readsAsTold(schedule, body) ? schedule : undefined;
      },
    });
  }

  /** Stops the ticks until `resume()`; they are neither made up for nor counted as missed. Repeated after a fault. */
  pause<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<ScheduleOf<M, Name>>;
  async pause(id: string, options?: CallOptions): Promise<Schedule> {
    const limits = limitsOf(this.#connection, "schedules.pause()", options);
    return this.#schedule({ method: "POST", path: `${schedulePath(id)}/pause` }, limits, isPassing);
  }

  /** Lets a paused schedule tick again. Repeated after a fault. */
  resume<Name extends HandlerName<M> = HandlerName<M>>(id: string, options?: CallOptions): Promise<ScheduleOf<M, Name>>;
  async resume(id: string, options?: CallOptions): Promise<Schedule> {
    const limits = limitsOf(this.#connection, "schedules.resume()", options);
    return this.#schedule({ method: "POST", path: `${schedulePath(id)}/resume` }, limits, isPassing);
  }

  /**
   * Makes a job that is due now, beside the ticks, and returns it. Repeated by itself only after 429: after a lost answer the
   * job may exist, and a second one would run as well.
   */
  trigger<Name extends HandlerName<M> = HandlerName<M>>(
    id: string,
    options?: CreateOptions,
  ): Promise<Job<PayloadOf<M, Name>, ResultOf<M, Name>>>;
  async trigger(id: string, options?: CreateOptions): Promise<Job> {
    const { traceparent, ...limits } = createLimitsOf(this.#connection, "schedules.trigger()", options);
    const call: HttpCall = { method: "POST", path: `${schedulePath(id)}/trigger`, traceparent };
    const { data } = await retrying(this.#connection, call, limits, isUntouched);
    return jobFromWire(data as WireJob);
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
    return onceDone(this.#connection, { method: "POST", path: `${schedulePath(id)}/archive` }, limits, {
      read: readSchedule,
      lookAgain: async ({ code }) => (code === "schedule_archived" ? this.#get(id, limits) : undefined),
    });
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

  #create(body: string, hasKey: boolean, limits: CallLimits): Promise<Schedule> {
    return onceDone(this.#connection, { ...SCHEDULE, method: "POST", path: "/v1/schedules", body }, limits, {
      read: readSchedule,
      mayRepeat: hasKey ? isPassing : isUntouched,
      lookAgain: (refusal, sinceAskedMs) => {
        if (!(refusal instanceof ScheduleKeyConflictError) || refusal.data === null) return undefined;
        return isTheScheduleWeAskedFor(refusal.data, body, sinceAskedMs) ? refusal.data : undefined;
      },
    });
  }

  async #schedule(call: HttpCall, limits: CallLimits, mayRepeat: (error: unknown) => boolean): Promise<Schedule> {
    const { data } = await retrying(this.#connection, { ...SCHEDULE, ...call }, limits, mayRepeat);
    return readSchedule(data);
  }
}

const SCHEDULE = { about: "schedule" } as const;

const readSchedule = (data: unknown): Schedule => scheduleFromWire(data as WireSchedule);

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
