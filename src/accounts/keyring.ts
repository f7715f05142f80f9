// From an API key to its account, through the isolate's memory.

import { waitUntil } from "cloudflare:workers";
import { hasExpired } from "../domain/key-scope.ts";
import { ok } from "../domain/result.ts";
import { directoryOf } from "../store/databases.ts";
import type { Stored } from "../store/store.ts";
import { type Account, accountOfKey, accountOfKeyId, type HeldKey, type KeyHolder } from "./accounts-store.ts";
import { isSame } from "./api-key.ts";
import { Cache, type Clock } from "./cache.ts";

/** A caller that proved who it is. */
export interface Caller {
  readonly key: HeldKey;
  readonly account: Account;
}

const remembered = new Cache<KeyHolder>(waitUntil);

/** The holder of the key with this hash; undefined for a key that is unknown, revoked or expired, or whose account is deleted. */
export async function callerOf(env: Cloudflare.Env, hash: string, clock: Clock): Promise<Stored<Caller | undefined>> {
  const found = await remembered.get(hash, clock, () => accountOfKey(directoryOf(env), hash));
  if (found.ok && found.value && !(await isSame(hash, found.value.hash))) return ok(undefined);
  return valid(found, clock);
}

/** The same by the key's id, for a session that was opened with it. */
export async function callerOfKeyId(
  env: Cloudflare.Env,
  accountId: string,
  keyId: string,
  clock: Clock,
): Promise<Stored<Caller | undefined>> {
  const read = () => accountOfKeyId(directoryOf(env), accountId, keyId);
  return valid(await remembered.get(byId(accountId, keyId), clock, read), clock);
}

/** Checked at each use: what is remembered may be an hour old. */
function valid(found: Stored<KeyHolder | undefined>, clock: Clock): Stored<Caller | undefined> {
  if (!found.ok || !found.value) return found;
  const { key, account } = found.value;
  return ok(account.status === "deleted" || hasExpired(key.expiresAt, clock()) ? undefined : found.value);
}

/** No hash has a space in it. */
const byId = (accountId: string, keyId: string): string => `${accountId} ${keyId}`;

/** True if this isolate has seen the key open an account and the key has not expired since. */
export function isKnownKey(hash: string, now: number): boolean {
  const holder = remembered.peek(hash);
  return holder !== undefined && !hasExpired(holder.key.expiresAt, now);
}

/** After a revocation by this isolate: the key and its sessions are dead at once here, within a minute elsewhere. */
export function forgetKey(accountId: string, keyId: string, hash: string): void {
  remembered.forget(hash);
  remembered.forget(byId(accountId, keyId));
}

/** The same for all keys of an account that was suspended, resumed or deleted. */
export const forgetKeysOf = (accountId: string): void =>
  remembered.forgetAll(({ account }) => account.id === accountId);
