// The handlers of an account: their names from the read model, everything else from their PullQueues at this moment.

import { databaseOf } from "../../accounts/home.ts";
import type { HandlerView } from "../../domain/handler.ts";
import { err, ok } from "../../domain/result.ts";
import { listHandlers } from "../../store/handlers-store.ts";
import type { Stored } from "../../store/store.ts";
import { ask, pullQueueAt } from "../addresses.ts";
import { atOnce } from "../at-once.ts";

/** An invocation has six connections in production. */
const ASKED_AT_ONCE = 6;

/** How long one PullQueue may take, and all of them together: those that have not been asked by then count as silent. */
const PATIENCE_MS = 2_000;
const PATIENCE_WITH_ALL_MS = 8_000;

/** A handler whose PullQueue did not answer: nothing is known of it. */
export interface SilentHandler {
  readonly handler: string;
  readonly silent: true;
}

export const isSilent = (one: HandlerView | SilentHandler): one is SilentHandler => "silent" in one;

/** Asks the PullQueues of these handlers, in their order. */
export async function askHandlers(
  env: Cloudflare.Env,
  accountId: string,
  names: readonly string[],
): Promise<readonly (HandlerView | SilentHandler)[]> {
  const until = performance.now() + PATIENCE_WITH_ALL_MS;
  return atOnce(ASKED_AT_ONCE, names, async (handler) => {
    const patience = Math.min(PATIENCE_MS, until - performance.now());
    const silent: SilentHandler = { handler, silent: true };
    if (patience <= 0) return silent;
    const answer = await ask(() => pullQueueAt(env, accountId, handler).view(), patience);
    if (!answer.ok) return silent;
    const { waiting, oldestDueAt, lastPollAt, workers } = answer.value;
    return { handler, waiting, oldestDueAt, lastPollAt, workers };
  });
}

/**
 * The first `most` of an account's handlers, by name. One whose PullQueue does not answer is left out; the refusal if none of
 * them does, or D1 does not.
 */
export async function handlersOf(
  env: Cloudflare.Env,
  accountId: string,
  most: number,
): Promise<Stored<readonly HandlerView[]>> {
  const listed = await listHandlers(databaseOf(env, accountId), accountId, 0, most);
  if (!listed.ok) return listed;
  const asked = await askHandlers(env, accountId, listed.value.names);
  const answered = asked.flatMap((one) => (isSilent(one) ? [] : [one]));
  if (asked.length > 0 && answered.length === 0) return err({ code: "unavailable", retryAfterSeconds: 5 });
  return ok(answered);
}
