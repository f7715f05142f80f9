// A named queue: those who make jobs for it, and the Worker that consumes it. It starts each execution over the API, works, reports,
// and acknowledges; what it cannot start now comes again.

import type { Chance } from "../platform/chance.ts";
import { NAMED_QUEUE } from "../platform/platform.ts";
import type { Delivered, QueueMessage } from "../platform/queues.ts";
import type { World } from "../world.ts";
import { Client, isDone } from "./client.ts";
import { createOnce, wording } from "./creators.ts";
import { serve } from "./workers.ts";

const SECOND = 1_000;

export async function queuer(client: Client, chance: Chance): Promise<void> {
  const { world, tenant } = client;
  while (world.isOpen) {
    await world.sleep(chance.around(10 * SECOND));
    if (!world.isOpen) return;
    const wish = world.ledger.wish(tenant, "pull");
    const { body, maxRetries } = wording(client, wish, chance);
    const delivery = { type: "pull", queue: NAMED_QUEUE };
    await createOnce(client, wish, { ...body, handler: "of a queue", delivery }, maxRetries);
  }
}

/** As long as D1 may be away. */
const AGAIN_SECONDS = 60;

export async function consume(world: World, { messages }: Delivered): Promise<void> {
  await Promise.all(messages.map((message) => consumeOne(world, message)));
}

async function consumeOne(world: World, message: QueueMessage): Promise<void> {
  const { job_id, execution_id, payload } = message.body as Message;
  const { ledger, consumers } = world;
  const tenant = (ledger.jobs.get(job_id) ?? ledger.wishes[payload?.n ?? -1])?.tenant;
  if (!tenant) return ledger.violated("a queue holds what was asked for", `job ${job_id}`);
  const client = new Client(world, tenant);
  world.note("consumed", job_id, execution_id);
  world.ledger.consumed.add(job_id);
  // It throws before it has begun.
  if (world.isOpen && consumers.happens(0.03)) return message.retry({ delaySeconds: AGAIN_SECONDS });
  const askedAt = world.now;
  const started = await client.once("POST", `/v1/worker/jobs/${job_id}/start`, { execution_id, worker_id: "a queue" });
  if (isDone(started)) {
    await serve(client, consumers, started.body.data, askedAt, 0.1);
    message.ack();
  } else if (started?.status === 409 || started?.status === 404) message.ack();
  else message.retry({ delaySeconds: AGAIN_SECONDS });
}

interface Message {
  readonly job_id: string;
  readonly execution_id: string;
  readonly payload: { readonly n?: number } | null;
}
