// A job as the SDK shows it: the API's names in camelCase, its times as Dates. The contents of payload, result and
// headers are the user's own and are never renamed.

import type { ExecutionErrorCode } from "./execution.ts";
import type { RawJson } from "./raw-json.ts";
import type { WaitingOn } from "./waiting-on.ts";

/** `pending` → `queued` (pull: waits for a worker) → `running` → one of the three ends; `retrying` between two attempts. */
export type JobStatus = "pending" | "queued" | "running" | "retrying" | "completed" | "failed" | "cancelled";

/** Who made the job: a call of the API, the tick of a schedule, or an event that goes to a webhook. */
export type JobOrigin = "api" | "schedule" | "event";

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** A worker fetches the job; with `queue` it goes to that Cloudflare Queue instead. */
export interface PullDelivery {
  type: "pull";
  queue?: string | undefined;
}

/** The service calls your endpoint. */
export interface PushDelivery {
  type: "push";
  http: { url: string; method: HttpMethod; headers?: Record<string, string> | undefined };
}

/** A URL that is told how one job ended, as a webhook is: verify it with `verifyWebhook()`. */
export interface Callback {
  url: string;
  /** Sent beside those of the service. */
  headers?: Record<string, string> | undefined;
}

/** Who is told how one job ended. At least one of them. */
export interface Callbacks {
  completed?: Callback | undefined;
  failed?: Callback | undefined;
}

/**
 * A job, as its owner knew it at the moment of the answer.
 *
 * @example
 * ```ts
 * import { Chronos, type Job } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const job: Job = await chronos.jobs.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * console.log(job.status, job.attempts, job.completedAt?.toISOString());
 * ```
 */
export interface Job<TPayload = unknown, TResult = unknown> {
  id: string;
  /** Null for a one-off job. */
  scheduleId: string | null;
  name: string;
  handler: string | null;
  status: JobStatus;
  payload: TPayload | null;
  /** The payload as it was sent, where parsing may have changed it: integers beyond 2^53, keys that occur twice. */
  payloadText: string | null;
  delivery: PullDelivery | PushDelivery;
  /** Seconds one attempt may take. */
  timeout: number;
  /** Retries after the first attempt. */
  maxRetries: number;
  idempotencyKey: string | null;
  tags: string[];
  /** The flow whose limits hold for this job. */
  flow: string | null;
  /** Who is told how this job ends. */
  callbacks: Callbacks | null;
  /** How the pauses between attempts grow; null for the service's own rule. */
  backoff: Backoff | null;
  /** The nominal time. Retries do not change it; `update()` may. */
  scheduledFor: Date;
  /** No attempt starts later: the job then fails with `expired`. */
  expiresAt: Date | null;
  /** When the next attempt is due; null once the job has ended. */
  runAt: Date | null;
  /** Executions started so far. */
  attempts: number;
  lastError: { code: ExecutionErrorCode; message: string } | null;
  /** What a pull worker returned. */
  result: TResult | null;
  /** The result as it was sent. */
  resultText: string | null;
  origin: JobOrigin;
  /** Grows with each change. Given as `ifMatch`, it makes a change apply to this state of the job or to none. */
  revision: number;
  createdAt: Date;
  updatedAt: Date;
  /** When it ended, whatever the end. */
  completedAt: Date | null;
  /** Why it has not run yet; null while it runs and once it has ended. Only `jobs.get()` tells it: elsewhere it is undefined. */
  waitingOn?: WaitingOn | null | undefined;
}

/** A span of time as the API takes it. */
export interface Delay {
  /** An integer of at least 1. */
  value: number;
  unit: "second" | "minute" | "hour" | "day" | "week";
}

/**
 * One of the three, or none for "as soon as possible". A string must be ISO 8601 with an offset, unless `timezone` says
 * whose clock shows it.
 */
export type When =
  | { delay?: Delay | undefined; scheduledFor?: undefined; timezone?: undefined }
  | { delay?: undefined; scheduledFor?: Date | string | undefined; timezone?: undefined }
  | {
      delay?: undefined;
      /** A time on the wall, without an offset: `2030-03-31T09:00`. One that a clock change skips is the first moment after it. */
      scheduledFor: string;
      /** An IANA zone, such as `Europe/London`. */
      timezone: string;
    };

/** The pauses between attempts, in seconds. */
export type Backoff =
  | {
      /** `exponential` doubles the pause from attempt to attempt, `fixed` keeps it. */
      type: "exponential" | "fixed";
      /** The first pause, 1–86,400 s. Default 1. */
      initial?: number | undefined;
      /** The longest pause, 1–86,400 s. Default 3600, or `initial` if that is longer. */
      max?: number | undefined;
      /** Adds a random part, so that jobs that failed together do not return together. Default true. */
      jitter?: boolean | undefined;
      delays?: undefined;
    }
  | {
      type: "list";
      /** 1–50 pauses; the last one repeats. */
      delays: readonly number[];
      initial?: undefined;
      max?: undefined;
      jitter?: undefined;
    };

/** Input fields that jobs and schedules share. */
export interface AttemptFields {
  /** Seconds one attempt may take: the lease of a pull worker, the patience with a push target. Default 30. */
  timeout?: number | undefined;
  /** Retries after the first attempt, 0–50. Default 3. */
  maxRetries?: number | undefined;
  /** Labels to find and select jobs by: at most 10 different ones, each of 1–64 characters. */
  tags?: readonly string[] | undefined;
  /** The flow whose limits hold, 1–255 characters. A flow that nobody has defined has none. */
  flow?: string | undefined;
  /** Who is told how the job ends, beside the account's webhooks. */
  callbacks?: Callbacks | undefined;
  /** Default: exponential from 1 s to an hour, with jitter. */
  backoff?: Backoff | undefined;
  /** From the nominal time on: no attempt starts later, nor a retry that would. */
  expiresAfter?: Delay | undefined;
}

interface NewJobFields extends AttemptFields {
  /** For people; 1–255 characters. */
  name: string;
}

/** The key that makes a creation safe to repeat, and the rule for a key that is in use. */
export type Key =
  | {
      /** Unique within the account while the job exists. It is what makes `create()` safe to repeat. */
      idempotencyKey?: string | undefined;
      onConflict?: undefined;
    }
  | {
      idempotencyKey: string;
      /**
       * `replace` overwrites the job that holds the key while it is `pending`; once it has started or ended, the key moves
       * to the new job. So a burst of edits becomes one job. Default `reject`.
       */
      onConflict?: "reject" | "replace" | undefined;
    };

/** A payload that must be given when its type says so. */
type PayloadField<TPayload> = unknown extends TPayload
  ? { payload?: object | null | undefined }
  : null extends TPayload
    ? { payload?: TPayload | RawJson | undefined }
    : undefined extends TPayload
      ? { payload?: TPayload | RawJson | null }
      : { payload: TPayload | RawJson };

export interface HandledFields<Name extends string> {
  /** Routes the job to the function of this name; it is compared letter by letter. */
  handler: Name;
  delivery?: PullDelivery | PushDelivery | undefined;
}

/** What `jobs.create()` takes. Payloads must be JSON objects of at most 64 KB; delivery is pull unless said otherwise. */
export type NewJob<Name extends string = string, TPayload = unknown> = NewJobFields &
  Key &
  When &
  PayloadField<TPayload> &
  HandledFields<Name>;

/** A NewJob whose payload is given whatever its type: what a function that is generic over the name can promise. */
export type NewJobWithPayload<Name extends string, TPayload> = NewJobFields &
  Key &
  When &
  HandledFields<Name> & { payload: TPayload };

/** A push job needs no handler name: its target is the URL. */
export type NewPushJob = NewJobFields &
  Key &
  When & { payload?: object | null | undefined; handler?: undefined; delivery: PushDelivery };

/** The payload in a change: any object if its type is not known. */
export type ChangedPayload<TPayload> = (unknown extends TPayload ? object : TPayload) | RawJson | null | undefined;

/** Every field may also be null, for its default. */
export type Resettable<T> = { [Name in keyof T]: T[Name] | null };

/**
 * The changes of `jobs.update()`. A field that is left out or undefined stays as it is; null resets it to its default. A
 * `delay` counts from now.
 */
export type JobChanges<Name extends string = string, TPayload = unknown> = Resettable<AttemptFields> &
  When & {
    name?: string | undefined;
    payload?: ChangedPayload<TPayload>;
    handler?: Name | null | undefined;
    delivery?: PullDelivery | PushDelivery | null | undefined;
  };

/** Selects jobs, in a list and for a bulk action. */
export interface JobSelection<Name extends string = string> {
  status?: JobStatus | readonly JobStatus[] | undefined;
  handler?: Name | undefined;
  /** A schedule's id, or null for one-off jobs only. */
  scheduleId?: string | null | undefined;
  idempotencyKey?: string | undefined;
  /** Jobs that have all of these tags. */
  tag?: string | readonly string[] | undefined;
  flow?: string | undefined;
  /** The whole name, letter by letter. */
  name?: string | undefined;
  /** Default: all but `event`. */
  origin?: JobOrigin | readonly JobOrigin[] | undefined;
  createdAfter?: Date | string | undefined;
  createdBefore?: Date | string | undefined;
  scheduledAfter?: Date | string | undefined;
  scheduledBefore?: Date | string | undefined;
  /** Of the job's last error, such as `timeout`. */
  errorCode?: string | undefined;
  /** Where jobs are pushed to: `example.com`, or `example.com:8443`. */
  host?: string | undefined;
}

/** What `jobs.list()` can be narrowed by. */
export interface JobFilters<Name extends string = string> extends JobSelection<Name> {
  /** Jobs a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}
