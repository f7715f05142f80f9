// What a JobObject's alarm does: it delivers what is due, offers what waits, reports what lasts, and forgets what is over.

import { standingOf } from "../../accounts/standing.ts";
import { type Prepared, prepare } from "../../delivery/prepare.ts";
import { push } from "../../delivery/push.ts";
import { taskAt } from "../../domain/agenda.ts";
import { type Job, type Waiting, withSigning } from "../../domain/job.ts";
import * as life from "../../domain/life.ts";
import { REPORT_AFTER_MS } from "../../domain/timer.ts";
import { offer } from "../pull-queue/offers.ts";
import { crowdHasBegun } from "../stagger.ts";
import { mayStart } from "./flow-turn.ts";
import type { JobKeeper } from "./job-keeper.ts";

/** A ring of the alarm does a handful of things at most; more would be a loop. */
const MAX_STEPS = 10;

/** Does what is due, one thing after the other, until nothing is. */
export async function runErrands(keeper: JobKeeper, env: Cloudflare.Env): Promise<void> {
  const { record } = keeper;
  for (let step = 0; step < MAX_STEPS; step++) {
    const job = record.read();
    if (!job) return;
    const now = Date.now();
    switch (taskAt(job, keeper.flight?.executionId ?? null, now)) {
      case "rest":
        return;
      case "deliver":
        await deliver(keeper, env, job, now);
        break;
      case "interrupt":
      case "expire":
      case "give-up":
        keeper.settleOverdue();
        await keeper.report();
        break;
      case "offer":
        await offerAgain(keeper, env, job);
        await keeper.report();
        break;
      case "give-back":
        await keeper.giveBack();
        break;
      case "report":
        await keeper.report();
        break;
      case "forget":
        return record.erase();
    }
  }
  throw new Error("the alarm does not come to rest");
}

/** The attempt is due: it goes out, unless the account may not be served. While D1 is down it goes out all the same. */
async function deliver(keeper: JobKeeper, env: Cloudflare.Env, held: Job, now: number): Promise<void> {
  const found = await standingOf(env, held.accountId, Date.now);
  const standing = found.ok ? found.value : { status: "active", signing: null };
  if (standing.status === "gone") return keeper.abandon();
  const still = keeper.record.still(held);
  if (!still) return;
  keeper.record.remember(withSigning(still, standing.signing));
  if (standing.status === "suspended") return hold(keeper, still, "suspended");
  const job = await mayStart(keeper.record, env, still);
  if (!job) return;
  const executionId = crypto.randomUUID();
  const prepared = await prepare(env, job, executionId, job.signing, now);
  if (prepared?.kind === "unsigned") return hold(keeper, job, "unsigned");
  if (prepared) return send(keeper, job, executionId, prepared);
  const due = keeper.record.still(job);
  if (due) await offerFirst(keeper, env, life.enqueue(due, executionId, Date.now()));
}

/** Between the write that says "running" and the request there is no await: what happens is what is written. */
async function send(
  keeper: JobKeeper,
  job: Job,
  executionId: string,
  prepared: Exclude<Prepared, { kind: "unsigned" }>,
): Promise<void> {
  const startedAt = Date.now();
  const due = keeper.record.still(job);
  const running = due && life.start(due, executionId, startedAt);
  if (!running) return;
  const controller = new AbortController();
  keeper.flight = { executionId, controller };
  keeper.write(running, startedAt);
  const lasting = setTimeout(() => keeper.reportLater(), REPORT_AFTER_MS);
  const outcome: life.Outcome =
    prepared.kind === "blocked"
      ? { kind: "failed", error: prepared.error, retryable: false, retryAfterMs: null }
      : await push(prepared.request, job.timeoutSeconds * 1_000, controller.signal, Date.now);
  clearTimeout(lasting);
  keeper.flight = null;
  const settled = keeper.change((held, now) => life.settle(held, executionId, outcome, Math.random(), now));
  if (!settled.ok) return;
  await crowdHasBegun(Date.now());
  await keeper.report();
}

/** Written first: a worker may take the lease before the offer is answered. */
async function offerFirst(keeper: JobKeeper, env: Cloudflare.Env, queued: Job | undefined): Promise<void> {
  if (!queued) return;
  keeper.write(queued, Date.now());
  const taken = await offer(env, queued);
  const still = keeper.record.still(queued);
  if (!still) return;
  const now = Date.now();
  const offered = taken ? life.offerTaken(still, now) : life.offerSoon(still, now);
  if (offered !== still) keeper.write(offered, now);
}

/** No worker has come. Written when the offer is taken, so that an instance that dies before offers again. */
async function offerAgain(keeper: JobKeeper, env: Cloudflare.Env, job: Job): Promise<void> {
  const taken = await offer(env, job);
  const now = Date.now();
  const still = keeper.record.still(job);
  const offered = still && life.offerAgain(still, now);
  if (offered) keeper.write(taken ? offered : life.offerSoon(offered, now), now);
}

async function hold(keeper: JobKeeper, job: Job, why: Waiting["heldFor"]): Promise<void> {
  const still = keeper.record.still(job);
  if (!still) return;
  keeper.write(life.hold(still, Date.now(), why), Date.now());
  await keeper.report();
}
