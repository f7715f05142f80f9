// The Worker: its handlers and its objects. Wiring only.

import { createApp } from "./app.ts";
import { consumeSnapshots } from "./objects/receipts.ts";
import { cleanUp, sweep } from "./objects/sweeper.ts";
import type { Snapshot } from "./projection/snapshot.ts";

export { JobObject } from "./objects/job-object.ts";

const app = createApp();

export default {
  fetch: app.fetch,
  queue: (batch, env) => consumeSnapshots(env, batch),
  scheduled: async (_event, env) => {
    const now = Date.now();
    await sweep(env, now);
    await cleanUp(env, now);
  },
} satisfies ExportedHandler<Cloudflare.Env, Snapshot>;
