// Offers on their way to a PullQueue: straight from a job's owner, or in batches from the default queue, which takes over
// when PullQueue is busy or cannot be reached.

import { type Entry, enqueue, entryOf, OFFER_VERSION, type OfferMessage } from "../../delivery/enqueue.ts";
import { type Job, newest } from "../../domain/job.ts";
import { log } from "../../log.ts";
import { ask, pullQueueAt } from "../addresses.ts";

/** How long PullQueue may take to answer an owner, whose job is due. If it takes the offer later, it has it twice, which is once. */
const PATIENCE_MS = 5_000;

/** Puts a queued execution where workers find it. @returns whether anybody has taken it */
export async function offer(env: Cloudflare.Env, job: Job): Promise<boolean> {
  const entry = pollable(job);
  if (!entry) return enqueue(env, job);
  const told = await ask(() => queueOf(env, job).offer([entry]), PATIENCE_MS);
  return (told.ok && told.value === "taken") || enqueue(env, job);
}

/** Takes an execution back that is no longer to be had. An entry that stays does no harm: its lease is refused. */
export async function withdraw(env: Cloudflare.Env, job: Job): Promise<void> {
  const entry = pollable(job);
  if (entry && newest(job)?.startedAt === null) await ask(() => queueOf(env, job).remove([entry]));
}

/** The default queue's consumer: one call for each PullQueue in the batch. Acknowledged once it has taken them. */
export async function consumeOffers(env: Cloudflare.Env, messages: readonly Message<OfferMessage>[]): Promise<void> {
  const byQueue = Map.groupBy(messages.filter(isReadable), ({ body }) => `${body.accountId}/${body.handler}`);
  await Promise.all([...byQueue.values()].map((group) => handOn(env, group)));
}

async function handOn(env: Cloudflare.Env, group: readonly Message<OfferMessage>[]): Promise<void> {
  const [first] = group;
  if (!first) return;
  const { accountId, handler } = first.body;
  const entries = group.map(({ body: { jobId, executionId, dueAt } }) => ({ jobId, executionId, dueAt }));
  const told = await ask(() => pullQueueAt(env, accountId, handler).offer(entries));
  if (told.ok && told.value === "taken") for (const message of group) message.ack();
  else {
    for (const message of group) message.retry({ delaySeconds: 5 });
    log("warn", "offers_delayed", { account_id: accountId, offers: group.length });
  }
}

/** The entry of an execution that workers poll for. A named queue's execution is its consumer's business alone. */
function pollable(job: Job): Entry | undefined {
  const execution = newest(job);
  return job.delivery.type === "pull" && job.delivery.queue === null && execution ? entryOf(job, execution) : undefined;
}

const queueOf = (env: Cloudflare.Env, job: Job) => pullQueueAt(env, job.accountId, job.handler ?? "");

function isReadable(message: Message<OfferMessage>): boolean {
  if (message.body.v <= OFFER_VERSION) return true;
  message.retry({ delaySeconds: 60 });
  return false;
}
