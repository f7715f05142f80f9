// The dashboard's session, and the link that opens one. Neither is stored: both name an API key, which is looked up at each use, so
// a session ends with its key.

import * as v from "valibot";
import { hasExpired } from "../domain/key-scope.ts";
import { seal, unseal } from "./sealed.ts";
import type { MasterKeys } from "./signing-secret.ts";

const HOUR_MS = 3_600_000;
const SESSION_MS = 12 * HOUR_MS;

/** A link is in somebody's terminal, and may be in a browser's history. */
const SIGN_IN_MS = 24 * HOUR_MS;

const Session = v.strictObject({
  v: v.literal(1),
  accountId: v.string(),
  keyId: v.string(),
  /** Chosen at sign-in. A `read` key is read-only whatever was chosen. */
  readOnly: v.boolean(),
  expiresAt: v.number(),
});

export type Session = v.InferOutput<typeof Session>;

const SignIn = v.strictObject({ v: v.literal(1), keyHash: v.string(), expiresAt: v.number() });

/** A session of a key that is used now: it lasts 12 hours, and not longer than the key. */
export const newSession = (
  accountId: string,
  key: { readonly id: string; readonly expiresAt: number | null },
  readOnly: boolean,
  now: number,
): Session => ({
  v: 1,
  accountId,
  keyId: key.id,
  readOnly,
  expiresAt: Math.min(now + SESSION_MS, key.expiresAt ?? Number.POSITIVE_INFINITY),
});

export const sealSession = (keys: MasterKeys, session: Session): Promise<string> =>
  seal(keys.current, "dashboard session", session);

/** Undefined for what is no session of ours, and for one that has ended. */
export async function openSession(keys: MasterKeys, text: string, now: number): Promise<Session | undefined> {
  const { success, output } = v.safeParse(Session, await unseal(keys, "dashboard session", text));
  return success && !hasExpired(output.expiresAt, now) ? output : undefined;
}

/** A token that signs in with the key of this hash, for 24 hours. */
export const sealSignIn = (masterKey: string, keyHash: string, now: number): Promise<string> =>
  seal(masterKey, "dashboard sign-in", { v: 1, keyHash, expiresAt: now + SIGN_IN_MS });

/** The hash of the key that a token signs in with; undefined for what is no token of ours, and for one that has expired. */
export async function openSignIn(keys: MasterKeys, text: string, now: number): Promise<string | undefined> {
  const { success, output } = v.safeParse(SignIn, await unseal(keys, "dashboard sign-in", text));
  return success && !hasExpired(output.expiresAt, now) ? output.keyHash : undefined;
}
