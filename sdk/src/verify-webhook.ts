// Verifies an event that came to a webhook or to a job's callback, and reads it.

import { SignatureVerificationError } from "./errors.ts";
import { type DeliveryParts, type RequestLike, type VerifyOptions, verified } from "./verify-signature.ts";
import type { WebhookEvent } from "./webhook.ts";
import { eventFromWire } from "./wire-webhook.ts";

/**
 * Verifies an event and returns it, typed by its `type`. The Request stays readable: only a clone is read. During a rotation
 * pass both secrets. Events arrive at least once: `id` is the same each time.
 *
 * Throws a SignatureVerificationError when the event must not be trusted, and a ChronosConfigError when the call itself is
 * wrong (no secret, a parsed body, a body that was already read or left out).
 *
 * @example
 * ```ts
 * import { verifyWebhook } from "@chronos-edge/sdk";
 *
 * declare const env: { CHRONOS_SECRET: string };
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     const event = await verifyWebhook(request, env.CHRONOS_SECRET);
 *     if (event.type === "job.failed") console.error(event.data.name, event.data.lastError?.message);
 *     return new Response(null, { status: 204 });
 *   },
 * };
 * ```
 */
export async function verifyWebhook(
  request: RequestLike | DeliveryParts,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): Promise<WebhookEvent> {
  const { headers, body } = await verified("verifyWebhook()", request, secret, options);
  // The event's id is covered by this signature alone.
  if (headers.standard === null) throw new SignatureVerificationError("missing_header", "webhook-signature is missing");
  return eventFromWire(headers.standard.id, new TextDecoder().decode(body));
}
