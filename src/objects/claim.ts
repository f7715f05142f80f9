// A worker's claim: PullQueue nominates, the job's own object gives the lease, and a client that has left takes nothing.

import type { Offer } from "../delivery/enqueue.ts";
import type { JobRefusal } from "../domain/refusal.ts";
import { ok, type Result } from "../domain/result.ts";
import { ask, jobAt, pullQueueAt } from "./addresses.ts";
import type { Leased } from "./owners.ts";

export interface Claim {
  readonly accountId: string;
  readonly handlers: readonly string[];
  readonly workerId: string | null;
  /** Names the poll. */
  readonly pollId: string;
  /** Does what is left to do behind the answer. */
  readonly later: (work: Promise<unknown>) => void;
}

/** Who waits for the answer of a claim. */
export interface Claimant {
  readonly gone: AbortSignal;
  readonly isThere: () => Promise<boolean>;
}

/** null: nothing was due. */
export type Claimed = Result<Leased | null, JobRefusal>;

/** Somebody who has only just asked. */
const present: Claimant = { gone: new AbortController().signal, isThere: async () => true };

/** Takes a job that is due already. */
export const claimNow = (env: Cloudflare.Env, claim: Claim): Promise<Claimed> => claimWithin(env, claim, 0, present);

/** Waits for a job to become due and takes its lease. What was nominated to somebody who has left goes back. */
export async function claimWithin(
  env: Cloudflare.Env,
  { accountId, handlers, workerId, pollId, later }: Claim,
  waitMs: number,
  { gone, isThere }: Claimant,
): Promise<Claimed> {
  const queue = () => pullQueueAt(env, accountId);
  gone.addEventListener("abort", () => void ask(() => queue().leave(pollId)));
  const until = Date.now() + waitMs;
  while (!gone.aborted) {
    const nominated = await ask(() => queue().nominate(pollId, handlers, Math.max(0, until - Date.now())));
    if (!nominated.ok) return nominated;
    const offer: Offer | null = nominated.value;
    if (!offer) return ok(null);
    const ref = { accountId, jobId: offer.jobId };
    const [leased, there] = await Promise.all([
      ask(() => jobAt(env, ref).lease(ref, offer.executionId, workerId)),
      isThere(),
    ]);
    if (!leased.ok) {
      await ask(() => queue().putBack(offer));
      return leased;
    }
    if (leased.value.ok && there) {
      later(ask(() => queue().remove(offer)));
      return leased.value;
    }
    if (leased.value.ok) await giveBack(env, ref, offer);
    else if (leased.value.error.code === "unavailable") await ask(() => queue().putBack(offer));
    else await ask(() => queue().remove(offer));
  }
  return ok(null);
}

/** First the lease, then the entry: who is nominated next finds it free. */
async function giveBack(env: Cloudflare.Env, ref: { accountId: string; jobId: string }, offer: Offer): Promise<void> {
  await ask(() => jobAt(env, ref).release(offer.executionId));
  await ask(() => pullQueueAt(env, ref.accountId).putBack(offer));
}
