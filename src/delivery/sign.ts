// The signatures of a push, made with WebCrypto: all of its awaiting happens before an attempt begins.

import type { SigningSecrets } from "../accounts/signing-secret.ts";
import { type Signatures, signedText } from "../domain/push-message.ts";

export async function sign(
  { current, earlier }: SigningSecrets,
  executionId: string,
  jobId: string,
  timestampSeconds: number,
  body: string,
): Promise<Signatures> {
  const inForce = [current, ...earlier];
  const standardText = signedText(jobId, timestampSeconds, body);
  const [chronos, ...standard] = await Promise.all([
    hmac(new TextEncoder().encode(earlier.at(-1) ?? current), signedText(executionId, timestampSeconds, body)),
    ...inForce.map((secret) => hmac(keyBytesOf(secret), standardText)),
  ]);
  return { chronos: hex(chronos), standard: standard.map(base64) };
}

/** Standard Webhooks keys on the bytes behind the prefix, Chronos on the whole text. */
const keyBytesOf = (secret: string): Uint8Array =>
  Uint8Array.from(atob(secret.slice("whsec_".length)), (char) => char.charCodeAt(0));

async function hmac(key: Uint8Array, text: string): Promise<Uint8Array> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, new TextEncoder().encode(text)));
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));
