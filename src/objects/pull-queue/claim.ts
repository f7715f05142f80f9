// A worker's claim: PullQueue nominates, each job's own object gives the lease, and a client that has left takes nothing.

import type { Offer } from "../../delivery/enqueue.ts";
import type { Unavailable } from "../../domain/refusal.ts";
import { ok, type Result } from "../../domain/result.ts";
import { ask, askOwner, jobAt } from "../addresses.ts";
import type { Answer, Leased } from "../owners.ts";
import { giveBack, type Nominated, nominateNow, nominateWithin, type Poll } from "./nominate.ts";
import { settle } from "./settled.ts";

/** Who waits for the answer of a claim. */
export interface Claimant {
  readonly gone: AbortSignal;
  readonly isThere: () => Promise<boolean>;
}

/** Empty: nothing was due. */
export type Claimed = Result<readonly Leased[], Unavailable>;

/** How often a claim whose nominations came to nothing asks again. The entries it met are gone or lapse: the next goes on. */
export const MAX_ROUNDS = 20;

/** How long an owner may take. Shorter than a nomination: what comes later may be another poll's by then. */
const LEASE_PATIENCE_MS = 8_000;

/** A client seen longer ago than this is looked for again before it is answered. */
const SEEN_MS = 50;

/** Somebody who has only just asked. */
const present: Claimant = { gone: new AbortController().signal, isThere: async () => true };

/** Takes jobs that are due already. */
export const claimNow = (env: Cloudflare.Env, claim: Poll): Promise<Claimed> =>
  claimFrom(env, claim, present, () => nominateNow(env, claim));

/** Waits for a job to become due and takes its lease. What was nominated to somebody who has left goes back. */
export function claimWithin(env: Cloudflare.Env, claim: Poll, waitMs: number, client: Claimant): Promise<Claimed> {
  const until = performance.now() + waitMs;
  return claimFrom(env, claim, client, () =>
    nominateWithin(env, claim, Math.max(0, until - performance.now()), client.gone),
  );
}

async function claimFrom(
  env: Cloudflare.Env,
  claim: Poll,
  { gone, isThere }: Claimant,
  nominate: () => Promise<Nominated>,
): Promise<Claimed> {
  for (let round = 0; round < MAX_ROUNDS && !gone.aborted; round++) {
    const nominated = await nominate();
    if (!nominated.ok) return nominated;
    const offers = nominated.value;
    if (offers.length === 0) break;
    if (gone.aborted) return giveBack(env, claim.accountId, offers).then(() => ok([]));
    const began = performance.now();
    const [answers, wasThere] = await Promise.all([
      Promise.all(offers.map((offer) => leaseOf(env, claim, offer))),
      isThere(),
    ]);
    const there = wasThere && (performance.now() - began < SEEN_MS || (await isThere()));
    const leased = answers.flatMap((answer) => (answer.ok ? [answer.value] : []));
    if (!there)
      await release(
        env,
        claim.accountId,
        offers.filter((_, i) => answers[i]?.ok),
      );
    const over = offers.filter((_, i) => (answers[i]?.ok ? there : isRefused(answers[i])));
    settle(env, claim.accountId, over, claim.later);
    if (there && leased.length > 0) return ok(leased);
  }
  return ok([]);
}

/** The lease of a nominated execution. An owner that says nothing in time is left alone, and its entry lapses. */
async function leaseOf(
  env: Cloudflare.Env,
  { accountId, workerId, later }: Poll,
  { jobId, executionId }: Offer,
): Promise<Answer<Leased>> {
  const owner = () => jobAt(env, { accountId, jobId });
  const asked = (async () => owner().lease({ accountId, jobId }, executionId, workerId))();
  const answer = await askOwner(() => asked, LEASE_PATIENCE_MS);
  // A lease that comes after all is ours and nobody's use.
  if (!answer.ok && answer.error.code === "unavailable")
    later(asked.then((late) => (late.ok ? ask(() => owner().release(executionId)) : undefined)).catch(() => {}));
  return answer;
}

const isRefused = (answer: Answer<Leased> | undefined): boolean =>
  answer !== undefined && !answer.ok && answer.error.code !== "unavailable";

/** First the leases, then the entries: who is nominated next finds them free. */
async function release(env: Cloudflare.Env, accountId: string, offers: readonly Offer[]): Promise<void> {
  await Promise.all(
    offers.map(({ jobId, executionId }) => ask(() => jobAt(env, { accountId, jobId }).release(executionId))),
  );
  await giveBack(env, accountId, offers);
}
