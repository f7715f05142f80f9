// Signing secrets are derived, not stored: HKDF over the master key, the account and the number of its rotations.

import type { SigningState } from "../domain/job.ts";

/** The service's own keys; the previous one is there while the master key is being changed. */
export interface MasterKeys {
  readonly current: string;
  readonly previous: string | null;
}

export interface SigningSecrets {
  readonly current: string;
  /** The secret that is going out, as long as it is still valid. */
  readonly previous: string | null;
}

export async function secretsAt(
  keys: MasterKeys,
  accountId: string,
  { signingVersion, overlapEndsAt }: SigningState,
  now: number,
): Promise<SigningSecrets> {
  const current = await derive(keys.current, accountId, signingVersion);
  if (overlapEndsAt !== null && now < overlapEndsAt)
    return { current, previous: await derive(keys.previous ?? keys.current, accountId, signingVersion - 1) };
  if (keys.previous !== null) return { current, previous: await derive(keys.previous, accountId, signingVersion) };
  return { current, previous: null };
}

/** @returns `whsec_` and 32 bytes in base64 */
async function derive(masterKey: string, accountId: string, version: number): Promise<string> {
  const material = await crypto.subtle.importKey("raw", encode(masterKey), "HKDF", false, ["deriveBits"]);
  const info = encode(`chronos signing secret ${accountId} ${version}`);
  const bits = await crypto.subtle.deriveBits(
    { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info },
    material,
    256,
  );
  return `whsec_${btoa(String.fromCharCode(...new Uint8Array(bits)))}`;
}

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
