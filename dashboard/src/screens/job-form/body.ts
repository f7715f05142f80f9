// Makes a request of a draft. Pure: payloads stay text, and what is no number is left for the service to refuse.

import { RawJson, rawJson } from "../../../../sdk/src/raw-json.ts";
import type { FieldError } from "../../api/api-error.ts";
import { typedHeaders } from "../../ui/typed-headers.ts";
import { typedNumber } from "../../ui/typed-number.ts";
import { typedTags } from "../../ui/typed-tags.ts";
import type { Draft } from "./draft.ts";

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
    const { headers, wrong } = typedHeaders(lines);
    for (const line of wrong) fault(field, `Write each header as \`Name: value\`. This one is not: ${line}`);
    return Object.keys(headers).length === 0 ? undefined : headers;
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
    timeout: typedNumber(draft.timeout),
    max_retries: typedNumber(draft.maxRetries),
    backoff: backoffOf(draft),
    expires_after:
      draft.expiresValue.trim() === ""
        ? undefined
        : { value: typedNumber(draft.expiresValue), unit: draft.expiresUnit },
    tags: typedTags(draft.tags),
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

function deliveryOf(draft: Draft, headers: (field: string, lines: string) => object | undefined) {
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
      return { delay: { value: typedNumber(draft.delayValue), unit: draft.delayUnit } };
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
          .map(typedNumber)
          .filter((delay) => delay !== undefined),
      };
    case "exponential":
    case "fixed":
      return pruned({
        type: draft.backoff,
        initial: typedNumber(draft.backoffInitial),
        max: typedNumber(draft.backoffMax),
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
