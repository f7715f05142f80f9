// Entries that are over travel to their PullQueue with the next claim that this isolate has for it; what no claim has taken
// along shortly afterwards is sent by itself. What gets lost lapses there, and its next lease is refused.

import type { Entry, Offer } from "../../delivery/enqueue.ts";
import { ask, pullQueueAt } from "../addresses.ts";

const SHORTLY_MS = 100;

const settled = new Map<string, Entry[]>();

/** @param later does what is left to do behind the answer */
export function settle(
  env: Cloudflare.Env,
  accountId: string,
  offers: readonly Offer[],
  later: (work: Promise<unknown>) => void,
): void {
  for (const [handler, over] of Map.groupBy(offers, (offer) => offer.handler)) {
    const key = keyOf(accountId, handler);
    settled.set(key, [...(settled.get(key) ?? []), ...over]);
    later(sendShortly(env, accountId, handler));
  }
}

/** Whoever takes them sends them. */
export function takeSettled(accountId: string, handler: string): readonly Entry[] {
  const key = keyOf(accountId, handler);
  const over = settled.get(key) ?? [];
  settled.delete(key);
  return over;
}

async function sendShortly(env: Cloudflare.Env, accountId: string, handler: string): Promise<void> {
  await scheduler.wait(SHORTLY_MS);
  const over = takeSettled(accountId, handler);
  if (over.length > 0) await ask(() => pullQueueAt(env, accountId, handler).remove(over));
}

const keyOf = (accountId: string, handler: string): string => `${accountId}/${handler}`;
