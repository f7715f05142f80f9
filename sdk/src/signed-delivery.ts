// Reading a delivery whose signatures have been checked. What the body says counts; headers only where there is no body.

import type { Delivery } from "./delivery.ts";
import { SignatureVerificationError } from "./errors.ts";
import { addTexts } from "./raw-json.ts";
import { deliveryFromWire, type WireDelivery } from "./wire.ts";

/** The headers of a delivery, of the right form; nothing says yet that they are true. */
export interface SignedHeaders {
  executionId: string;
  timestamp: string;
  signature: Uint8Array;
  /** Covered by no signature. */
  attempt: string | null;
  standard: { id: string; timestamp: string; signatures: Uint8Array[] } | null;
}

export function readDelivery(headers: SignedHeaders, body: Uint8Array): Delivery {
  const signedAt = new Date(Number(headers.timestamp) * 1000);
  if (body.byteLength === 0) return readBodyless(headers, signedAt);
  const delivery = parse(body);
  const isOurs = delivery.execution_id === headers.executionId && typeof delivery.job_id === "string";
  const isWhole = isOurs && typeof delivery.scheduled_for === "string" && typeof delivery.attempt === "number";
  if (!isWhole) throw malformedBody("The signed body is no delivery, or another one than its headers say");
  if (headers.standard !== null && headers.standard.id !== delivery.job_id) {
    throw malformedBody("webhook-id names another job than the body");
  }
  return deliveryFromWire(delivery as WireDelivery, signedAt);
}

/** A GET. X-Chronos-Signature does not cover its job id, webhook-signature does: without that one nothing is known. */
function readBodyless({ executionId, attempt, standard }: SignedHeaders, signedAt: Date): Delivery {
  if (standard === null) {
    const message = "webhook-signature is missing: a delivery without a body is only verified together with it";
    throw new SignatureVerificationError("missing_header", message);
  }
  const known = attempt !== null && /^\d{1,9}$/.test(attempt);
  return {
    jobId: standard.id,
    executionId,
    handler: null,
    scheduledFor: null,
    attempt: known ? Number(attempt) : null,
    payload: null,
    payloadText: null,
    signedAt,
  };
}

function parse(body: Uint8Array): Partial<WireDelivery> {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(body);
    const value: unknown = JSON.parse(text);
    addTexts(value, text);
    if (typeof value === "object" && value !== null) return value;
  } catch (cause) {
    throw malformedBody("The signed body is no JSON", cause);
  }
  throw malformedBody("The signed body is no JSON object");
}

function malformedBody(message: string, cause?: unknown): SignatureVerificationError {
  return new SignatureVerificationError("malformed_body", message, { cause });
}
