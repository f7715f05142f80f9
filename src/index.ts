// The Worker: its handlers and its objects. Wiring only.

import { createApp } from "./app.ts";
import type { OfferMessage } from "./delivery/enqueue.ts";
import { consumeOffers } from "./objects/offers.ts";
import { consumePokes, type PokeMessage } from "./objects/pokes.ts";
import { consumeSnapshots } from "./objects/receipts.ts";
import { consumeScheduleReports } from "./objects/schedule-reports.ts";
import { cleanUp, sweep } from "./objects/sweeper.ts";
import type { ScheduleReport } from "./projection/schedules-store.ts";
import type { Snapshot } from "./projection/snapshot.ts";

export { JobObject } from "./objects/job-object.ts";
export { PullQueue } from "./objects/pull-queue.ts";
export { ScheduleObject } from "./objects/schedule-object.ts";

/** What travels on our own queues. */
type Incoming = Snapshot | ScheduleReport | OfferMessage | PokeMessage;

const app = createApp();

export default {
  fetch: app.fetch,
  queue: async ({ messages }, env) => {
    for (const message of messages.filter(isForeign)) message.retry({ delaySeconds: 60 });
    await Promise.all([
      consumeSnapshots(env, messages.filter(isSnapshot)),
      consumeScheduleReports(env, messages.filter(isScheduleReport)),
      consumeOffers(env, messages.filter(isOffer)),
      consumePokes(env, messages.filter(isPoke)),
    ]);
  },
  scheduled: async (_event, env) => {
    const now = Date.now();
    await sweep(env, now);
    await cleanUp(env, now);
  },
} satisfies ExportedHandler<Cloudflare.Env, Incoming>;

/** Something only a newer deployment knows: it waits for that one. */
const isForeign = (message: Message<Incoming>): boolean =>
  !isSnapshot(message) && !isScheduleReport(message) && !isOffer(message) && !isPoke(message);
const isSnapshot = (message: Message<Incoming>): message is Message<Snapshot> => message.body.kind === "snapshot";
const isScheduleReport = (message: Message<Incoming>): message is Message<ScheduleReport> =>
  message.body.kind === "schedule";
const isOffer = (message: Message<Incoming>): message is Message<OfferMessage> => message.body.kind === "offer";
const isPoke = (message: Message<Incoming>): message is Message<PokeMessage> => message.body.kind === "poke";
