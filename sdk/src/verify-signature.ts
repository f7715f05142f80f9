// Whether a push delivery comes from the service. The rule: X-Chronos-Signature must be there, and every signature that is
// there must verify, so that no header this file returns facts from can be swapped behind a valid one.

import type { Delivery } from "./delivery.ts";
import { ChronosConfigError, SignatureVerificationError } from "./errors.ts";
import { type HeadersLike, headerReader } from "./headers-like.ts";
import { matchesAny, standardKey, textKey } from "./hmac.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { readDelivery, type SignedHeaders } from "./signed-delivery.ts";

/** A request's parts, for servers without a Request object. The body must be the raw one, not parsed. */
export interface DeliveryParts {
  headers: HeadersLike;
  body: string | Uint8Array | ArrayBuffer | null | undefined;
}

/** The part of a `Request` that is needed; it is read through a clone. */
export interface RequestLike {
  headers: { get(name: string): string | null };
  clone(): { arrayBuffer(): Promise<ArrayBuffer> };
}

export interface VerifyOptions {
  /** How far the signature's time may lie from now, either way. Default 300. */
  toleranceSeconds?: number | undefined;
  /** The current time, for tests and replays. Default: the clock. */
  now?: Date | undefined;
}

const OPTIONS: Fields<VerifyOptions> = { toleranceSeconds: true, now: true };

/**
 * Verifies a push delivery and returns what it says. The Request stays readable: only a clone is read. During a rotation
 * pass both secrets; the service signs with the old one until the overlap ends.
 *
 * Throws a SignatureVerificationError when the delivery must not be trusted, and a ChronosConfigError when the call itself
 * is wrong (no secret, a parsed body, a body that was already read or left out).
 *
 * @example
 * ```ts
 * import { verifySignature } from "@chronos-edge/sdk";
 *
 * declare const env: { CHRONOS_SECRET: string; CHRONOS_NEXT_SECRET: string };
 * export default {
 *   async fetch(request: Request): Promise<Response> {
 *     const secrets = [env.CHRONOS_SECRET, env.CHRONOS_NEXT_SECRET];
 *     const delivery = await verifySignature<{ to: string }>(request, secrets, { toleranceSeconds: 60 });
 *     console.log(delivery.handler, delivery.payload?.to);
 *     return new Response(null, { status: 204 });
 *   },
 * };
 * ```
 */
export async function verifySignature<TPayload = unknown>(
  request: RequestLike | DeliveryParts,
  secret: string | readonly string[],
  options: VerifyOptions = {},
): Promise<Delivery<TPayload>> {
  const { headers, body } = await verified("verifySignature()", request, secret, options);
  return readDelivery(headers, body) as Delivery<TPayload>;
}

/** The headers and the raw body of a request from the service. Throws as verifySignature(). */
export async function verified(
  caller: string,
  request: RequestLike | DeliveryParts,
  secret: string | readonly string[],
  options: VerifyOptions,
): Promise<{ headers: SignedHeaders; body: Uint8Array }> {
  checkFields(`The options of ${caller}`, options, OPTIONS);
  const { toleranceSeconds = 300, now = new Date() } = options;
  if (typeof toleranceSeconds !== "number" || !(toleranceSeconds >= 0)) {
    throw new ChronosConfigError("toleranceSeconds must be a number of 0 or more");
  }
  if (typeof now?.getTime !== "function" || Number.isNaN(now.getTime())) {
    throw new ChronosConfigError("now must be a valid Date");
  }
  const secrets = checkSecrets(secret);
  if (typeof request?.headers !== "object" || request.headers === null) {
    throw new ChronosConfigError(`${caller} needs a Request, or an object with headers and body`);
  }
  const get = headerReader(request.headers);
  const headers = signedHeaders(get);
  const body = await rawBody(caller, request);
  if (body.byteLength === 0 && announcesBody(get)) {
    throw new ChronosConfigError(`The request has a body and none was passed: ${PASS_THE_RAW_BODY}`);
  }

  if (
    !(await matchesAny(secrets.map(textKey), [headers.signature], `${headers.executionId}.${headers.timestamp}.`, body))
  ) {
    const why = body.byteLength === 0 ? `no body was passed (${PASS_THE_RAW_BODY}), or ` : "";
    throw new SignatureVerificationError(
      "no_match",
      `X-Chronos-Signature does not match: ${why}wrong secret, or not from us`,
    );
  }
  checkAge(headers.timestamp, toleranceSeconds, now);
  if (headers.standard !== null) {
    const { id, timestamp, signatures } = headers.standard;
    if (!(await matchesAny(secrets.map(standardKey), signatures, `${id}.${timestamp}.`, body))) {
      throw new SignatureVerificationError("no_match", "X-Chronos-Signature matches but webhook-signature does not");
    }
    checkAge(timestamp, toleranceSeconds, now);
  }
  return { headers, body };
}

const PASS_THE_RAW_BODY = "pass the raw body, which nothing has parsed or read before";

/** A GET has none. */
function announcesBody(get: (name: string) => string | null): boolean {
  return Number(get("Content-Length")) > 0 || get("Transfer-Encoding") !== null;
}

/** Secrets come from files and variables, often with a line break at the end; theirs hold no white space. */
export function checkSecrets(secret: string | readonly string[]): readonly string[] {
  const given: readonly unknown[] = typeof secret === "string" ? [secret] : Array.isArray(secret) ? secret : [];
  const secrets = given.map((one) => (typeof one === "string" ? one.trim() : ""));
  if (secrets.length === 0 || secrets.includes("")) {
    throw new ChronosConfigError("A signing secret is required: pass the whole whsec_… string, or an array of them");
  }
  return secrets;
}

function signedHeaders(get: (name: string) => string | null): SignedHeaders {
  const required = (name: string) => {
    const value = get(name);
    if (value === null || value === "") throw new SignatureVerificationError("missing_header", `${name} is missing`);
    return value;
  };
  const signature = required("X-Chronos-Signature");
  const hex = /^sha256=([0-9a-f]{64})$/i.exec(signature)?.[1];
  if (hex === undefined) throw malformed("X-Chronos-Signature");
  return {
    executionId: required("X-Chronos-Delivery-Id"),
    timestamp: seconds("X-Chronos-Timestamp", required("X-Chronos-Timestamp")),
    signature: Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)),
    attempt: get("X-Chronos-Attempt"),
    standard: get("webhook-signature") === null ? null : standardHeaders(required),
  };
}

/** `webhook-signature` lists several, separated by spaces; versions other than v1 are somebody else's. */
function standardHeaders(required: (name: string) => string): NonNullable<SignedHeaders["standard"]> {
  const encoded = required("webhook-signature")
    .split(" ")
    .filter((one) => one.startsWith("v1,"));
  const signatures = encoded.map((one) => {
    try {
      return Uint8Array.from(atob(one.slice(3)), (character) => character.charCodeAt(0));
    } catch {
      throw malformed("webhook-signature");
    }
  });
  const timestamp = seconds("webhook-timestamp", required("webhook-timestamp"));
  return { id: required("webhook-id"), timestamp, signatures };
}

function seconds(name: string, value: string): string {
  if (!/^\d{1,12}$/.test(value)) throw malformed(name);
  return value;
}

function malformed(name: string): SignatureVerificationError {
  return new SignatureVerificationError("malformed_header", `${name} does not have the form it should`);
}

function checkAge(timestamp: string, toleranceSeconds: number, now: Date): void {
  const ageSeconds = Math.floor(now.getTime() / 1000) - Number(timestamp);
  if (ageSeconds > toleranceSeconds) {
    const message = `Signed ${ageSeconds} s ago, more than the ${toleranceSeconds} s allowed: a replay, or a clock is wrong`;
    throw new SignatureVerificationError("timestamp_too_old", message);
  }
  if (-ageSeconds > toleranceSeconds) {
    const message = `Signed ${-ageSeconds} s in the future, more than the ${toleranceSeconds} s allowed: a clock is wrong`;
    throw new SignatureVerificationError("timestamp_too_new", message);
  }
}

async function rawBody(caller: string, request: RequestLike | DeliveryParts): Promise<Uint8Array> {
  if ("clone" in request && typeof request.clone === "function") {
    try {
      return new Uint8Array(await request.clone().arrayBuffer());
    } catch (cause) {
      const message = `The request's body cannot be read: call ${caller} before anything else reads it`;
      throw new ChronosConfigError(message, { cause });
    }
  }
  const { body } = request as DeliveryParts;
  if (body === null || body === undefined) return new Uint8Array();
  if (typeof body === "string") return new TextEncoder().encode(body);
  if (body instanceof Uint8Array) return body;
  if (body instanceof ArrayBuffer) return new Uint8Array(body);
  throw new ChronosConfigError("body must be the raw body, a string or bytes: a parsed one cannot be verified");
}
