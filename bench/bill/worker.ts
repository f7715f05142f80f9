// The service itself, with meters at its bindings. GET /bill/take answers what was counted since the last time, GET
// /bill/look-ahead does what the cron would at another time.

import { env } from "cloudflare:workers";
import service from "../../src/index.ts";
import { JobObject as Job } from "../../src/objects/job-object.ts";
import { PullQueue as Pull } from "../../src/objects/pull-queue/pull-queue.ts";
import { ScheduleObject as Schedule } from "../../src/objects/schedule-object.ts";
import { takeUpAhead } from "../../src/objects/take-ups.ts";
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
  async fetch(request, bindings, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/bill/take") return Response.json(takeMeter());
    if (pathname === "/bill/look-ahead") {
      await takeUpAhead(bindings, Number(searchParams.get("at")));
      return new Response();
    }
    add("worker_requests", 1, `${request.method} ${pathname.replaceAll(/[0-9a-f-]{36}/g, ":id")}`);
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
