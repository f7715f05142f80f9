// How an account stands at the moment one of its jobs is due: whether it may be served, and with which secrets.

import type { SigningState } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { databaseOf, type Stored } from "../projection/store.ts";
import { type Account, readAccount } from "./accounts-store.ts";
import { Cache } from "./cache.ts";
import { type MasterKeys, type SigningSecrets, secretsAt } from "./signing-secret.ts";

const remembered = new Cache<Account>();

/** An account that is deleted, or that never was, is `gone`. */
export type Standing = "active" | "suspended" | "gone";

/** Read when a job fires: from memory for a minute, stale for an hour while D1 is down. */
export async function standingOf(env: Cloudflare.Env, accountId: string, now: number): Promise<Stored<Standing>> {
  const account = await accountOf(env, accountId, now);
  if (!account.ok) return account;
  if (!account.value || account.value.status === "deleted") return ok("gone");
  return ok(account.value.status);
}

/**
 * The secrets a delivery is signed with.
 *
 * @param known the state at the job's creation, for an isolate that has never seen D1 answer
 * @returns undefined when nobody knows
 */
export async function secretsFor(
  env: Cloudflare.Env,
  keys: MasterKeys,
  accountId: string,
  known: SigningState | null,
  now: number,
): Promise<SigningSecrets | undefined> {
  const account = await accountOf(env, accountId, now);
  const state = (account.ok && account.value) || known;
  return state ? secretsAt(keys, accountId, state, now) : undefined;
}

/** The master keys as they are set; undefined when the service has none and can sign nothing. */
export function masterKeysOf(env: Cloudflare.Env): MasterKeys | undefined {
  return env.MASTER_KEY ? { current: env.MASTER_KEY, previous: env.MASTER_KEY_PREVIOUS ?? null } : undefined;
}

/** After a change made by this isolate: no minute of waiting for it. */
export const forgetAccount = (accountId: string): void => remembered.forget(accountId);

const accountOf = (env: Cloudflare.Env, accountId: string, now: number): Promise<Stored<Account | undefined>> =>
  remembered.get(accountId, now, () => readAccount(databaseOf(env.DB), accountId));
