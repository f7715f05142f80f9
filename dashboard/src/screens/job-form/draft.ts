// A job as somebody is writing it: every field is the text of its input. Pure, and the only place that knows how the texts
// become the body of a request.

import { RawJson, rawJson } from "../../../../sdk/src/raw-json.ts";
import type { FieldError } from "../../api/api-error.ts";
import type { Job } from "../../api/job.ts";

export const UNITS = ["second", "minute", "hour", "day", "week"] as const;
export const METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE"] as const;

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

const headerLines = (headers: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(headers ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

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

/** The fields of a request. A payload is its text. */
export type Body = Readonly<Record<string, unknown>>;

/** The body, and the faults that only this form can see. All others are the service's to find. */
export function bodyOf(draft: Draft): { readonly body: Body; readonly faults: readonly FieldError[] } {
  const faults: FieldError[] = [];
  const fault = (field: string, message: string) => {
    faults.push({ field, message });
    return undefined;
  };
  const headers = (field: string, lines: string) => {
    const found: Record<string, string> = {};
    for (const line of lines.split("\n").filter((one) => one.trim() !== "")) {
      const [, name, value] = /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) ?? [];
      if (name === undefined) fault(field, `Write each header as \`Name: value\`. This one is not: ${line.trim()}`);
      else found[name] = value ?? "";
    }
    return Object.keys(found).length === 0 ? undefined : found;
  };
  const callback = (end: string, url: string, lines: string) =>
    url.trim() === "" && lines.trim() === ""
      ? undefined
      : pruned({ url: url.trim(), headers: headers(`callbacks.${end}.headers`, lines) });
  const callbacks = pruned({
    completed: callback("completed", draft.completedUrl, draft.completedHeaders),
    failed: callback("failed", draft.failedUrl, draft.failedHeaders),
  });
  const body = pruned({
    name: draft.name,
    handler: textOf(draft.handler),
    delivery: deliveryOf(draft, headers),
    ...timeOf(draft),
    payload: payloadOf(draft.payload, fault),
    timeout: numberOf(draft.timeout),
    max_retries: numberOf(draft.maxRetries),
    backoff: backoffOf(draft),
    expires_after:
      draft.expiresValue.trim() === "" ? undefined : { value: numberOf(draft.expiresValue), unit: draft.expiresUnit },
    tags: tagsOf(draft.tags),
    flow: textOf(draft.flow),
    callbacks: Object.keys(callbacks).length === 0 ? undefined : callbacks,
    idempotency_key: textOf(draft.idempotencyKey),
    on_conflict: draft.onConflict === "reject" ? undefined : draft.onConflict,
  });
  return { body, faults };
}

const pruned = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

const textOf = (text: string): string | undefined => (text === "" ? undefined : text);

/** A number; what is none stays a text, and the service says what would be right. */
function numberOf(text: string): number | string | undefined {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  const number = Number(trimmed);
  return Number.isFinite(number) ? number : trimmed;
}

const tagsOf = (text: string): string[] | undefined => {
  const tags = text
    .split(/[\n,]/)
    .map((tag) => tag.trim())
    .filter((tag) => tag !== "");
  return tags.length === 0 ? undefined : tags;
};

function deliveryOf(draft: Draft, headers: (field: string, lines: string) => Record<string, string> | undefined) {
  switch (draft.delivery) {
    case "pull":
      return { type: "pull" };
    case "queue":
      return { type: "pull", queue: draft.queue };
    case "push": {
      const http = {
        url: draft.url.trim(),
        method: draft.method,
        headers: headers("delivery.http.headers", draft.headers),
      };
      return { type: "push", http: pruned(http) };
    }
  }
}

function timeOf(draft: Draft): Record<string, unknown> {
  switch (draft.when) {
    case "now":
      return {};
    case "delay":
      return { delay: { value: numberOf(draft.delayValue), unit: draft.delayUnit } };
    case "at":
      return { scheduled_for: draft.at, timezone: draft.timezone.trim() };
  }
}

function backoffOf(draft: Draft): Record<string, unknown> | undefined {
  switch (draft.backoff) {
    case "default":
      return undefined;
    case "list":
      return {
        type: "list",
        delays: draft.backoffDelays
          .split(",")
          .map(numberOf)
          .filter((delay) => delay !== undefined),
      };
    case "exponential":
    case "fixed":
      return pruned({
        type: draft.backoff,
        initial: numberOf(draft.backoffInitial),
        max: numberOf(draft.backoffMax),
        jitter: draft.backoffJitter ? undefined : false,
      });
  }
}

function payloadOf(text: string, fault: (field: string, message: string) => undefined): RawJson | undefined {
  if (text.trim() === "") return undefined;
  try {
    JSON.parse(text);
  } catch (error) {
    return fault("payload", `It is not JSON: ${error instanceof Error ? error.message : error}`);
  }
  return rawJson(text.trim());
}

/** The changes from one draft to another, as a PATCH takes them: a field that is left out of the second goes back to its default. */
export function changesBetween(before: Draft, after: Draft): Body {
  const [old, wanted] = [bodyOf(before).body, bodyOf(after).body];
  const names = [...new Set([...Object.keys(old), ...Object.keys(wanted)])];
  const changes = names.filter((name) => written(old[name]) !== written(wanted[name]));
  const timed = ["delay", "scheduled_for", "timezone"];
  const isTimed = changes.some((name) => timed.includes(name));
  return Object.fromEntries([
    ...changes.filter((name) => !timed.includes(name)).map((name) => [name, wanted[name] ?? null]),
    ...(isTimed ? timed.filter((name) => wanted[name] !== undefined).map((name) => [name, wanted[name]]) : []),
  ]);
}

const written = (value: unknown): string => (value instanceof RawJson ? value.text : JSON.stringify(value ?? null));
