// Those who want to be called when a job of theirs has ended, in this way or in that.

import type { Chance } from "../platform/chance.ts";
import type { Client } from "./client.ts";
import { createOnce, wording } from "./creators.ts";

const SECOND = 1_000;

export async function caller(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(12 * SECOND));
    if (!world.isOpen) return;
    const wish = world.ledger.wish(tenant, chance.happens(0.3) ? "pull" : "push");
    const { body, maxRetries } = wording(client, wish, chance);
    const calls = chance.pick([["completed", "failed"], ["completed"], ["failed"]]);
    const here = { url: `https://${tenant.host}/called`, headers: { "X-Of-Wish": String(wish.n) } };
    const callbacks = Object.fromEntries(calls.map((end) => [end, here]));
    await createOnce(client, wish, { ...body, callbacks }, maxRetries);
    if (wish.job) wish.job.calls = calls;
  }
}
