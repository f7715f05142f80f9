// The fields of a schedule's form, and the request they make. Pure; a payload stays the text that was typed.

import { rawJson } from "../../../../sdk/src/raw-json.ts";
import type { Schedule } from "../../api/schedule.ts";
import { headerLines, typedHeaders } from "../../ui/typed-headers.ts";
import { typedNumber } from "../../ui/typed-number.ts";
import { typedTags } from "../../ui/typed-tags.ts";

/** The fields as they are typed. */
export interface Draft {
  readonly name: string;
  readonly description: string;
  readonly recurs: "cron" | "interval";
  readonly cron: string;
  readonly every: string;
  readonly unit: string;
  readonly timezone: string;
  readonly delivery: "pull" | "push";
  readonly handler: string;
  readonly url: string;
  readonly method: string;
  /** One a line: `Name: value`. */
  readonly headers: string;
  readonly payload: string;
  readonly timeout: string;
  readonly maxRetries: string;
  readonly overlap: string;
  readonly runs: string;
  readonly stopAt: string;
  /** With commas between them. */
  readonly tags: string;
  readonly flow: string;
}

export const EMPTY: Draft = {
  name: "",
  description: "",
  recurs: "cron",
  cron: "0 9 * * *",
  every: "15",
  unit: "minute",
  timezone: "UTC",
  delivery: "pull",
  handler: "",
  url: "",
  method: "POST",
  headers: "",
  payload: "",
  timeout: "30",
  maxRetries: "3",
  overlap: "allow",
  runs: "",
  stopAt: "",
  tags: "",
  flow: "",
};

export function draftOf(schedule: Schedule): Draft {
  const { delivery, interval } = schedule;
  const push = delivery.type === "push" ? delivery.http : undefined;
  return {
    name: schedule.name,
    description: schedule.description ?? "",
    recurs: interval ? "interval" : "cron",
    cron: schedule.cron ?? EMPTY.cron,
    every: interval ? String(interval.value) : EMPTY.every,
    unit: interval?.unit ?? EMPTY.unit,
    timezone: schedule.timezone,
    delivery: delivery.type,
    handler: schedule.handler ?? "",
    url: push?.url ?? "",
    method: push?.method ?? EMPTY.method,
    headers: headerLines(push?.headers),
    payload: schedule.payload_text ?? "",
    timeout: String(schedule.timeout),
    maxRetries: String(schedule.max_retries),
    overlap: schedule.overlap,
    runs: schedule.runs === null ? "" : String(schedule.runs),
    stopAt: schedule.stop_at ?? "",
    tags: schedule.tags.join(", "),
    flow: schedule.flow ?? "",
  };
}

const given = <T>(text: string, value: T): T | undefined => (text.trim() === "" ? undefined : value);

/** When it runs: all that a preview takes. */
export const timingOf = ({ recurs, cron, every, unit, timezone, runs, stopAt }: Draft): Record<string, unknown> => ({
  ...(recurs === "cron" ? { cron: cron.trim() } : { interval: { value: typedNumber(every), unit } }),
  timezone: given(timezone, timezone.trim()),
  runs: given(runs, typedNumber(runs)),
  stop_at: given(stopAt, stopAt.trim()),
});

/** A fault that only the form can see. */
export interface DraftFault {
  readonly field: string;
  readonly message: string;
}

/** The body of a new schedule, or what is wrong with the draft. */
export function bodyOf(draft: Draft): { readonly body: Record<string, unknown> } | { readonly fault: DraftFault } {
  const payload = given(draft.payload, draft.payload);
  if (payload !== undefined && !isJson(payload)) return { fault: { field: "payload", message: "Is not JSON." } };
  const { headers, wrong } = typedHeaders(draft.headers);
  if (wrong.length > 0)
    return { fault: { field: "delivery.http.headers", message: `“${wrong[0]}” is not of the form Name: value.` } };
  return {
    body: {
      name: draft.name,
      description: given(draft.description, draft.description),
      handler: given(draft.handler, draft.handler.trim()),
      ...timingOf(draft),
      delivery:
        draft.delivery === "pull"
          ? { type: "pull" }
          : { type: "push", http: { url: draft.url.trim(), method: draft.method, headers } },
      payload: payload === undefined ? undefined : rawJson(payload),
      timeout: given(draft.timeout, typedNumber(draft.timeout)),
      max_retries: given(draft.maxRetries, typedNumber(draft.maxRetries)),
      overlap: draft.overlap,
      tags: typedTags(draft.tags),
      flow: given(draft.flow, draft.flow),
    },
  };
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** Members that a change of a schedule cannot take away: null means "as it is" for them. */
const STAYS: Readonly<Record<string, string>> = {
  handler: "The handler can be changed, but not removed.",
  payload: "The payload can be changed, but not removed.",
  runs: "The number of runs can be changed, but not removed.",
  stop_at: "The end can be moved, but not removed.",
};

/** What differs from how the schedule was when the form was opened, as the body of a change. */
export function changesOf(
  before: Draft,
  after: Draft,
): { readonly body: Record<string, unknown> } | { readonly fault: DraftFault } {
  const [was, is] = [bodyOf(before), bodyOf(after)];
  if ("fault" in is) return is;
  const old = "body" in was ? was.body : {};
  const text = (value: unknown) => (value instanceof Object && "text" in value ? value.text : JSON.stringify(value));
  const names = Object.keys({ ...old, ...is.body }).filter((name) => text(old[name]) !== text(is.body[name]));
  const gone = names.find((name) => is.body[name] === undefined && STAYS[name] !== undefined);
  if (gone !== undefined) return { fault: { field: gone, message: STAYS[gone] ?? "" } };
  const cleared = (name: string) => (name === "description" ? "" : null);
  const isRetimed = names.some((name) => ["cron", "interval", "timezone"].includes(name));
  return {
    body: {
      ...Object.fromEntries(names.map((name) => [name, is.body[name] ?? cleared(name)])),
      // A zone goes with the timing that it is for.
      ...(isRetimed && { cron: is.body.cron, interval: is.body.interval, timezone: is.body.timezone }),
    },
  };
}
