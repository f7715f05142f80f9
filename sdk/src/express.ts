// Deliveries to a route of Express 4 or 5. Its types are structural: nothing is imported from it.

import type { Delivery } from "./delivery.ts";
import { ChronosConfigError, SignatureVerificationError } from "./errors.ts";
import { checkReceiver, type ReceiveOptions, receive, type SigningSecret, type Verify } from "./receiving.ts";
import { type DeliveryParts, verifySignature } from "./verify-signature.ts";
import { verifyWebhook } from "./verify-webhook.ts";
import type { WebhookEvent } from "./webhook.ts";

export type { Delivery } from "./delivery.ts";
export { NonRetryableError } from "./errors.ts";
export type { ReceiveOptions, SigningSecret } from "./receiving.ts";
export type { WebhookEvent } from "./webhook.ts";

/** The part of a Node.js request that is needed. */
export interface ExpressRequest {
  headers: Record<string, string | string[] | undefined>;
  /** Raw if `express.raw()` or `express.text()` has read it. */
  body?: unknown;
  /** The raw body, where something else has parsed it: Google Cloud Functions and Firebase set it. */
  rawBody?: unknown;
  readableDidRead?: boolean;
  [Symbol.asyncIterator](): AsyncIterator<unknown>;
}

/** The part of Express's response that is needed. */
export interface ExpressResponse {
  headersSent: boolean;
  status(code: number): unknown;
  type(type: string): unknown;
  end(text?: string): unknown;
}

/** An event carries a job with its payload and its result, of 64 KB each; JSON may write a character as six. */
const LARGEST_BODY = 1024 * 1024;

/**
 * A handler for push deliveries. Your function gets each delivery that is signed by the service: 204 when it returns, unless it
 * has answered through `response` itself. A wrong signature is answered with 401; an error of your function with 500, which the
 * service tries again, or with 422 if it is a NonRetryableError. It reads the raw body by itself, so it needs no
 * `express.raw()`; put it before `express.json()`. Throws a ChronosConfigError when the secret is missing.
 *
 * @example
 * ```ts
 * import { type ExpressRequest, type ExpressResponse, onDelivery } from "@chronos-edge/sdk/express";
 *
 * declare const app: {
 *   post(path: string, handler: (request: ExpressRequest, response: ExpressResponse) => Promise<void>): void;
 * };
 * app.post(
 *   "/chronos",
 *   onDelivery<{ to: string }>(process.env.CHRONOS_SIGNING_SECRET, async (delivery) => {
 *     console.log(delivery.jobId, delivery.attempt, delivery.payload?.to);
 *   }),
 * );
 * ```
 */
export function onDelivery<
  TPayload = unknown,
  Req extends ExpressRequest = ExpressRequest,
  Res extends ExpressResponse = ExpressResponse,
>(
  secret: SigningSecret,
  handle: (delivery: Delivery<TPayload>, request: Req, response: Res) => unknown,
  options: ReceiveOptions = {},
): (request: Req, response: Res) => Promise<void> {
  return handler(verifySignature as Verify<Delivery<TPayload>>, secret, handle, options);
}

/**
 * The same for the events of a webhook or a callback.
 *
 * @example
 * ```ts
 * import { type ExpressRequest, type ExpressResponse, onWebhook } from "@chronos-edge/sdk/express";
 *
 * declare const app: {
 *   post(path: string, handler: (request: ExpressRequest, response: ExpressResponse) => Promise<void>): void;
 * };
 * app.post(
 *   "/events",
 *   onWebhook(process.env.CHRONOS_SIGNING_SECRET, async (event) => {
 *     if (event.type === "job.failed") console.error(event.data.name, event.data.lastError?.message);
 *   }),
 * );
 * ```
 */
export function onWebhook<Req extends ExpressRequest = ExpressRequest, Res extends ExpressResponse = ExpressResponse>(
  secret: SigningSecret,
  handle: (event: WebhookEvent, request: Req, response: Res) => unknown,
  options: ReceiveOptions = {},
): (request: Req, response: Res) => Promise<void> {
  return handler(verifyWebhook, secret, handle, options);
}

function handler<T, Req extends ExpressRequest, Res extends ExpressResponse>(
  verify: Verify<T>,
  secret: SigningSecret,
  handle: (verified: T, request: Req, response: Res) => unknown,
  options: ReceiveOptions,
): (request: Req, response: Res) => Promise<void> {
  checkReceiver({ known: secret }, handle, options);
  return async (request, response) => {
    const received = await receive(
      verify,
      () => partsOf(request),
      () => secret,
      options,
      (verified) => handle(verified, request, response),
    );
    if (response.headersSent) return;
    response.status(received.ok ? 204 : received.status);
    if (received.ok) {
      response.end();
      return;
    }
    response.type("text/plain");
    response.end(received.text);
  };
}

async function partsOf(request: ExpressRequest): Promise<DeliveryParts> {
  const { headers, body, rawBody } = request;
  for (const raw of [rawBody, body]) {
    if (typeof raw === "string" || raw instanceof Uint8Array) return { headers, body: raw };
  }
  if (request.readableDidRead === true) {
    throw new ChronosConfigError(
      "The body was parsed before its signature could be verified: put this route before express.json()",
    );
  }
  return { headers, body: await read(request) };
}

/** Before anything is known about the sender, so with a limit. */
async function read(request: ExpressRequest): Promise<Uint8Array> {
  if (Number(request.headers["content-length"]) > LARGEST_BODY) throw tooLarge();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<unknown>) {
    const bytes = typeof chunk === "string" ? new TextEncoder().encode(chunk) : (chunk as Uint8Array);
    length += bytes.byteLength;
    if (length > LARGEST_BODY) throw tooLarge();
    chunks.push(bytes);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

const tooLarge = () => new SignatureVerificationError("malformed_body", "The body is larger than any delivery");
