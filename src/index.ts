// The Worker: its handlers and its objects. Wiring only.

import { createApp } from "./app.ts";
import type { OfferMessage } from "./delivery/enqueue.ts";
import { consumeOffers } from "./objects/offers.ts";
import { consumeSnapshots } from "./objects/receipts.ts";
import { cleanUp, sweep } from "./objects/sweeper.ts";
import type { Snapshot } from "./projection/snapshot.ts";

export { JobObject } from "./objects/job-object.ts";
export { PullQueue } from "./objects/pull-queue.ts";

const app = createApp();

export default {
  fetch: app.fetch,
  queue: async ({ messages }, env) => {
    await Promise.all([
      consumeSnapshots(env, messages.filter(isSnapshot)),
      consumeOffers(env, messages.filter(isOffer)),
    ]);
  },
  scheduled: async (_event, env) => {
    const now = Date.now();
    await sweep(env, now);
    await cleanUp(env, now);
  },
} satisfies ExportedHandler<Cloudflare.Env, Snapshot | OfferMessage>;

const isSnapshot = (message: Message<Snapshot | OfferMessage>): message is Message<Snapshot> =>
  message.body.kind === "snapshot";
const isOffer = (message: Message<Snapshot | OfferMessage>): message is Message<OfferMessage> =>
  message.body.kind === "offer";
