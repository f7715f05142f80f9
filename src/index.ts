// The Worker: its handlers and its objects. Wiring only.

import { createApp } from "./app.ts";
import type { OfferMessage } from "./delivery/enqueue.ts";
import { consumePokes, type PokeMessage } from "./objects/pokes.ts";
import { consumeOffers } from "./objects/pull-queue/offers.ts";
import { consumeSnapshots } from "./objects/receipts.ts";
import { consumeScheduleReports } from "./objects/schedule-reports.ts";
import { cleanUp, sweep } from "./objects/sweeper.ts";
import { consumeTakeUps, type TakeUpMessage, takeUpAhead } from "./objects/take-ups.ts";
import type { ScheduleReport } from "./projection/schedules-store.ts";
import type { Snapshot } from "./projection/snapshot.ts";

export { JobObject } from "./objects/job-object.ts";
export { PullQueue } from "./objects/pull-queue/pull-queue.ts";
export { ScheduleObject } from "./objects/schedule-object.ts";

/** What travels on our own queues. */
type Incoming = Snapshot | ScheduleReport | OfferMessage | PokeMessage | TakeUpMessage;

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
      consumeTakeUps(env, messages.filter(isTakeUp)),
    ]);
  },
  scheduled: async (_event, env) => {
    const now = Date.now();
    await takeUpAhead(env, now);
    await sweep(env, now);
    await cleanUp(env, now);
  },
} satisfies ExportedHandler<Cloudflare.Env, Incoming>;

type Kind = Incoming["kind"];

const is =
  <K extends Kind>(kind: K) =>
  (message: Message<Incoming>): message is Message<Extract<Incoming, { kind: K }>> =>
    message.body.kind === kind;
const isSnapshot = is("snapshot");
const isScheduleReport = is("schedule");
const isOffer = is("offer");
const isPoke = is("poke");
const isTakeUp = is("take_up");
const KNOWN = [isSnapshot, isScheduleReport, isOffer, isPoke, isTakeUp];

/** Something only a newer deployment knows: it waits for that one. */
const isForeign = (message: Message<Incoming>): boolean => !KNOWN.some((isKnown) => isKnown(message));
