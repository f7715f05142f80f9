// Signing secrets are derived, not stored: HKDF over a master key, the account and the number of its rotations. Stored is
// only which master key each version was first issued with.

import type { SigningState } from "../domain/job.ts";
import { derive } from "./derive.ts";

/** The service's own keys; the previous one is there while the master key is being changed. */
export interface MasterKeys {
  readonly current: string;
  readonly previous: string | null;
}

export interface SigningSecrets {
  readonly current: string;
  /** Others that receivers may still know, newest first: of a rotation that overlaps, of a master key that is changed. */
  readonly earlier: readonly string[];
}

/**
 * Each version in force counts with the current master key, and with the previous one if it is older than the current
 * one: an account issued its secret today has never heard of yesterday's key.
 */
export async function secretsAt(keys: MasterKeys, accountId: string, state: SigningState, now: number) {
  const { signingVersion, masterKeyId, previousMasterKeyId } = state;
  const latest = await issued(keys, accountId, signingVersion, masterKeyId);
  const overlaps = overlapEndOf(state, now) !== null;
  const before = overlaps ? await issued(keys, accountId, signingVersion - 1, previousMasterKeyId) : [];
  const [current, ...earlier] = [...latest, ...before] as const;
  return { current, earlier } satisfies SigningSecrets;
}

/** When the secret before the last rotation stops being valid; null when it is not valid any more. */
export const overlapEndOf = ({ overlapEndsAt }: SigningState, now: number): number | null =>
  overlapEndsAt !== null && now < overlapEndsAt ? overlapEndsAt : null;

/** The secrets of one version that its account may have been shown. */
async function issued(
  { current, previous }: MasterKeys,
  accountId: string,
  version: number,
  masterKeyId: string | null,
): Promise<[string, ...string[]]> {
  const secret = await secretOf(current, accountId, version);
  const isNew = previous === null || masterKeyId === (await idOfMasterKey(current));
  return isNew ? [secret] : [secret, await secretOf(previous, accountId, version)];
}

/** The part of an account that decides what its deliveries are signed with. */
export const signingStateOf = (account: SigningState): SigningState => ({
  signingVersion: account.signingVersion,
  masterKeyId: account.masterKeyId,
  overlapEndsAt: account.overlapEndsAt,
  previousMasterKeyId: account.previousMasterKeyId,
});

/** Tells master keys apart and says nothing else of them: 8 bytes in hex. */
export async function idOfMasterKey(masterKey: string): Promise<string> {
  const bytes = await derive(masterKey, "chronos master key id", 8);
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @returns `whsec_` and 32 bytes in base64 */
async function secretOf(masterKey: string, accountId: string, version: number): Promise<string> {
  const bytes = await derive(masterKey, `chronos signing secret ${accountId} ${version}`, 32);
  return `whsec_${btoa(String.fromCharCode(...bytes))}`;
}
