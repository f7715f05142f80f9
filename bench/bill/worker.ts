// The service itself, with meters at its bindings. GET /bill/take answers what was counted since the last time; /bill/look-ahead,
// /bill/retention and /bill/minute do what the cron would at another time, and /bill/flush what the projector would in a lull.

import { env } from "cloudflare:workers";
import { everywhere, type Here } from "../../src/cron/here.ts";
import { wakeApproaching } from "../../src/cron/look-ahead.ts";
import { everyMinute } from "../../src/cron/minute.ts";
import { cleanUp } from "../../src/cron/retention.ts";
import { Allowance } from "../../src/domain/allowance.ts";
import service, {
  BulkActionObject as Bulk,
  FlowObject as Flow,
  JobObject as Job,
  AccountMoveObject as Mover,
  Projector as Projecting,
  PullQueue as Pull,
  ScheduleObject as Schedule,
} from "../../src/index.ts";
import { add, countCalls, countDatabase, countQueue, countStorage, takeMeter } from "./meters.ts";

countDatabase(env.DB);
countQueue(env.EXECUTIONS, "a queue");
for (const one of [Bulk, Flow, Job, Mover, Projecting, Pull, Schedule]) countCalls(one);

export class AccountMoveObject extends Mover {}
export class BulkActionObject extends Bulk {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    super(ctx, bindings);
    countStorage(ctx.storage);
  }
}
export class FlowObject extends Flow {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    super(ctx, bindings);
    countStorage(ctx.storage);
  }
}
export class JobObject extends Job {
  constructor(ctx: DurableObjectState, bindings: Cloudflare.Env) {
    super(ctx, bindings);
    countStorage(ctx.storage);
  }
}
export class Projector extends Projecting {
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

/** Enough for all that the bill makes. */
const CALLS = 1_000;

const cron: Readonly<Record<string, (bindings: Cloudflare.Env, at: number) => Promise<void>>> = {
  "/bill/look-ahead": (bindings, at) => wakeApproaching(onlyOne(bindings), new Allowance(CALLS), at),
  "/bill/retention": (bindings, at) => cleanUp(onlyOne(bindings), new Allowance(CALLS), at),
  "/bill/minute": everyMinute,
};

/** The bill's service has one database. */
function onlyOne(bindings: Cloudflare.Env): Here {
  const [here] = everywhere(bindings);
  if (!here) throw new Error("no database is bound");
  return here;
}

export default {
  async fetch(request, bindings, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/bill/take") return Response.json(takeMeter());
    if (pathname === "/bill/flush") {
      await env.PROJECTORS.getByName("DB").flush();
      return new Response();
    }
    if (pathname in cron) {
      await cron[pathname]?.(bindings, Number(searchParams.get("at")));
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
