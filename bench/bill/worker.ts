// The service itself, with meters at its bindings. POST /bill/take answers what was counted since the last time.

import { env } from "cloudflare:workers";
import service from "../../src/index.ts";
import { JobObject as Job } from "../../src/objects/job-object.ts";
import { PullQueue as Pull } from "../../src/objects/pull-queue.ts";
import { ScheduleObject as Schedule } from "../../src/objects/schedule-object.ts";
import { add, countCalls, countDatabase, countQueue, countStorage, takeMeter } from "./meters.ts";

countDatabase(env.DB);
countQueue(env.SNAPSHOTS, "a queue");
for (const one of [Job, Pull, Schedule]) countCalls(one);

export class JobObject extends Job {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    super(ctx, bindings);
    countStorage(ctx.storage);
  }
}
export class PullQueue extends Pull {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    super(ctx, bindings);
    countStorage(ctx.storage);
  }
}
export class ScheduleObject extends Schedule {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    super(ctx, bindings);
    countStorage(ctx.storage);
  }
}

export default {
  fetch(request, bindings, ctx) {
    if (new URL(request.url).pathname === "/bill/take") return Response.json(takeMeter());
    add("worker_requests", 1, `${request.method} ${new URL(request.url).pathname.replaceAll(/[0-9a-f-]{36}/g, ":id")}`);
    return service.fetch(request, bindings, ctx);
  },
  async queue(batch, bindings) {
    add("worker_requests", 1, `a batch of ${batch.queue}`);
    add("queue_operations", batch.messages.length, `read from ${batch.queue}`);
    add("queue_operations", batch.messages.length, `delete from ${batch.queue}`);
    await service.queue(batch, bindings);
  },
  async scheduled(event, bindings) {
    await service.scheduled(event, bindings);
  },
} satisfies ExportedHandler<Cloudflare.Env, Parameters<typeof service.queue>[0]["messages"][number]["body"]>;
