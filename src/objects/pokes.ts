// Pokes over the snapshots' queue: the way to thousands of overdue owners at once, which one run of the sweeper could not
// ask itself. A hundred travel in one message batch.

import { log } from "../log.ts";
import type { JobRef } from "../projection/jobs-store.ts";
import { ask, jobAt } from "./addresses.ts";

export const POKE_VERSION = 1;

/** What a queue takes in one call. */
const BATCH_SIZE = 100;

/** A question to a job's owner, as it stands in the queue. */
export interface PokeMessage extends JobRef {
  readonly kind: "poke";
  readonly v: typeof POKE_VERSION;
}

/** @returns how many the queue took; the rest is overdue again in a minute */
export async function sendPokes(env: Cloudflare.Env, jobs: readonly JobRef[]): Promise<number> {
  let taken = 0;
  while (taken < jobs.length) {
    const batch = jobs.slice(taken, taken + BATCH_SIZE);
    const sent = await ask(() => env.SNAPSHOTS.sendBatch(batch.map(messageOf)));
    if (!sent.ok) return taken;
    taken += batch.length;
  }
  return taken;
}

/** Asks them. All are acknowledged: an owner that does not answer is found overdue again. */
export async function consumePokes(env: Cloudflare.Env, messages: readonly Message<PokeMessage>[]): Promise<void> {
  const readable = messages.filter((message) => {
    if (message.body.v <= POKE_VERSION) return true;
    message.retry({ delaySeconds: 60 });
    return false;
  });
  for (const message of readable) message.ack();
  const answers = await Promise.all(
    readable.map(({ body: { accountId, jobId } }) =>
      ask(() => jobAt(env, { accountId, jobId }).poke({ accountId, jobId })),
    ),
  );
  const unanswered = answers.filter((answer) => !answer.ok).length;
  if (unanswered > 0) log("warn", "pokes_unanswered", { asked: answers.length, unanswered });
}

const messageOf = ({ accountId, jobId }: JobRef): MessageSendRequest<PokeMessage> => ({
  body: { kind: "poke", v: POKE_VERSION, accountId, jobId },
  contentType: "json",
});
