// What a client may say of work to be done (contract §2): the same for a job and for a schedule.

import * as v from "valibot";
import type { Callbacks, Delivery, Work } from "../domain/job.ts";
import { isReservedHeader } from "../domain/push-message.ts";
import type { Backoff } from "../domain/retry-policy.ts";
import { durationMs, UNITS } from "../domain/schedule-time.ts";
import { checkTarget, MAX_URL_LENGTH, type TargetRules } from "../domain/target.ts";
import { carried } from "../http/carried.ts";
import { invalid } from "../http/errors.ts";
import { integer, text } from "../http/fields.ts";
import { closed } from "../http/valid.ts";

export const MAX_PAYLOAD_BYTES = 65_536;
export const MAX_HEADERS = 50;
export const MAX_HEADER_BYTES = 8_192;
export const MAX_TIMEOUT = { push: 600, pull: 86_400 } as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Carried as it is and never looked into. */
export const payload = v.pipe(
  carried(MAX_PAYLOAD_BYTES, isObject, "Must be an object."),
  v.check((text) => text !== "{}", "Must not be empty; leave it out instead."),
);

const headerName = v.pipe(
  v.string(),
  // HTTP allows more, but Cloudflare may drop what nginx calls invalid.
  v.regex(/^[\w-]+$/, "Is not a valid header name: it must consist of letters, digits, `-` and `_`."),
  v.check((name) => !isReservedHeader(name), "Is set by the service or the connection and cannot be given."),
);
const headerValue = v.pipe(
  v.string(),
  // What HTTP carries unchanged: blanks at the ends are dropped, and beyond ASCII no two receivers read the same.
  v.regex(
    /^([!-~]([\t -~]*[!-~])?)?$/,
    "Must be one line of printable ASCII that neither begins nor ends with a blank. Encode anything else, for example in base64.",
  ),
);

/** Names that a record silently leaves out. */
const LOST_NAMES = ["__proto__", "constructor", "prototype"];

export const headers = v.pipe(
  v.custom<Record<string, unknown>>(isObject, "Must be an object."),
  v.check(
    (all) => !LOST_NAMES.some((name) => Object.hasOwn(all, name)),
    "Must not have a name that JavaScript objects keep to themselves.",
  ),
  v.record(headerName, headerValue),
  v.check((all) => Object.keys(all).length <= MAX_HEADERS, `Must be at most ${MAX_HEADERS} headers.`),
  v.check(
    (all) =>
      Object.entries(all).reduce((sum, [name, value]) => sum + name.length + value.length, 0) <= MAX_HEADER_BYTES,
    `Must be at most ${MAX_HEADER_BYTES} bytes in all.`,
  ),
  v.check((all) => {
    const names = Object.keys(all).map((name) => name.toLowerCase());
    return new Set(names).size === names.length;
  }, "Must not name a header twice; names are the same in upper and lower case."),
);

const Push = closed({
  type: v.literal("push"),
  http: closed({
    url: v.pipe(v.string(), v.metadata({ maxLength: MAX_URL_LENGTH })),
    method: v.picklist(["GET", "POST", "PUT", "PATCH", "DELETE"]),
    headers: v.nullish(headers, {}),
  }),
});
const Pull = closed({ type: v.literal("pull"), queue: v.nullish(text(255)) });

export const delivery = v.variant("type", [Push, Pull]);

export const timeout = integer(1, Number.MAX_SAFE_INTEGER);
export const maxRetries = integer(0, 50);
export const duration = closed({ value: integer(1, Number.MAX_SAFE_INTEGER), unit: v.picklist(UNITS) });

export const TIMEOUT_TOO_LONG = `Must be at most ${MAX_TIMEOUT.push} seconds for push and ${MAX_TIMEOUT.pull} for pull.`;
export const HANDLER_REQUIRED = "Is required when the delivery is pull: it names the worker's handler.";

export const MAX_TAGS = 10;
export const MAX_TAG_LENGTH = 64;

export const tags = v.pipe(
  v.array(text(MAX_TAG_LENGTH)),
  v.maxLength(MAX_TAGS, `Must be at most ${MAX_TAGS} tags.`),
  v.check((all) => new Set(all).size === all.length, "Must not name a tag twice."),
);

const MAX_DELAY_SECONDS = 86_400;
const seconds = integer(1, MAX_DELAY_SECONDS);
const spaced = { initial: v.nullish(seconds, 1), max: v.nullish(seconds), jitter: v.nullish(v.boolean(), true) };

/** How far retries lie apart. */
export const backoff = v.variant("type", [
  closed({ type: v.literal("exponential"), ...spaced }),
  closed({ type: v.literal("fixed"), ...spaced }),
  closed({
    type: v.literal("list"),
    delays: v.pipe(
      v.array(seconds),
      v.minLength(1, "Must name a delay."),
      v.maxLength(50, "Must be at most 50 delays."),
    ),
  }),
]);

const callback = closed({
  url: v.pipe(v.string(), v.metadata({ maxLength: MAX_URL_LENGTH })),
  headers: v.nullish(headers, {}),
});

/** Who is told how a job ended. */
export const callbacks = v.pipe(
  closed({
    completed: v.nullish(v.pipe(callback, v.description("Told when the job has completed."))),
    failed: v.nullish(v.pipe(callback, v.description("Told when the job has failed for good."))),
  }),
  v.metadata({ minProperties: 1 }),
  v.check(
    ({ completed, failed }) => (completed ?? failed) != null,
    "Must have `completed` or `failed`; leave it out instead.",
  ),
);

/** What job and schedule have in common, but for the name. Left out, a new one has the default. */
export const WorkFields = {
  handler: v.nullish(text(255)),
  payload: v.nullish(payload),
  delivery: v.nullish(delivery),
  timeout: v.nullish(timeout),
  max_retries: v.nullish(maxRetries),
  backoff: v.nullish(backoff),
  expires_after: v.nullish(duration),
  tags: v.nullish(tags),
  flow: v.nullish(text(255)),
  callbacks: v.nullish(callbacks),
};

const WorkSchema = v.object(WorkFields);
export type AskedWork = v.InferOutput<typeof WorkSchema>;

/** What of this deployment decides where a job may go. */
export interface Deployment {
  readonly rules: TargetRules;
  /** The names of the bound queues. */
  readonly queues: readonly string[];
}

/** Work of which nothing has been said but its name. */
export const plainWork = (name: string): Work => ({
  name,
  handler: null,
  payload: null,
  delivery: { type: "pull", queue: null },
  timeoutSeconds: 30,
  maxRetries: 3,
  backoff: null,
  expiresAfterMs: null,
  tags: [],
  flow: null,
  callbacks: null,
});

/**
 * Work with what a client says laid over it.
 *
 * @param known what holds where nothing is said
 * @param reset what null stands for
 * @throws ApiError `validation_error` for what depends on several fields or on this deployment
 */
export function workOver(known: Work, asked: AskedWork, reset: Work, deployment: Deployment): Work {
  const { handler, payload, delivery, timeout, max_retries, backoff, expires_after, tags, flow, callbacks } = asked;
  const work: Work = {
    name: known.name,
    handler: said(handler, known.handler, reset.handler),
    payload: said(payload, known.payload, reset.payload),
    delivery: said(delivery && deliveryOf(delivery, deployment), known.delivery, reset.delivery),
    timeoutSeconds: said(timeout, known.timeoutSeconds, reset.timeoutSeconds),
    maxRetries: said(max_retries, known.maxRetries, reset.maxRetries),
    backoff: said(backoff && backoffOf(backoff), known.backoff, null),
    expiresAfterMs: said(expires_after && expiryOf(expires_after), known.expiresAfterMs, null),
    tags: said(tags, known.tags, []),
    flow: said(flow, known.flow, null),
    callbacks: said(callbacks && callbacksOf(callbacks, deployment), known.callbacks, null),
  };
  if (work.timeoutSeconds > MAX_TIMEOUT[work.delivery.type]) throw invalid("timeout", TIMEOUT_TOO_LONG);
  return work;
}

/** Left out it stays as it is; null is the default. */
const said = <T>(value: T | null | undefined, known: T, reset: T): T =>
  value === undefined ? known : (value ?? reset);

function backoffOf(asked: v.InferOutput<typeof backoff>): Backoff {
  if (asked.type === "list") return { type: "list", delaysSeconds: asked.delays };
  const { type, initial, jitter } = asked;
  const max = asked.max ?? Math.max(DEFAULT_MAX_SECONDS, initial);
  if (max < initial) throw invalid("backoff.max", "Must be at least `initial`.");
  return { type, initialSeconds: initial, maxSeconds: max, jitter };
}

const DEFAULT_MAX_SECONDS = 3_600;

const MAX_EXPIRY_MS = 5 * 365 * 86_400_000;

function expiryOf(after: v.InferOutput<typeof duration>): number {
  if (durationMs(after) > MAX_EXPIRY_MS) throw invalid("expires_after", "Must be at most five years.");
  return durationMs(after);
}

/** @throws ApiError when this deployment cannot serve such a delivery */
export function deliveryOf(asked: v.InferOutput<typeof delivery>, { rules, queues }: Deployment): Delivery {
  if (asked.type === "pull") {
    const queue = asked.queue ?? null;
    if (queue !== null && !queues.includes(queue)) throw invalid("delivery.queue", unknownQueue(queues));
    return { type: "pull", queue };
  }
  checkUrl("delivery.http.url", asked.http.url, rules);
  return { type: "push", ...asked.http };
}

/** @throws ApiError when this deployment does not push there */
export function checkUrl(field: string, url: string, rules: TargetRules): void {
  const target = checkTarget(url, rules);
  if (!target.ok) throw invalid(field, target.error);
}

function callbacksOf({ completed, failed }: v.InferOutput<typeof callbacks>, { rules }: Deployment): Callbacks {
  if (completed) checkUrl("callbacks.completed.url", completed.url, rules);
  if (failed) checkUrl("callbacks.failed.url", failed.url, rules);
  return { completed: completed ?? null, failed: failed ?? null };
}

const unknownQueue = (queues: readonly string[]): string =>
  queues.length === 0
    ? "No queue is bound to this service; leave it out for workers that poll."
    : `Must be a queue bound to this service: ${queues.join(", ")}.`;
