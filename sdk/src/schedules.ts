// Schedules over the API: create, read, change, archive, preview. Which calls are repeated after a fault is decided
// here, call by call.

import { ChronosApiError, isPassing, isUntouched } from "./api-error.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import type { HandlerName, PayloadOf } from "./handlers.ts";
import type { Envelope, HttpCall } from "./http.ts";
import { type Page, PagedList, type PagePosition } from "./pages.ts";
import { fieldsToJson } from "./raw-json.ts";
import { retrying } from "./retrying.ts";
import type {
  FireTime,
  NewPushSchedule,
  NewSchedule,
  Recurrence,
  Schedule,
  ScheduleBounds,
  ScheduleChanges,
  ScheduleFilters,
} from "./schedule.ts";
import {
  fireTimeFromWire,
  recurrenceToWire,
  scheduleFiltersToWire,
  scheduleFromWire,
  scheduleToWire,
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
  create<Name extends HandlerName<M>>(input: NewSchedule<Name, PayloadOf<M, Name>>): Promise<ScheduleOf<M, Name>>;
  create(input: NewPushSchedule): Promise<Schedule>;
  async create(input: object): Promise<Schedule> {
    const body = toJson(scheduleToWire(input as NewSchedule | NewPushSchedule));
    return this.#schedule({ method: "POST", path: "/v1/schedules", body }, isUntouched);
  }

  /** One schedule, as its owner knows it now. 404 `schedule_not_found` if there is none. */
  get<Name extends HandlerName<M> = HandlerName<M>>(id: string): Promise<ScheduleOf<M, Name>>;
  async get(id: string): Promise<Schedule> {
    return this.#schedule({ method: "GET", path: schedulePath(id) }, isPassing);
  }

  /** The account's schedules, newest first. Nothing is read before you iterate or ask for a page. */
  list<Name extends HandlerName<M> = HandlerName<M>>(filters?: ScheduleFilters<Name>): PagedList<ScheduleOf<M, Name>>;
  list(filters: ScheduleFilters = {}): PagedList<Schedule> {
    const readPage = async (position: PagePosition, size: number | undefined): Promise<Page<Schedule>> => {
      const query = [...scheduleFiltersToWire(filters)];
      if (position.page !== undefined) query.push(["page", String(position.page)]);
      if (position.cursor !== undefined) query.push(["cursor", position.cursor]);
      if (size !== undefined) query.push(["size", String(size)]);
      return pageOf(await this.#send({ method: "GET", path: "/v1/schedules", query }, isPassing));
    };
    return new PagedList(readPage, filters.size);
  }

  /**
   * Changes what is given; it takes effect from the next tick, and a new timing counts from now. 409
   * `schedule_completed` or `schedule_archived` if it is over, `schedule_status_changed` if it ended meanwhile. Repeated
   * after a fault: the same change said twice is one.
   */
  update<Name extends HandlerName<M> = HandlerName<M>>(
    id: string,
    changes: ScheduleChanges<Name>,
  ): Promise<ScheduleOf<M, Name>>;
  async update(id: string, changes: ScheduleChanges): Promise<Schedule> {
    const body = toJson(scheduleToWire(changes));
    return this.#schedule({ method: PATCH, path: schedulePath(id), body }, isPassing);
  }

  /**
   * Ends a schedule and cancels its pending jobs. 409 `schedule_archived` or `schedule_completed` if it is over.
   * Repeated after a fault: should the lost try have got through, the archived schedule is returned all the same.
   */
  archive<Name extends HandlerName<M> = HandlerName<M>>(id: string): Promise<ScheduleOf<M, Name>>;
  async archive(id: string): Promise<Schedule> {
    let mayBeDone = false;
    try {
      return await this.#schedule({ method: "POST", path: `${schedulePath(id)}/archive` }, (error) => {
        mayBeDone ||= isPassing(error) && !isUntouched(error);
        return isPassing(error);
      });
    } catch (error) {
      if (mayBeDone && error instanceof ChronosApiError && error.code === "schedule_archived") return this.get(id);
      throw error;
    }
  }

  /**
   * The next fire times, 1–100 of them (10 unless told otherwise), of a schedule or of one that is not yet made; fewer
   * if `runs` or `stopAt` end it before.
   */
  async preview(of: string | (Recurrence & ScheduleBounds), count?: number): Promise<FireTime[]> {
    const { data } = await this.#send(previewOf(of, count), isPassing);
    return (data as WireFireTime[]).map(fireTimeFromWire);
  }

  async #schedule(call: HttpCall, mayRepeat: (error: unknown) => boolean): Promise<Schedule> {
    const { data } = await this.#send(call, mayRepeat);
    return scheduleFromWire(data as WireSchedule);
  }

  #send(call: HttpCall, mayRepeat: (error: unknown) => boolean): Promise<Envelope> {
    return retrying(this.#connection, () => this.#connection.http.send(call), mayRepeat);
  }
}

/** HttpCall names the methods of jobs only; any goes over the wire as it is. */
const PATCH = String("PATCH") as HttpCall["method"];

function previewOf(of: string | (Recurrence & ScheduleBounds), count: number | undefined): HttpCall {
  if (typeof of !== "string")
    return { method: "POST", path: "/v1/schedules/preview", body: toJson({ ...recurrenceToWire(of), count }) };
  const path = `${schedulePath(of)}/preview`;
  return count === undefined ? { method: "GET", path } : { method: "GET", path, query: [["count", String(count)]] };
}

function pageOf({ data, meta }: Envelope): Page<Schedule> {
  const items = (data as WireSchedule[]).map(scheduleFromWire);
  const told = meta?.paging ?? {};
  const number = (name: string, otherwise: number) => (typeof told[name] === "number" ? told[name] : otherwise);
  const paging = {
    page: number("page", 1),
    pages: number("pages", 1),
    size: number("size", items.length),
    total: number("total", items.length),
    nextCursor: typeof told.next_cursor === "string" ? told.next_cursor : null,
  };
  return { items, paging };
}

/** An empty id would address the list instead of a schedule. */
function schedulePath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A schedule's id is required");
  return `/v1/schedules/${encodeURIComponent(id)}`;
}

function toJson(value: Record<string, unknown>): string {
  try {
    return fieldsToJson(value);
  } catch (cause) {
    throw new ChronosConfigError("The schedule cannot be written as JSON", { cause });
  }
}
