// From an API key to its account, through the isolate's memory.

import { waitUntil } from "cloudflare:workers";
import { hasExpired } from "../domain/key-scope.ts";
import { ok } from "../domain/result.ts";
import { databaseOf, type Stored } from "../store/store.ts";
import { type Account, accountOfKey, type HeldKey } from "./accounts-store.ts";
import { isSame } from "./api-key.ts";
import { Cache, type Clock } from "./cache.ts";

/** A caller that proved who it is. */
export interface Caller {
  readonly key: HeldKey;
  readonly account: Account;
}

const remembered = new Cache<Caller & { hash: string }>(waitUntil);

/** The holder of the key with this hash; undefined for a key that is unknown, revoked or expired, or whose account is deleted. */
export async function callerOf(env: Cloudflare.Env, hash: string, clock: Clock): Promise<Stored<Caller | undefined>> {
  const found = await remembered.get(hash, clock, () => accountOfKey(databaseOf(env.DB), hash));
  if (!found.ok) return found;
  const holder = found.value;
  if (!holder || holder.account.status === "deleted" || !(await isSame(hash, holder.hash))) return ok(undefined);
  // Checked at each use: the remembered key may be an hour old.
  return ok(hasExpired(holder.key.expiresAt, clock()) ? undefined : holder);
}

/** True if this isolate has seen the key open an account and the key has not expired since. */
export function isKnownKey(hash: string, now: number): boolean {
  const holder = remembered.peek(hash);
  return holder !== undefined && !hasExpired(holder.key.expiresAt, now);
}

/** After a revocation by this isolate: the key is dead at once here, within a minute elsewhere. */
export const forgetKey = (hash: string): void => remembered.forget(hash);

/** The same for all keys of an account that was suspended, resumed or deleted. */
export const forgetKeysOf = (accountId: string): void =>
  remembered.forgetAll(({ account }) => account.id === accountId);
