// The calls from a job's owner to its flow: it asks before an attempt starts, and returns claims that it no longer needs.

import * as claims from "../../domain/flow-claim.ts";
import type { Job } from "../../domain/job.ts";
import * as life from "../../domain/life.ts";
import { isForgettable } from "../../domain/reporting.ts";
import { ask, flowAt } from "../addresses.ts";
import type { Turn } from "../owners.ts";
import type { StateRecord } from "../state-record.ts";

type Answered = Turn | "unknown";

/** A flow that does not answer within this is asked again. */
const PATIENCE_MS = 5_000;

/**
 * Asks whether the attempt that is due may start, unless the flow has just said so. Before it asks it remembers that it stands in line:
 * the flow may call before its answer is here.
 *
 * @returns the job as it may start; undefined when it may not, or has changed meanwhile
 */
export async function mayStart(record: StateRecord<Job>, env: Cloudflare.Env, job: Job): Promise<Job | undefined> {
  if (job.flow === null || claims.hasTurn(job, Date.now())) return record.still(job);
  record.remember(claims.inLine(record.still(job) ?? job));
  const turn = await askFlow(env, job, job.flow);
  const present = record.still(job);
  const now = Date.now();
  if (!present || claims.hasTurn(present, now)) return undefined;
  switch (turn) {
    case "free":
      return remembered(record, { ...present, claim: null });
    case "now":
      return remembered(record, claims.withTurn(present, now));
    case "wait":
      record.write(life.standInLine(present, now), now);
      return undefined;
    case "unknown":
      record.write(claims.unanswered(present, Math.random(), now), now);
      return undefined;
  }
}

function remembered(record: StateRecord<Job>, job: Job): Job {
  record.remember(job);
  return job;
}

/**
 * The same for an attempt that was offered before, and that a worker takes now. If it may not be taken, it is offered to nobody until
 * its flow calls.
 */
export async function mayBeTaken(
  record: StateRecord<Job>,
  env: Cloudflare.Env,
  job: Job,
): Promise<Exclude<Answered, "free">> {
  if (job.claim === null || job.phase.name !== "queued" || claims.hasTurn(job, Date.now())) return "now";
  const { executionId } = job.phase;
  record.remember(claims.inLine(job));
  const turn = await askFlow(env, job, job.claim.flow);
  const present = record.read();
  const now = Date.now();
  const isOffered = present?.phase.name === "queued" && present.phase.executionId === executionId;
  if (!isOffered || claims.hasTurn(present, now)) return "now"; // or nobody's any more, as its lease will say
  if (turn === "wait") record.write(life.standInLine(present, now), now);
  else if (turn !== "unknown") record.remember(claims.withTurn(present, now));
  return turn === "free" ? "now" : turn;
}

async function askFlow(env: Cloudflare.Env, job: Job, flow: string): Promise<Answered> {
  const ref = { accountId: job.accountId, key: flow };
  const answer = await ask(() => flowAt(env, ref).ask(ref, claims.ticketOf(job)), PATIENCE_MS);
  return answer.ok ? answer.value : "unknown";
}

/** Returns the claim of an attempt that ended or changed. */
export async function giveBack(record: StateRecord<Job>, env: Cloudflare.Env): Promise<void> {
  const job = record.read();
  if (!job?.claim || claims.isClaimNeeded(job)) return;
  const { claim, accountId, id: jobId, timeoutSeconds } = job;
  const ref = { accountId, key: claim.flow };
  const ticket = { jobId, attempt: claim.attempt, dueAt: claim.dueAt, timeoutSeconds };
  const heard = await ask(
    () => flowAt(env, ref).release(ref, ticket, claims.endOf(job), claims.startOf(job)),
    PATIENCE_MS,
  );
  const present = record.read();
  if (present?.claim !== claim) return;
  const now = Date.now();
  const next = heard.ok ? claims.givenBack(present) : claims.giveBackAgain(present, now);
  if (isForgettable(next, now)) return record.erase();
  record.write(next, now);
}
