// How an account stands at the moment one of its jobs is due: whether it may be served, and with which secrets.

import type { SigningState } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { databaseOf, type Stored } from "../store/store.ts";
import { type Account, readAccount } from "./accounts-store.ts";
import { Cache } from "./cache.ts";
import type { MasterKeys } from "./signing-secret.ts";

const remembered = new Cache<Account>();

/** `gone`: deleted, or never there. */
export interface Standing {
  readonly status: "active" | "suspended" | "gone";
  /** null for an account that is gone. */
  readonly signing: SigningState | null;
}

/** Read when a job fires: from memory for a minute, stale for an hour while D1 is down. */
export async function standingOf(env: Cloudflare.Env, accountId: string, now: number): Promise<Stored<Standing>> {
  const found = await remembered.get(accountId, now, () => readAccount(databaseOf(env.DB), accountId));
  if (!found.ok) return found;
  const account = found.value;
  if (!account || account.status === "deleted") return ok({ status: "gone", signing: null });
  return ok({ status: account.status, signing: account });
}

/** The master keys as they are set; undefined when the service has none and can sign nothing. */
export function masterKeysOf(env: Cloudflare.Env): MasterKeys | undefined {
  return env.MASTER_KEY ? { current: env.MASTER_KEY, previous: env.MASTER_KEY_PREVIOUS ?? null } : undefined;
}

/** After a change made by this isolate: no minute of waiting for it. */
export const forgetAccount = (accountId: string): void => remembered.forget(accountId);
