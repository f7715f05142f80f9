// The Worker: its handlers and its objects. Wiring only.

import { createApp } from "./app.ts";
import { everyMinute } from "./cron/minute.ts";
import type { OfferMessage } from "./delivery/enqueue.ts";
import { consumeOffers } from "./objects/pull-queue/offers.ts";

export { AccountMoveObject } from "./objects/account-move/account-move-object.ts";
export { BulkActionObject } from "./objects/bulk-action/bulk-action-object.ts";
export { FlowObject } from "./objects/flow/flow-object.ts";
export { JobObject } from "./objects/job/job-object.ts";
export { Projector } from "./objects/projector/projector.ts";
export { PullQueue } from "./objects/pull-queue/pull-queue.ts";
export { ScheduleObject } from "./objects/schedule/schedule-object.ts";

const app = createApp();

export default {
  fetch: app.fetch,
  queue: ({ messages }, env) => consumeOffers(env, messages),
  scheduled: (_event, env) => everyMinute(env, Date.now()),
} satisfies ExportedHandler<Cloudflare.Env, OfferMessage>;
