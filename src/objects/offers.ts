// Offers on their way to an account's PullQueue: straight from a job, or in batches from the default queue.

import { OFFER_VERSION, type OfferMessage, offerOf } from "../delivery/enqueue.ts";
import { type Job, newest } from "../domain/job.ts";
import { log } from "../log.ts";
import { ask, pullQueueAt } from "./addresses.ts";

/** Offers a queued execution to the workers' polls. A named queue's execution is its consumer's business alone. */
export async function offerToPolls(env: Cloudflare.Env, job: Job): Promise<boolean> {
  const execution = newest(job);
  if (job.delivery.type !== "pull" || job.delivery.queue !== null || !execution) return false;
  const told = await ask(() => pullQueueAt(env, job.accountId).add([offerOf(job, execution)]));
  return told.ok;
}

/** Takes an execution back that is no longer to be had. An entry that stays does no harm: its lease is refused. */
export async function withdraw(env: Cloudflare.Env, job: Job): Promise<void> {
  const execution = newest(job);
  if (job.delivery.type !== "pull" || job.delivery.queue !== null || !execution) return;
  await ask(() => pullQueueAt(env, job.accountId).remove(offerOf(job, execution)));
}

/** The default queue's consumer: one call for each account in the batch. Acknowledged once PullQueue has it. */
export async function consumeOffers(env: Cloudflare.Env, messages: readonly Message<OfferMessage>[]): Promise<void> {
  const byAccount = Map.groupBy(messages.filter(isReadable), ({ body }) => body.accountId);
  await Promise.all(
    [...byAccount].map(async ([accountId, group]) => {
      const told = await ask(() => pullQueueAt(env, accountId).add(group.map(({ body }) => offerIn(body))));
      if (told.ok) for (const message of group) message.ack();
      else for (const message of group) message.retry({ delaySeconds: 5 });
      if (!told.ok) log("warn", "offers_delayed", { account_id: accountId, offers: group.length });
    }),
  );
}

const offerIn = ({ jobId, executionId, handler, dueAt }: OfferMessage) => ({ jobId, executionId, handler, dueAt });

function isReadable(message: Message<OfferMessage>): boolean {
  if (message.body.v <= OFFER_VERSION) return true;
  message.retry({ delaySeconds: 60 });
  return false;
}
