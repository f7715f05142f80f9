// Before somebody looks: what the projector has counted is added to the overview.

import { homeOf } from "../../accounts/home.ts";
import { ask, projectorOf } from "../addresses.ts";

/** A flush costs a few rows: those who look more often see what is there. */
const NOT_WITHIN_MS = 10_000;

/** How long a reader waits for it. Then the overview is what it was a minute ago at most. */
const PATIENCE_MS = 1_000;

/** Whatever the projector of a database holds of an account that comes back to it is counted or dropped. @returns whether it is */
export async function flushNow(env: Cloudflare.Env, database: number): Promise<boolean> {
  return (await ask(() => projectorOf(env, database).flush(), PATIENCE_MS)).ok;
}

export async function askFlush(env: Cloudflare.Env, accountId: string): Promise<void> {
  const home = await homeOf(env, accountId);
  if (home.ok) await ask(() => projectorOf(env, home.value).flush(NOT_WITHIN_MS), PATIENCE_MS);
}
