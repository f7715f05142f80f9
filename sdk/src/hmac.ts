// HMAC-SHA256 by WebCrypto, which compares in constant time.

import { ChronosConfigError } from "./errors.ts";

/** The key of X-Chronos-Signature: the secret as it stands, prefix and all. */
export function textKey(secret: string): Uint8Array {
  return new TextEncoder().encode(secret);
}

/** The key of a Standard Webhooks signature: the bytes behind `whsec_`. */
export function standardKey(secret: string): Uint8Array {
  try {
    const bytes = Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (character) => character.charCodeAt(0));
    if (bytes.byteLength > 0) return bytes;
  } catch {
    // Said below.
  }
  throw new ChronosConfigError("A signing secret has the form whsec_ followed by base64; this one does not");
}

/** Whether one of the signatures over `prefix + body` was made with one of the keys. */
export async function matchesAny(
  keys: readonly Uint8Array[],
  signatures: readonly Uint8Array[],
  prefix: string,
  body: Uint8Array,
): Promise<boolean> {
  const head = new TextEncoder().encode(prefix);
  const signed = new Uint8Array(head.byteLength + body.byteLength);
  signed.set(head);
  signed.set(body, head.byteLength);
  let matches = false;
  for (const bytes of keys) {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", bytes as BufferSource, algorithm, false, ["verify"]);
    for (const signature of signatures) {
      if (await crypto.subtle.verify("HMAC", key, signature as BufferSource, signed)) matches = true;
    }
  }
  return matches;
}
