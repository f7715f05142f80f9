// A job as the SDK shows it: the API's names in camelCase, its times as Dates. The contents of payload, result and
// headers are the user's own and are never renamed.

import type { RawJson } from "./raw-json.ts";

/** `pending` → `queued` (pull: waits for a worker) → `running` → one of the three ends; `retrying` between two attempts. */
export type JobStatus = "pending" | "queued" | "running" | "retrying" | "completed" | "failed" | "cancelled";

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
  /** The nominal time; it never changes. */
  scheduledFor: Date;
  /** When the next attempt is due; null once the job has ended. */
  runAt: Date | null;
  /** Executions started so far. */
  attempts: number;
  lastError: { code: string; message: string } | null;
  /** What a pull worker returned. */
  result: TResult | null;
  /** The result as it was sent. */
  resultText: string | null;
  createdAt: Date;
  updatedAt: Date;
  /** When it ended, whatever the end. */
  completedAt: Date | null;
}

/** A span of time as the API takes it. */
export interface Delay {
  /** An integer of at least 1. */
  value: number;
  unit: "second" | "minute" | "hour" | "day" | "week";
}

/** Either of them, or neither for "as soon as possible". A string must be ISO 8601 with an offset. */
export type When =
  | { delay?: Delay | undefined; scheduledFor?: undefined }
  | { delay?: undefined; scheduledFor?: Date | string | undefined };

interface NewJobFields {
  /** For people; 1–255 characters. */
  name: string;
  /** Unique within the account while the job exists. It is what makes `create()` safe to repeat. */
  idempotencyKey?: string | undefined;
  /** Seconds one attempt may take: the lease of a pull worker, the patience with a push target. Default 30. */
  timeout?: number | undefined;
  /** Retries after the first attempt, 0–50. Default 3. */
  maxRetries?: number | undefined;
}

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
  When &
  PayloadField<TPayload> &
  HandledFields<Name>;

/** A NewJob whose payload is given whatever its type: what a function that is generic over the name can promise. */
export type NewJobWithPayload<Name extends string, TPayload> = NewJobFields &
  When &
  HandledFields<Name> & { payload: TPayload };

/** A push job needs no handler name: its target is the URL. */
export type NewPushJob = NewJobFields &
  When & { payload?: object | null | undefined; handler?: undefined; delivery: PushDelivery };

/** What `jobs.list()` can be narrowed by. */
export interface JobFilters<Name extends string = string> {
  status?: JobStatus | readonly JobStatus[] | undefined;
  handler?: Name | undefined;
  /** A schedule's id, or null for one-off jobs only. */
  scheduleId?: string | null | undefined;
  idempotencyKey?: string | undefined;
  createdAfter?: Date | string | undefined;
  createdBefore?: Date | string | undefined;
  /** Jobs a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}
