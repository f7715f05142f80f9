// What a job's owner has to do at a moment: one question with one answer, asked again after each step.

import { uselessSince } from "./flow-claim.ts";
import { isEnded, type Job } from "./job.ts";

/**
 * - `deliver`: the attempt is due
 * - `interrupt`: a push is running that this instance did not start
 * - `expire`: a worker's lease has ended
 * - `give-up`: it has waited longer than it may
 * - `offer`: a queued execution is offered again
 * - `give-back`: its flow may hold a place or a slot that it does not need
 * - `report`: the read model does not hold this state yet
 * - `forget`: the end is confirmed, and no `arm` can still be under way
 * - `rest`: nothing until the timer rings
 */
export type Task =
  | "deliver"
  | "interrupt"
  | "expire"
  | "give-up"
  | "offer"
  | "give-back"
  | "report"
  | "forget"
  | "rest";

/** @param inFlight the execution this instance is pushing at the moment, if any */
export function taskAt(job: Job, inFlight: string | null, now: number): Task {
  const { phase } = job;
  const useless = uselessSince(job);
  if (isEnded(phase) && phase.confirmed && useless === null) return now >= job.keepUntil ? "forget" : "rest";
  const waits = phase.name === "waiting" || phase.name === "queued";
  if (waits && job.expiresAt !== null && now >= job.expiresAt) return "give-up";
  if (useless !== null && now >= useless) return "give-back";
  if (phase.name === "waiting" && useless === null && now >= Math.max(phase.runAt, phase.heldUntil ?? 0))
    return "deliver";
  if (phase.name === "queued" && now >= phase.offerAt) return "offer";
  if (phase.name === "running") {
    if (job.delivery.type === "push") return phase.executionId === inFlight ? "rest" : "interrupt";
    if (now >= phase.leaseEndsAt) return "expire";
  }
  return job.reportAt !== null && now >= job.reportAt ? "report" : "rest";
}
