// How an account stands at the moment one of its jobs is due: whether it may be served, and with which secrets.

import { waitUntil } from "cloudflare:workers";
import type { SigningState } from "../domain/job.ts";
import { ok } from "../domain/result.ts";
import { directoryOf } from "../store/databases.ts";
import type { Stored } from "../store/store.ts";
import { type Account, readAccount } from "./accounts-store.ts";
import { Cache, type Clock } from "./cache.ts";
import { forgetKeysOf } from "./keyring.ts";
import { signingStateOf } from "./signing-secret.ts";

const remembered = new Cache<Account>(waitUntil);

/** `gone`: deleted, or never there. */
export interface Standing {
  readonly status: "active" | "suspended" | "gone";
  /** null for an account that is gone. */
  readonly signing: SigningState | null;
}

/** From memory for a minute, stale for an hour while the directory is down. */
export const rememberedAccount = (
  env: Cloudflare.Env,
  accountId: string,
  clock: Clock,
): Promise<Stored<Account | undefined>> =>
  remembered.get(accountId, clock, () => readAccount(directoryOf(env), accountId));

/** Read when a job fires. */
export async function standingOf(env: Cloudflare.Env, accountId: string, clock: Clock): Promise<Stored<Standing>> {
  const found = await rememberedAccount(env, accountId, clock);
  if (!found.ok) return found;
  const account = found.value;
  if (!account || account.status === "deleted") return ok({ status: "gone", signing: null });
  return ok({ status: account.status, signing: signingStateOf(account) });
}

/** After the database that an account is known to live in has refused: it may have moved. Whatever else is known of it stays known. */
export const renewAccount = (env: Cloudflare.Env, accountId: string): Promise<Stored<Account | undefined>> =>
  remembered.renew(accountId, Date.now, () => readAccount(directoryOf(env), accountId));

/** After a change made by this isolate: no minute of waiting for it here. */
export function forgetAccount(accountId: string): void {
  remembered.forget(accountId);
  forgetKeysOf(accountId);
}
