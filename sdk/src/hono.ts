// Deliveries to a route of Hono. Its types are structural: nothing is imported from it.

import type { Delivery } from "./delivery.ts";
import { checkReceiver, type ReceiveOptions, respond, type SigningSecret, type Verify } from "./receiving.ts";
import { verifySignature } from "./verify-signature.ts";
import { verifyWebhook } from "./verify-webhook.ts";
import type { WebhookEvent } from "./webhook.ts";

export type { Delivery } from "./delivery.ts";
export { NonRetryableError } from "./errors.ts";
export type { ReceiveOptions, SigningSecret } from "./receiving.ts";
export type { WebhookEvent } from "./webhook.ts";

/** The part of Hono's context that is needed. */
export interface HonoContext {
  req: { raw: Request };
}

/** The secret, or a function that reads it from the context: on Workers it is in `c.env`. */
export type SecretOf<C> = SigningSecret | ((context: C) => SigningSecret);

/**
 * A handler for push deliveries. Your function gets each delivery that is signed by the service: 204 when it returns, or the
 * Response that it returns. A wrong signature is answered with 401; an error of your function with 500, which the service tries
 * again, or with 422 if it is a NonRetryableError. Throws a ChronosConfigError when the secret is missing.
 *
 * @example
 * ```ts
 * import { type HonoContext, onDelivery } from "@chronos-edge/sdk/hono";
 *
 * declare const app: { post(path: string, handler: (c: HonoContext & { env: Env }) => Promise<Response>): void };
 * interface Env {
 *   CHRONOS_SIGNING_SECRET: string;
 * }
 * app.post(
 *   "/chronos",
 *   onDelivery<{ to: string }, HonoContext & { env: Env }>((c) => c.env.CHRONOS_SIGNING_SECRET, async (delivery) => {
 *     console.log(delivery.jobId, delivery.payload?.to);
 *   }),
 * );
 * ```
 */
export function onDelivery<TPayload = unknown, C extends HonoContext = HonoContext>(
  secret: SecretOf<C>,
  handle: (delivery: Delivery<TPayload>, context: C) => unknown,
  options: ReceiveOptions = {},
): (context: C) => Promise<Response> {
  return handler(verifySignature as Verify<Delivery<TPayload>>, secret, handle, options);
}

/**
 * The same for the events of a webhook or a callback.
 *
 * @example
 * ```ts
 * import { type HonoContext, onWebhook } from "@chronos-edge/sdk/hono";
 *
 * declare const app: { post(path: string, handler: (c: HonoContext) => Promise<Response>): void };
 * app.post(
 *   "/events",
 *   onWebhook(process.env.CHRONOS_SIGNING_SECRET, async (event) => {
 *     if (event.type === "job.failed") console.error(event.data.name, event.data.lastError?.message);
 *   }),
 * );
 * ```
 */
export function onWebhook<C extends HonoContext = HonoContext>(
  secret: SecretOf<C>,
  handle: (event: WebhookEvent, context: C) => unknown,
  options: ReceiveOptions = {},
): (context: C) => Promise<Response> {
  return handler(verifyWebhook, secret, handle, options);
}

function handler<T, C extends HonoContext>(
  verify: Verify<T>,
  secret: SecretOf<C>,
  handle: (verified: T, context: C) => unknown,
  options: ReceiveOptions,
): (context: C) => Promise<Response> {
  checkReceiver(typeof secret === "function" ? null : { known: secret }, handle, options);
  return (context) => {
    const known = () => (typeof secret === "function" ? secret(context) : secret);
    return respond(verify, context.req.raw, known, options, (verified) => handle(verified, context));
  };
}
