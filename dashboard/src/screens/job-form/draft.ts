// A job as somebody is writing it: every field is the text of its input. `body.ts` makes a request of it.

import type { Job } from "../../api/job.ts";
import { headerLines } from "../../ui/typed-headers.ts";

export interface Draft {
  readonly name: string;
  readonly delivery: "pull" | "push" | "queue";
  readonly handler: string;
  readonly queue: string;
  readonly url: string;
  readonly method: string;
  /** One on each line: `Name: value`. */
  readonly headers: string;
  readonly when: "now" | "delay" | "at";
  readonly delayValue: string;
  readonly delayUnit: string;
  /** The clock on the wall of `timezone`, as a `datetime-local` field gives it. */
  readonly at: string;
  readonly timezone: string;
  /** JSON, sent as it is written. */
  readonly payload: string;
  readonly timeout: string;
  readonly maxRetries: string;
  readonly backoff: "default" | "exponential" | "fixed" | "list";
  readonly backoffInitial: string;
  readonly backoffMax: string;
  readonly backoffJitter: boolean;
  /** Seconds, with commas between. */
  readonly backoffDelays: string;
  readonly expiresValue: string;
  readonly expiresUnit: string;
  /** With commas between, or one on each line. */
  readonly tags: string;
  readonly flow: string;
  readonly idempotencyKey: string;
  readonly onConflict: string;
  readonly completedUrl: string;
  readonly completedHeaders: string;
  readonly failedUrl: string;
  readonly failedHeaders: string;
}

export const emptyDraft = (timezone: string): Draft => ({
  name: "",
  delivery: "pull",
  handler: "",
  queue: "",
  url: "",
  method: "POST",
  headers: "",
  when: "now",
  delayValue: "5",
  delayUnit: "minute",
  at: "",
  timezone,
  payload: "",
  timeout: "",
  maxRetries: "",
  backoff: "default",
  backoffInitial: "",
  backoffMax: "",
  backoffJitter: true,
  backoffDelays: "",
  expiresValue: "",
  expiresUnit: "hour",
  tags: "",
  flow: "",
  idempotencyKey: "",
  onConflict: "reject",
  completedUrl: "",
  completedHeaders: "",
  failedUrl: "",
  failedHeaders: "",
});

/** A job to begin from. Its time and its key are its own and are not taken along. */
export function draftOf(job: Job, timezone: string): Draft {
  const { delivery, backoff, callbacks, expires_at, scheduled_for } = job;
  const http = delivery.type === "push" ? delivery.http : undefined;
  const expiresMs = expires_at === null ? null : Date.parse(expires_at) - Date.parse(scheduled_for);
  return {
    ...emptyDraft(timezone),
    name: job.name,
    delivery: delivery.type === "push" ? "push" : delivery.queue ? "queue" : "pull",
    handler: job.handler ?? "",
    queue: (delivery.type === "pull" && delivery.queue) || "",
    url: http?.url ?? "",
    method: http?.method ?? "POST",
    headers: headerLines(http?.headers),
    payload: job.payload_text ?? "",
    timeout: String(job.timeout),
    maxRetries: String(job.max_retries),
    backoff: backoff?.type ?? "default",
    backoffInitial: String(backoff?.initial ?? ""),
    backoffMax: String(backoff?.max ?? ""),
    backoffJitter: backoff?.jitter ?? true,
    backoffDelays: backoff?.delays?.join(", ") ?? "",
    expiresValue: expiresMs === null ? "" : String(Math.round(expiresMs / 1_000)),
    expiresUnit: expiresMs === null ? "hour" : "second",
    tags: job.tags.join("\n"),
    flow: job.flow ?? "",
    completedUrl: callbacks?.completed?.url ?? "",
    completedHeaders: headerLines(callbacks?.completed?.headers),
    failedUrl: callbacks?.failed?.url ?? "",
    failedHeaders: headerLines(callbacks?.failed?.headers),
  };
}
