// Deliveries to a route handler of Next.js, and to anything else that takes a Request and returns a Response.

import type { Delivery } from "./delivery.ts";
import { checkReceiver, type ReceiveOptions, respond, type SigningSecret, type Verify } from "./receiving.ts";
import { verifySignature } from "./verify-signature.ts";
import { verifyWebhook } from "./verify-webhook.ts";
import type { WebhookEvent } from "./webhook.ts";

export type { Delivery } from "./delivery.ts";
export { NonRetryableError } from "./errors.ts";
export type { ReceiveOptions, SigningSecret } from "./receiving.ts";
export type { WebhookEvent } from "./webhook.ts";

/**
 * A route handler for push deliveries. Your function gets each delivery that is signed by the service: 204 when it returns, or
 * the Response that it returns. A wrong signature is answered with 401; an error of your function with 500, which the service
 * tries again, or with 422 if it is a NonRetryableError. A missing secret is noticed at the first request, not at the build.
 *
 * @example
 * ```ts
 * import { onDelivery } from "@chronos-edge/sdk/next";
 *
 * // app/chronos/route.ts
 * export const POST = onDelivery<{ to: string }>(process.env.CHRONOS_SIGNING_SECRET, async (delivery) => {
 *   console.log(delivery.jobId, delivery.attempt, delivery.payload?.to);
 * });
 * ```
 */
export function onDelivery<TPayload = unknown>(
  secret: SigningSecret,
  handle: (delivery: Delivery<TPayload>, request: Request) => unknown,
  options: ReceiveOptions = {},
): (request: Request) => Promise<Response> {
  return route(verifySignature as Verify<Delivery<TPayload>>, secret, handle, options);
}

/**
 * The same for the events of a webhook or a callback.
 *
 * @example
 * ```ts
 * import { onWebhook } from "@chronos-edge/sdk/next";
 *
 * export const POST = onWebhook(process.env.CHRONOS_SIGNING_SECRET, async (event) => {
 *   if (event.type === "job.failed") console.error(event.data.name, event.data.lastError?.message);
 * });
 * ```
 */
export function onWebhook(
  secret: SigningSecret,
  handle: (event: WebhookEvent, request: Request) => unknown,
  options: ReceiveOptions = {},
): (request: Request) => Promise<Response> {
  return route(verifyWebhook, secret, handle, options);
}

function route<T>(
  verify: Verify<T>,
  secret: SigningSecret,
  handle: (verified: T, request: Request) => unknown,
  options: ReceiveOptions,
): (request: Request) => Promise<Response> {
  checkReceiver(null, handle, options);
  return (request) =>
    respond(
      verify,
      request,
      () => secret,
      options,
      (verified) => handle(verified, request),
    );
}
