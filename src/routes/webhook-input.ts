// What a client may say of a webhook (contract §9).

import * as v from "valibot";
import { EVENT_TYPES } from "../domain/event.ts";
import { MAX_URL_LENGTH, type TargetRules } from "../domain/target.ts";
import { invalid } from "../http/errors.ts";
import { text } from "../http/fields.ts";
import { closed } from "../http/valid.ts";
import type { Webhook, WebhookPatch } from "../store/webhooks-store.ts";
import { checkUrl } from "./work-input.ts";

const url = v.pipe(v.string(), v.metadata({ maxLength: MAX_URL_LENGTH }));
const events = v.pipe(
  v.array(v.picklist(EVENT_TYPES)),
  v.minLength(1, "Must name a type of event."),
  v.maxLength(EVENT_TYPES.length, `There are ${EVENT_TYPES.length} types of events.`),
  v.metadata({ uniqueItems: true }),
  v.check((all) => new Set(all).size === all.length, "Must not name a type twice."),
);
const description = v.nullish(text(1_000, 0));

/** The body of `POST /v1/webhooks`. */
export const NewWebhook = closed({ url, events, description, enabled: v.nullish(v.boolean(), true) });

/** The body of `PATCH /v1/webhooks/:id`: what is left out stays, null is the default. */
export const PatchedWebhook = closed({
  url: v.nullish(url),
  events: v.nullish(events),
  description,
  enabled: v.nullish(v.boolean()),
});

/** @throws ApiError for a URL that this deployment does not push to */
export function webhookOf(
  { url, events, description, enabled }: v.InferOutput<typeof NewWebhook>,
  { accountId, id, now }: { readonly accountId: string; readonly id: string; readonly now: number },
  rules: TargetRules,
): Webhook {
  checkUrl("url", url, rules);
  const facts = { disabledReason: null, failingSince: null, updatedAt: now };
  return { accountId, id, url, events, description: description ?? null, enabled, ...facts };
}

/** @throws ApiError as `webhookOf`, and for null where there is no default */
export function patchOf(
  { url, events, description, enabled }: v.InferOutput<typeof PatchedWebhook>,
  rules: TargetRules,
): WebhookPatch {
  if (url === null) throw invalid("url", "Is required.");
  if (events === null) throw invalid("events", "Is required.");
  if (url !== undefined) checkUrl("url", url, rules);
  return {
    ...(url !== undefined && { url }),
    ...(events !== undefined && { events }),
    ...(description !== undefined && { description }),
    ...(enabled !== undefined && { enabled: enabled ?? true }),
  };
}
