// From an API key to its account, through the isolate's memory.

import { ok } from "../domain/result.ts";
import type { Stored } from "../store/store.ts";
import { databaseOf } from "../store/store.ts";
import { type Account, accountOfKey } from "./accounts-store.ts";
import { hashOf, isKeyShaped, isSame } from "./api-key.ts";
import { Cache } from "./cache.ts";

/** A caller that proved who it is. */
export interface Caller {
  readonly keyId: string;
  readonly account: Account;
}

const remembered = new Cache<Caller & { hash: string }>();

/** Who calls; undefined for a key that is malformed, unknown, revoked, or whose account is not active. */
export async function callerOf(env: Cloudflare.Env, key: string, now: number): Promise<Stored<Caller | undefined>> {
  if (!isKeyShaped(key)) return ok(undefined);
  const hash = await hashOf(key);
  const found = await remembered.get(hash, now, () => accountOfKey(databaseOf(env.DB), hash));
  if (!found.ok) return found;
  const holder = found.value;
  if (holder?.account.status !== "active" || !(await isSame(hash, holder.hash))) return ok(undefined);
  return ok(holder);
}

/** After a revocation by this isolate: the key is dead at once here, within a minute elsewhere. */
export const forgetKey = (hash: string): void => remembered.forget(hash);
