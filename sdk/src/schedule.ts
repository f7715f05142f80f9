// A schedule as the SDK shows it and takes it: the API's names in camelCase, its times as Dates.

import type {
  AttemptFields,
  Backoff,
  Callbacks,
  ChangedPayload,
  Delay,
  HandledFields,
  NewJob,
  PullDelivery,
  PushDelivery,
  Resettable,
} from "./job.ts";

/** `active` → `completed` (by `runs` or `stopAt`) or `archived` (by hand); `paused` until it is resumed. */
export type ScheduleStatus = "active" | "paused" | "completed" | "archived";

/** The rule for a tick while the previous tick's job has not ended: `allow` makes a job anyway, `skip` makes none. */
export type Overlap = "allow" | "skip";

/**
 * A schedule, as its owner knew it at the moment of the answer. Each of its ticks becomes one job.
 *
 * @example
 * ```ts
 * import { Chronos, type Schedule } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const schedule: Schedule = await chronos.schedules.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * console.log(schedule.status, schedule.runCount, schedule.nextRunAt?.toISOString());
 * ```
 */
export interface Schedule<TPayload = unknown> {
  id: string;
  name: string;
  description: string | null;
  status: ScheduleStatus;
  handler: string | null;
  /** Five fields; null when it recurs by `interval`. */
  cron: string | null;
  /** Null when it recurs by `cron`. */
  interval: Delay | null;
  /** The IANA zone in which the cron expression is read. It does not change when an interval fires. */
  timezone: string;
  /** How many jobs it makes at most. */
  runs: number | null;
  /** No tick at or after this moment. */
  stopAt: Date | null;
  idempotencyKey: string | null;
  overlap: Overlap;
  delivery: PullDelivery | PushDelivery;
  payload: TPayload | null;
  /** The payload as it was sent, where parsing may have changed it: integers beyond 2^53, keys that occur twice. */
  payloadText: string | null;
  /** Seconds one attempt of a job may take. */
  timeout: number;
  /** Retries of a job after its first attempt. */
  maxRetries: number;
  /** The tags of its jobs. */
  tags: string[];
  /** The flow whose limits hold for its jobs. */
  flow: string | null;
  /** Who is told how its jobs end. */
  callbacks: Callbacks | null;
  /** How the pauses between a job's attempts grow; null for the service's own rule. */
  backoff: Backoff | null;
  /** How long after its tick a job may still start. */
  expiresAfter: Delay | null;
  /** Null once it is over. */
  nextRunAt: Date | null;
  lastRunAt: Date | null;
  /** How many jobs it has made. */
  runCount: number;
  /** Ticks that fell into an outage and were skipped. */
  missedRuns: number;
  /** Ticks that made no job because the previous one's had not ended (`overlap: "skip"`). */
  skippedRuns: number;
  /** Grows with each change. Given as `ifMatch`, it makes a change apply to this state of the schedule or to none. */
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

/** By the calendar of a zone, or by a length of time counted from tick to tick. */
export type Recurrence =
  | {
      /**
       * Five fields: minute hour day month weekday, such as `0 9 * * MON`. If both day fields are restricted, a day needs
       * to match only one of them; if one begins with `*`, both. An hour that begins with `*` goes by real time when
       * clocks change.
       */
      cron: string;
      interval?: undefined;
      /** An IANA zone, such as `Europe/London`. Default UTC. */
      timezone?: string | undefined;
    }
  | {
      cron?: undefined;
      /** Counted from tick to tick; a day is 24 hours, even when clocks change. */
      interval: Delay;
      /** An IANA zone for the local times of `preview()`; it does not change when the schedule fires. Default UTC. */
      timezone?: string | undefined;
    };

/** When it ends by itself; without either, never. */
export interface ScheduleBounds {
  /** How many jobs it makes at most. */
  runs?: number | undefined;
  /** No tick at or after this moment. A string must be ISO 8601 with an offset. */
  stopAt?: Date | string | undefined;
}

interface ScheduleSpecFields extends ScheduleBounds, AttemptFields {
  /** For people, and the name of its jobs; 1–255 characters. */
  name: string;
  /** For people; at most 1,000 characters. */
  description?: string | undefined;
  /** The rule for a tick while the previous tick's job has not ended. Default `allow`. */
  overlap?: Overlap | undefined;
}

/** Makes a creation safe to repeat. */
interface ScheduleKey {
  /** Unique among the account's schedules, 1–255 characters. */
  idempotencyKey?: string | undefined;
}

/** The spec of a schedule, as `schedules.ensure()` takes it. Delivery is pull by default. */
export type ScheduleSpec<Name extends string = string, TPayload = unknown> = ScheduleSpecFields &
  Recurrence &
  Pick<NewJob<Name, TPayload>, "payload"> &
  HandledFields<Name>;

/** A ScheduleSpec whose payload is given whatever its type: what a function that is generic over the name can promise. */
export type ScheduleSpecWithPayload<Name extends string, TPayload> = ScheduleSpecFields &
  Recurrence &
  HandledFields<Name> & { payload: TPayload };

/** A schedule that pushes needs no handler name: its target is the URL. */
export type PushScheduleSpec = ScheduleSpecFields &
  Recurrence & { payload?: object | null | undefined; handler?: undefined; delivery: PushDelivery };

/** The argument of `schedules.create()`. */
export type NewSchedule<Name extends string = string, TPayload = unknown> = ScheduleSpec<Name, TPayload> & ScheduleKey;

/** A ScheduleSpecWithPayload with a key. */
export type NewScheduleWithPayload<Name extends string, TPayload> = ScheduleSpecWithPayload<Name, TPayload> &
  ScheduleKey;

/** A PushScheduleSpec with a key. */
export type NewPushSchedule = PushScheduleSpec & ScheduleKey;

/** The fields that null takes back to their defaults. */
export type ScheduleResets = Resettable<
  Pick<AttemptFields, "tags" | "flow" | "callbacks" | "backoff" | "expiresAfter"> & { overlap?: Overlap | undefined }
>;

/**
 * The changes of `schedules.update()`. A field that is left out or undefined stays as it is. Null takes `tags`, `flow`,
 * `callbacks`, `backoff`, `expiresAfter` and `overlap` back to their defaults. The other fields accept no null: give them a new value.
 */
export type ScheduleChanges<Name extends string = string, TPayload = unknown> = ScheduleResets &
  Pick<AttemptFields, "timeout" | "maxRetries"> &
  ScheduleBounds &
  ({ cron?: string | undefined; interval?: undefined } | { cron?: undefined; interval?: Delay | undefined }) & {
    name?: string | undefined;
    description?: string | undefined;
    timezone?: string | undefined;
    payload?: Exclude<ChangedPayload<TPayload>, null>;
    handler?: Name | undefined;
    delivery?: PullDelivery | PushDelivery | undefined;
  };

/** What `schedules.list()` can be narrowed by. */
export interface ScheduleFilters<Name extends string = string> {
  status?: ScheduleStatus | readonly ScheduleStatus[] | undefined;
  handler?: Name | undefined;
  /** Schedules a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}

/** A moment at which a schedule fires. */
export interface FireTime {
  at: Date;
  /** As the clock in the schedule's zone shows it, with its offset: `2030-03-31T02:00:00.000+01:00`. */
  local: string;
}
