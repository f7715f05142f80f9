// Webhooks and their events as the SDK shows them: the API's names in camelCase, its times as Dates.

import type { Flow } from "./flow.ts";
import type { Job } from "./job.ts";
import type { Schedule } from "./schedule.ts";

/** What a webhook can be told of. `job.recovered`: completed after a failure. `flow.paused` and `flow.resumed` come from a flow's breaker. */
export type EventType =
  | "job.completed"
  | "job.failed"
  | "job.cancelled"
  | "job.recovered"
  | "schedule.missed"
  | "schedule.completed"
  | "flow.paused"
  | "flow.resumed";

/**
 * An endpoint that is told of events.
 *
 * @example
 * ```ts
 * import { Chronos, type Webhook } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const webhook: Webhook = await chronos.webhooks.get("0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11");
 * if (!webhook.enabled) console.warn(webhook.disabledReason);
 * ```
 */
export interface Webhook {
  id: string;
  url: string;
  events: EventType[];
  description: string | null;
  /** The service disables an endpoint that has failed for five days. */
  enabled: boolean;
  /** Why the service has disabled it; null when a person did, or it is enabled. */
  disabledReason: string | null;
  /** The first failure behind the last delivery that was taken; null when there is none. */
  failingSince: Date | null;
  createdAt: Date;
  updatedAt: Date;
}

/** The argument of `webhooks.create()`. */
export interface NewWebhook {
  /** A public https address. */
  url: string;
  /** At least one type, each once. */
  events: readonly EventType[];
  /** For people; at most 1,000 characters. */
  description?: string | undefined;
  /** Default true. */
  enabled?: boolean | undefined;
}

/**
 * The changes of `webhooks.update()`. A field that is left out or undefined stays as it is. `enabled: true` clears
 * `disabledReason`, and failures are counted from the beginning.
 */
export interface WebhookChanges {
  url?: string | undefined;
  events?: readonly EventType[] | undefined;
  description?: string | null | undefined;
  enabled?: boolean | undefined;
}

/** The first argument of `webhooks.list()`. */
export interface WebhookFilters {
  /** Webhooks a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}

interface EventFields<Type extends string, Data> {
  /** The same for every attempt to deliver this event: the right key for your own deduplication. */
  id: string;
  type: Type;
  /** When it happened. */
  timestamp: Date;
  data: Data;
}

/** The end of a job. `data` is the job as it was then. */
export type JobEvent<TPayload = unknown, TResult = unknown> = EventFields<
  "job.completed" | "job.failed" | "job.cancelled" | "job.recovered",
  Job<TPayload, TResult>
>;

/** A schedule has skipped ticks that fell into an outage, or is over. */
export type ScheduleEvent = EventFields<"schedule.missed" | "schedule.completed", Schedule>;

/** The breaker of a flow has paused it, or lets it go on. `data` is the flow as it was then. */
export type FlowEvent = EventFields<"flow.paused" | "flow.resumed", Flow>;

/** Made by `webhooks.test()`. */
export type TestEvent = EventFields<"webhook.test", { webhookId: string }>;

/**
 * An event that is known to come from the service: what `verifyWebhook()` returns. `type` tells what `data` is.
 *
 * @example
 * ```ts
 * import type { WebhookEvent } from "@chronos-edge/sdk";
 *
 * export function wordsFor(event: WebhookEvent): string {
 *   if (event.type === "job.failed") return `${event.data.name} failed: ${event.data.lastError?.message}`;
 *   if (event.type === "schedule.missed") return `${event.data.name} has missed ${event.data.missedRuns} runs`;
 *   return event.type;
 * }
 * ```
 */
export type WebhookEvent = JobEvent | ScheduleEvent | FlowEvent | TestEvent;
