// Why a job waits, asked of those who know: its owner, and for a queued one the PullQueue of its handler. A job that is not queued
// costs no question more than reading it.

import { bindingOf, namedQueues } from "../../delivery/queues.ts";
import type { JobView } from "../../domain/job.ts";
import type { JobRefusal } from "../../domain/refusal.ts";
import { ok, type Result } from "../../domain/result.ts";
import { type Wait, type WaitFacts, type WaitingOn, waitingOn } from "../../domain/waiting-on.ts";
import type { JobRef } from "../../store/jobs-store.ts";
import { ask, flowAt, pullQueueAt } from "../addresses.ts";
import { waitingJob } from "./read-job.ts";

/** How long a PullQueue may take: the answer about the job itself is there already. */
const PATIENCE_MS = 1_000;

export interface ExplainedJob {
  readonly job: JobView;
  /** null: it runs, or has ended. */
  readonly waitingOn: WaitingOn | null;
}

/** The job as its owner knows it at this moment, and what it waits for. */
export async function explainedJob(env: Cloudflare.Env, ref: JobRef): Promise<Result<ExplainedJob, JobRefusal>> {
  const known = await waitingJob(env, ref);
  if (!known.ok) return known;
  const { job, wait } = known.value;
  if (wait === null) return ok({ job, waitingOn: null });
  return ok({ job, waitingOn: waitingOn(job, wait, await factsOf(env, job, wait), Date.now()) });
}

const NONE: WaitFacts = { missingBinding: null, queue: null, line: null };

async function factsOf(env: Cloudflare.Env, job: JobView, { phase, standing }: Wait): Promise<WaitFacts> {
  const { accountId, delivery, handler, flow } = job;
  if (standing !== null && flow !== null) {
    const ref = { accountId, key: flow };
    const line = await ask(() => flowAt(env, ref).place(ref, standing), PATIENCE_MS);
    return { ...NONE, line: line.ok ? line.value : null };
  }
  if (phase.name !== "queued" || delivery.type !== "pull") return NONE;
  if (delivery.queue !== null) {
    const isBound = namedQueues(env).has(delivery.queue);
    return { ...NONE, missingBinding: isBound ? null : bindingOf(delivery.queue) };
  }
  const entry = { executionId: phase.executionId, dueAt: job.runAt ?? phase.since };
  const queue = await ask(() => pullQueueAt(env, accountId, handler ?? "").view(entry), PATIENCE_MS);
  return { ...NONE, queue: queue.ok ? queue.value : null };
}
