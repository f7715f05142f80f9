// Which jobs a client means (contract §2): the same members in the query of a list and in the body of a bulk action.

import * as v from "valibot";
import type { JobFilter } from "../domain/bulk-action.ts";
import { FAULT_CODES } from "../domain/job.ts";
import { instantText, oneOrMore, oneOrMoreTexts, text, uuid } from "../http/fields.ts";
import { closed } from "../http/valid.ts";
import { MAX_TAG_LENGTH, MAX_TAGS } from "./work-input.ts";

const STATUSES = ["pending", "queued", "running", "retrying", "completed", "failed", "cancelled"] as const;
const ORIGINS = ["api", "schedule", "event"] as const;

const FIELDS = {
  status: oneOrMore(STATUSES),
  handler: text(255),
  schedule_id: v.union([v.literal("null"), uuid], "Must be a UUID or `null`."),
  idempotency_key: text(255),
  created_after: instantText,
  created_before: instantText,
  tag: oneOrMoreTexts(MAX_TAG_LENGTH, MAX_TAGS),
  flow: v.pipe(text(255), v.description("Only jobs of this flow.")),
  name: v.pipe(text(255), v.description("Only jobs of exactly this name.")),
  scheduled_after: instantText,
  scheduled_before: instantText,
  origin: v.pipe(oneOrMore(ORIGINS), v.description("Only jobs made by these. Left out: all but `event`.")),
  error_code: v.pipe(v.picklist(FAULT_CODES), v.description("Only jobs whose last error has this code.")),
  host: v.pipe(
    text(255),
    v.description("Only jobs that are pushed to this host, such as `example.com` or `example.com:8443`."),
  ),
};

type Fields = typeof FIELDS;

const each = <To>(wrap: (field: v.GenericSchema) => v.GenericSchema): To =>
  Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, wrap(field)])) as To;

/** The filters of a list, as parameters of its query. */
export const FilterQuery = each<{ [K in keyof Fields]: v.OptionalSchema<Fields[K], undefined> }>((field) =>
  v.optional(field),
);

/** The same as an object in a body, where null is the same as leaving a field out. */
export const FilterBody = closed(
  each<{ [K in keyof Fields]: v.NullishSchema<Fields[K], undefined> }>((field) => v.nullish(field)),
);

type Asked = { readonly [K in keyof Fields]?: v.InferOutput<Fields[K]> | null | undefined };

/** What is asked for; without a field when nothing is. */
export function filterOf(asked: Asked): JobFilter {
  const { schedule_id } = asked;
  const filter = {
    status: asked.status,
    handler: asked.handler,
    idempotencyKey: asked.idempotency_key,
    createdAfter: asked.created_after,
    createdBefore: asked.created_before,
    tags: asked.tag,
    flow: asked.flow,
    name: asked.name,
    scheduledAfter: asked.scheduled_after,
    scheduledBefore: asked.scheduled_before,
    origin: asked.origin,
    errorCode: asked.error_code,
    host: asked.host?.toLowerCase(),
  };
  const said = Object.fromEntries(Object.entries(filter).filter(([, value]) => value != null)) as JobFilter;
  return schedule_id == null ? said : { ...said, scheduleId: schedule_id === "null" ? null : schedule_id };
}
