// From valibot to JSON Schema 2020-12, the dialect of OpenAPI 3.1. What a check says in code only is added here.

import { type JsonSchema, toJsonSchemaDefs } from "@valibot/to-json-schema";
import type * as v from "valibot";
import { timezone } from "../http/fields.ts";
import { idempotencyKey } from "../routes/job-input.ts";
import { cron } from "../routes/schedule-input.ts";
import {
  backoff,
  delivery,
  duration,
  headers,
  MAX_HEADER_BYTES,
  MAX_HEADERS,
  MAX_PAYLOAD_BYTES,
  MAX_TAGS,
  MAX_TIMEOUT,
  payload,
  tags,
  timeout,
} from "../routes/work-input.ts";
import { MAX_PROGRESS_BYTES, MAX_RESULT_BYTES, progress, result } from "../routes/worker.ts";
import { mapped, mapValues } from "./walk.ts";
import { inWords } from "./words.ts";

export type { JsonSchema };

/** Parts that requests share: they get a name in the document. */
const NAMED = {
  Payload: payload,
  Delay: duration,
  Backoff: backoff,
  NewDelivery: delivery,
} satisfies Record<string, v.GenericSchema>;

/** Parts that are too small for a name: they are written where they are used. */
const INLINE = {
  headers,
  idempotencyKey,
  tags,
  timeout,
  result,
  progress,
  cron,
  timezone,
} satisfies Record<string, v.GenericSchema>;

const CARRIED =
  "The service keeps its text and never changes it, white space between tokens apart: integers beyond 2^53, `1.0`, the order of " +
  "keys and keys that occur twice stay as they were sent.";

/** What the checks of these parts say, in so far as JSON Schema can. */
const LIMITS: Partial<Record<keyof typeof NAMED | keyof typeof INLINE, JsonSchema>> = {
  Payload: {
    type: "object",
    minProperties: 1,
    additionalProperties: true,
    description: `A JSON object that is not empty, at most ${MAX_PAYLOAD_BYTES} bytes as JSON. ${CARRIED}`,
  },
  result: { description: `Any JSON value, at most ${MAX_RESULT_BYTES} bytes as JSON. ${CARRIED}` },
  progress: {
    description: `How far the worker is. Any JSON value, at most ${MAX_PROGRESS_BYTES} bytes as JSON. Left out, what was said before stays.`,
  },
  headers: {
    type: "object",
    additionalProperties: { type: "string" },
    maxProperties: MAX_HEADERS,
    description:
      `Sent with every delivery, names and values together at most ${MAX_HEADER_BYTES} bytes. Values are printable ASCII. Hop-by-hop headers, ` +
      "`Host`, `Content-Length`, `Content-Type`, `User-Agent`, `CDN-Loop`, `CF-*`, `X-Chronos-*` and `webhook-*` are refused. Stored as they are.",
  },
  idempotencyKey: {
    not: { pattern: "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\\.\\d+$" },
  },
  tags: { maxItems: MAX_TAGS, uniqueItems: true },
  timeout: { maximum: MAX_TIMEOUT.pull },
};

/** The schemas whose checks are said here. */
export const SAID: ReadonlySet<v.GenericSchema> = new Set(
  Object.entries({ ...NAMED, ...INLINE }).flatMap(([name, schema]) => (name in LIMITS ? [schema] : [])),
);

const isInline = (name: string): name is keyof typeof INLINE => name in INLINE;
const isLimited = (name: string): name is keyof typeof LIMITS => name in LIMITS;

/** Turns schemas into JSON Schema, by name; the shared parts they use come with them. */
export function converted(schemas: Record<string, v.GenericSchema>): Record<string, JsonSchema> {
  const defs = toJsonSchemaDefs(
    { ...NAMED, ...INLINE, ...schemas },
    { target: "draft-2020-12", typeMode: "input", errorMode: "ignore" },
  );
  const limited = Object.entries(defs).map(([name, schema]): [string, JsonSchema] => [
    name,
    tidy({ ...schema, ...(isLimited(name) && LIMITS[name]) }),
  ]);
  const all = Object.fromEntries(limited);
  const named = limited.filter(([name]) => !isInline(name));
  return mapValues(Object.fromEntries(named), (schema) => inWords(resolved(schema, all)));
}

/** Points at components, and writes the small parts in place. */
function resolved(schema: JsonSchema, all: Record<string, JsonSchema>): JsonSchema {
  return mapped(schema, (part) => {
    if (typeof part.$ref !== "string") return part;
    const name = part.$ref.replace("#/$defs/", "");
    const { $ref: _, ...beside } = part;
    if (!isInline(name)) return { ...beside, $ref: `#/components/schemas/${name}` };
    return { ...resolved(all[name] ?? {}, all), ...beside };
  });
}

/** Says the same in fewer words. */
function tidy(schema: JsonSchema): JsonSchema {
  return mapped(schema, (part) => orNull(withoutPattern(part)));
}

/** Numbers in a query are texts to valibot, and a pattern beside a format or a number says less than those do. */
function withoutPattern(part: JsonSchema): JsonSchema {
  const { pattern, ...rest } = part;
  if (part.type === "integer" && typeof part.default === "string") return { ...rest, default: Number(part.default) };
  return part.format !== undefined || part.type === "integer" ? rest : part;
}

/** "A text or null" in place of "one of two: a text; null". What an enumeration means is said of both. */
function orNull(part: JsonSchema): JsonSchema {
  const [one, other, third] = part.anyOf ?? [];
  if (typeof one !== "object" || typeof other !== "object" || third !== undefined) return part;
  if (other.type !== "null" || typeof one.type !== "string") return part;
  if (one.enum !== undefined) return one.description === undefined ? part : { description: one.description, ...part };
  const { anyOf: _, ...rest } = part;
  return { ...one, type: [one.type, "null"], ...rest };
}
