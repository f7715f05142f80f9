// What a client may say of a new job (contract §2), and the job it stands for.

import * as v from "valibot";
import type { Delivery, JobSpec } from "../domain/job.ts";
import { isReservedHeader } from "../domain/push-message.ts";
import { nominalTime, UNITS } from "../domain/schedule-time.ts";
import { checkTarget, MAX_URL_LENGTH, type TargetRules } from "../domain/target.ts";
import { bytesOf } from "../domain/text.ts";
import { invalid } from "../http/errors.ts";
import { instant, integer, text } from "../http/fields.ts";
import { closed } from "../http/valid.ts";

export const MAX_PAYLOAD_BYTES = 65_536;
export const MAX_HEADERS = 50;
export const MAX_HEADER_BYTES = 8_192;
export const MAX_TIMEOUT = { push: 600, pull: 86_400 } as const;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Carried as it is and never looked into. */
export const payload = v.pipe(
  v.custom<Record<string, unknown>>(isObject, "Must be an object."),
  v.check((value) => Object.keys(value).length > 0, "Must not be empty; leave it out instead."),
  v.check(
    (value) => bytesOf(JSON.stringify(value)) <= MAX_PAYLOAD_BYTES,
    `Must be at most ${MAX_PAYLOAD_BYTES} bytes as JSON.`,
  ),
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

export const idempotencyKey = v.pipe(
  text(255),
  v.check(
    (key) => !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.\d+$/i.test(key),
    "Must not have the form `<uuid>.<digits>`: such keys belong to schedules.",
  ),
);

export const timeout = integer(1, Number.MAX_SAFE_INTEGER);
export const maxRetries = integer(0, 50);
export const duration = closed({ value: integer(1, Number.MAX_SAFE_INTEGER), unit: v.picklist(UNITS) });

export const TIMEOUT_TOO_LONG = `Must be at most ${MAX_TIMEOUT.push} seconds for push and ${MAX_TIMEOUT.pull} for pull.`;
export const HANDLER_REQUIRED = "Is required when the delivery is pull: it names the worker's handler.";

const Fields = closed({
  name: text(255),
  handler: v.nullish(text(255)),
  payload: v.nullish(payload),
  delay: v.nullish(duration),
  scheduled_for: v.nullish(instant),
  idempotency_key: v.nullish(idempotencyKey),
  delivery: v.nullish(delivery, { type: "pull" }),
  timeout: v.nullish(timeout, 30),
  max_retries: v.nullish(maxRetries, 3),
});

/** The body of `POST /v1/jobs`. */
export const NewJob = v.pipe(
  Fields,
  v.forward(
    v.partialCheck(
      [["handler"], ["delivery"]],
      ({ handler, delivery }) => delivery.type === "push" || (handler ?? null) !== null,
      HANDLER_REQUIRED,
    ),
    ["handler"],
  ),
  v.forward(
    v.partialCheck(
      [["timeout"], ["delivery"]],
      ({ timeout, delivery }) => timeout <= MAX_TIMEOUT[delivery.type],
      TIMEOUT_TOO_LONG,
    ),
    ["timeout"],
  ),
);

/** What of this deployment decides where a job may go. */
export interface Deployment {
  readonly rules: TargetRules;
  /** The names of the bound queues. */
  readonly queues: readonly string[];
}

/**
 * The job a valid body stands for.
 *
 * @throws ApiError `validation_error` for what depends on the clock or on this deployment
 */
export function specOf(
  body: v.InferOutput<typeof NewJob>,
  { accountId, id, now }: { accountId: string; id: string; now: number },
  { rules, queues }: Deployment,
): JobSpec {
  const at = nominalTime({ delay: body.delay ?? undefined, scheduledFor: body.scheduled_for ?? undefined }, now);
  if (!at.ok) throw invalid(at.error.field, at.error.message);
  return {
    accountId,
    id,
    scheduleId: null,
    name: body.name,
    handler: body.handler ?? null,
    payload: body.payload ?? null,
    delivery: deliveryOf(body.delivery, { rules, queues }),
    timeoutSeconds: body.timeout,
    maxRetries: body.max_retries,
    idempotencyKey: body.idempotency_key ?? null,
    scheduledFor: at.value,
    createdAt: now,
  };
}

/** @throws ApiError when this deployment cannot serve such a delivery */
export function deliveryOf(asked: v.InferOutput<typeof delivery>, { rules, queues }: Deployment): Delivery {
  if (asked.type === "pull") {
    const queue = asked.queue ?? null;
    if (queue !== null && !queues.includes(queue)) throw invalid("delivery.queue", unknownQueue(queues));
    return { type: "pull", queue };
  }
  const target = checkTarget(asked.http.url, rules);
  if (!target.ok) throw invalid("delivery.http.url", target.error);
  return { type: "push", ...asked.http };
}

const unknownQueue = (queues: readonly string[]): string =>
  queues.length === 0
    ? "No queue is bound to this service; leave it out for workers that poll."
    : `Must be a queue bound to this service: ${queues.join(", ")}.`;
