// Facts that a client carries for us and cannot change: JSON with an HMAC behind it. The key is derived from the master key for one
// purpose alone, so what is sealed for one is worth nothing for another.

import { derive } from "./derive.ts";
import type { MasterKeys } from "./signing-secret.ts";

export type Purpose = "dashboard session" | "dashboard sign-in";

/** Longer than anything that is sealed: what is longer is not decoded. */
const MAX_LENGTH = 1_000;

const FORM = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{43})$/;

export async function seal(masterKey: string, purpose: Purpose, facts: object): Promise<string> {
  const content = encode(JSON.stringify(facts));
  const mac = new Uint8Array(await crypto.subtle.sign("HMAC", await keyFor(masterKey, purpose), content));
  return `${base64Url(content)}.${base64Url(mac)}`;
}

/** What was sealed with the current or the previous master key; undefined for anything else. */
export async function unseal(keys: MasterKeys, purpose: Purpose, text: string): Promise<unknown> {
  const [, content, mac] = (text.length <= MAX_LENGTH && FORM.exec(text)) || [];
  if (content === undefined || mac === undefined) return undefined;
  const [bytes, signature] = [bytesOf(content), bytesOf(mac)];
  if (!bytes || !signature) return undefined;
  for (const masterKey of [keys.current, keys.previous])
    if (masterKey !== null && (await crypto.subtle.verify("HMAC", await keyFor(masterKey, purpose), signature, bytes)))
      return JSON.parse(new TextDecoder().decode(bytes));
  return undefined;
}

async function keyFor(masterKey: string, purpose: Purpose): Promise<CryptoKey> {
  const bytes = await derive(masterKey, `chronos ${purpose}`, 32);
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

const base64Url = (bytes: Uint8Array): string =>
  btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");

/** Undefined for a text of a length that base64 does not have. */
function bytesOf(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
  } catch {
    return undefined;
  }
}
