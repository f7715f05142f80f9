// Where the API's snake_case meets the SDK's camelCase for webhooks and their events; see wire.ts.

import { SignatureVerificationError } from "./errors.ts";
import { childrenOf } from "./json-scan.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { addTexts } from "./raw-json.ts";
import type { NewWebhook, Webhook, WebhookChanges, WebhookEvent } from "./webhook.ts";
import { dateOrNull, jobFromWire, type Snake, type WireJob } from "./wire.ts";
import { flowFromWire, type WireFlow } from "./wire-flow.ts";
import { scheduleFromWire, type WireSchedule } from "./wire-schedule.ts";

/** A webhook as the API writes it. */
export type WireWebhook = Snake<
  Omit<Webhook, "failingSince" | "createdAt" | "updatedAt"> & {
    failingSince: string | null;
    createdAt: string;
    updatedAt: string;
  }
>;

export function webhookFromWire(webhook: WireWebhook): Webhook {
  return {
    id: webhook.id,
    url: webhook.url,
    events: webhook.events,
    description: webhook.description,
    enabled: webhook.enabled,
    disabledReason: webhook.disabled_reason,
    failingSince: dateOrNull(webhook.failing_since),
    createdAt: new Date(webhook.created_at),
    updatedAt: new Date(webhook.updated_at),
  };
}

const WEBHOOK: Fields<NewWebhook | WebhookChanges> = { url: true, events: true, description: true, enabled: true };

/** The body of create, and of update. What is undefined is not sent. */
export function webhookToWire(what: string, webhook: NewWebhook | WebhookChanges): object {
  checkFields(what, webhook, WEBHOOK);
  const { url, events, description, enabled } = webhook;
  return { url, events, description, enabled };
}

interface WireEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly data: object;
}

/** The event in a body whose signatures have been checked. */
export function eventFromWire(id: string, text: string): WebhookEvent {
  const { type, timestamp, data } = parsedEvent(text);
  return { id, type, timestamp: new Date(timestamp), data: dataOf(type, data) } as WebhookEvent;
}

function parsedEvent(text: string): WireEvent {
  try {
    const event: Partial<WireEvent> = JSON.parse(text);
    const [at] = childrenOf(text).get("data") ?? [];
    const isEvent = typeof event.type === "string" && typeof event.timestamp === "string";
    if (isEvent && typeof event.data === "object" && event.data !== null && at !== undefined) {
      addTexts(event.data, text, at);
      return event as WireEvent;
    }
  } catch (cause) {
    throw malformed("The signed body is no JSON", cause);
  }
  throw malformed("The signed body is no event: a job's delivery is read by verifySignature()");
}

/** A type that this version does not know keeps the data as they came. */
function dataOf(type: string, data: object): unknown {
  if (type.startsWith("job.")) return jobFromWire(data as WireJob);
  if (type.startsWith("schedule.")) return scheduleFromWire(data as WireSchedule);
  if (type.startsWith("flow.")) return flowFromWire(data as WireFlow);
  if (type === "webhook.test") return { webhookId: (data as { webhook_id: string }).webhook_id };
  return data;
}

const malformed = (message: string, cause?: unknown) =>
  new SignatureVerificationError("malformed_body", message, { cause });
