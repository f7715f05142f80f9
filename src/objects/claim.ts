// A worker's claim: PullQueue nominates, the job's own object gives the lease, and a client that has left takes nothing.

import type { Offer } from "../delivery/enqueue.ts";
import type { JobRefusal } from "../domain/refusal.ts";
import { ok, type Result } from "../domain/result.ts";
import { ask, jobAt, pullQueueAt } from "./addresses.ts";
import type { Leased } from "./job-object.ts";

export interface Claim {
  readonly accountId: string;
  readonly handlers: readonly string[];
  readonly workerId: string | null;
  readonly waitMs: number;
}

/**
 * Waits for one job and takes its lease.
 *
 * @param gone aborts when the client has left
 * @param behind keeps a call alive behind the answer
 * @returns null when nothing came in time
 */
export async function claim(
  env: Cloudflare.Env,
  { accountId, handlers, workerId, waitMs }: Claim,
  pollId: string,
  gone: AbortSignal,
  behind: (work: Promise<unknown>) => void,
): Promise<Result<Leased | null, JobRefusal>> {
  const queue = () => pullQueueAt(env, accountId);
  gone.addEventListener("abort", () => behind(ask(() => queue().leave(pollId))));
  const until = Date.now() + waitMs;
  while (!gone.aborted) {
    const nominated = await ask(() => queue().nominate(pollId, handlers, Math.max(0, until - Date.now())));
    if (!nominated.ok) return nominated;
    const offer: Offer | null = nominated.value;
    if (!offer) return ok(null);
    const ref = { accountId, jobId: offer.jobId };
    const leased = await ask(() => jobAt(env, ref).lease(ref, offer.executionId, workerId));
    if (!leased.ok) {
      behind(ask(() => queue().putBack(offer)));
      return leased;
    }
    if (leased.value.ok && !gone.aborted) {
      behind(ask(() => queue().remove(offer)));
      return leased.value;
    }
    if (leased.value.ok) await giveBack(env, ref, offer);
    else if (leased.value.error.code === "unavailable") behind(ask(() => queue().putBack(offer)));
    else await ask(() => queue().remove(offer));
  }
  return ok(null);
}

/** First the lease, then the entry: who is nominated next finds it free. */
async function giveBack(env: Cloudflare.Env, ref: { accountId: string; jobId: string }, offer: Offer): Promise<void> {
  await ask(() => jobAt(env, ref).release(offer.executionId));
  await ask(() => pullQueueAt(env, ref.accountId).putBack(offer));
}
