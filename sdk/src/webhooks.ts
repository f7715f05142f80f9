// Webhooks over the API: create, read, change, delete, test. Which calls are repeated after a fault is decided here.

import { isPassing, isUntouched } from "./api-error.ts";
import { type CallLimits, type CallOptions, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError } from "./errors.ts";
import type { HttpCall } from "./http.ts";
import type { Job } from "./job.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { onceDone } from "./once-done.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { retrying } from "./retrying.ts";
import type { NewWebhook, Webhook, WebhookChanges, WebhookFilters } from "./webhook.ts";
import { jobFromWire, toJson, type WireJob } from "./wire.ts";
import { type WireWebhook, webhookFromWire, webhookToWire } from "./wire-webhook.ts";

const FILTERS: Fields<WebhookFilters> = { size: true };

/**
 * The webhooks of the account. Reached as `chronos.webhooks`. What they receive is read by `verifyWebhook()`.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const webhook = await chronos.webhooks.create({
 *   url: "https://example.com/webhooks/chronos",
 *   events: ["job.failed", "job.recovered"],
 * });
 * const test = await chronos.webhooks.test(webhook.id);
 * console.log((await chronos.jobs.get(test.id)).status);
 * for await (const event of chronos.jobs.list({ origin: "event", tag: `webhook:${webhook.id}`, status: "failed" })) {
 *   await chronos.jobs.retry(event.id);
 * }
 * ```
 */
export class Webhooks {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /**
   * Creates a webhook; it is told of what happens from then on. Repeated by itself only after 429: after a lost answer it may
   * exist, and a second one would be told as well. See `list()`.
   */
  async create(input: NewWebhook, options?: CallOptions): Promise<Webhook> {
    const body = toJson("The webhook", webhookToWire("A new webhook", input));
    const limits = limitsOf(this.#connection, "webhooks.create()", options);
    return this.#webhook({ method: "POST", path: "/v1/webhooks", body }, limits, isUntouched);
  }

  /** One webhook. 404 `webhook_not_found` if there is none. */
  async get(id: string, options?: CallOptions): Promise<Webhook> {
    const limits = limitsOf(this.#connection, "webhooks.get()", options);
    return this.#webhook({ method: "GET", path: webhookPath(id) }, limits, isPassing);
  }

  /** The account's webhooks, oldest first. Nothing is read before you iterate or ask for a page. */
  list(filters: WebhookFilters = {}, options?: CallOptions): PagedList<Webhook> {
    checkFields("A list's filter", filters, FILTERS);
    const call = { name: "webhooks.list()", path: "/v1/webhooks", query: [], size: filters.size, options };
    return pagedList(this.#connection, call, webhookFromWire);
  }

  /** Changes what is given, for events from now on. Repeated after a fault: the same change said twice is one. */
  async update(id: string, changes: WebhookChanges, options?: CallOptions): Promise<Webhook> {
    const body = toJson("The change", webhookToWire("A webhook's change", changes));
    const limits = limitsOf(this.#connection, "webhooks.update()", options);
    return this.#webhook({ method: "PATCH", path: webhookPath(id), body }, limits, isPassing);
  }

  /** Deletes a webhook; deliveries under way go on. Repeated after a fault: one that is then gone is as good as deleted. */
  async delete(id: string, options?: CallOptions): Promise<void> {
    const limits = limitsOf(this.#connection, "webhooks.delete()", options);
    await onceDone<null>(this.#connection, { method: "DELETE", path: webhookPath(id) }, limits, {
      read: () => null,
      lookAgain: async ({ code }) => (code === "webhook_not_found" ? null : undefined),
    });
  }

  /**
   * Sends an event of type `webhook.test` on its way, to a disabled webhook too, and returns the job that carries it. Repeated
   * by itself only after 429.
   */
  async test(id: string, options?: CallOptions): Promise<Job> {
    const limits = limitsOf(this.#connection, "webhooks.test()", options);
    const call: HttpCall = { method: "POST", path: `${webhookPath(id)}/test` };
    const { data } = await retrying(this.#connection, call, limits, isUntouched);
    return jobFromWire(data as WireJob);
  }

  async #webhook(call: HttpCall, limits: CallLimits, mayRepeat: (error: unknown) => boolean): Promise<Webhook> {
    const { data } = await retrying(this.#connection, call, limits, mayRepeat);
    return webhookFromWire(data as WireWebhook);
  }
}

/** An empty id would address the list instead of a webhook. */
function webhookPath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A webhook's id is required");
  return `/v1/webhooks/${encodeURIComponent(id)}`;
}
