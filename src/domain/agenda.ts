// What a job's owner has to do at a moment: one question with one answer, asked again after each step.

import { isEnded, type Job } from "./job.ts";
import { REPORT_AFTER_MS } from "./timer.ts";

/**
 * - `deliver`: the attempt is due
 * - `interrupt`: a push is running that this instance did not start
 * - `expire`: a worker's lease has ended
 * - `offer`: a queued execution is offered again
 * - `report`: the read model must hear of a state that lasts
 * - `report_end`: the end is not confirmed yet
 * - `forget`: the end is confirmed, and its timer has rung
 * - `rest`: nothing until the timer rings
 */
export type Task = "deliver" | "interrupt" | "expire" | "offer" | "report" | "report_end" | "forget" | "rest";

/** @param inFlight the execution this instance is pushing at the moment, if any */
export function taskAt(job: Job, inFlight: string | null, now: number): Task {
  const { phase } = job;
  if (isEnded(phase)) {
    if (now < phase.reportAt) return "rest";
    return phase.confirmed ? "forget" : "report_end";
  }
  switch (phase.name) {
    case "waiting":
      return now >= Math.max(phase.runAt, phase.heldUntil ?? 0) ? "deliver" : "rest";
    case "queued":
      if (now >= phase.offerAt) return "offer";
      return !phase.reported && now >= phase.since + REPORT_AFTER_MS ? "report" : "rest";
    case "running":
      if (job.delivery.type === "push") return phase.executionId === inFlight ? "rest" : "interrupt";
      if (now >= phase.leaseEndsAt) return "expire";
      return !phase.reported && now >= phase.startedAt + REPORT_AFTER_MS ? "report" : "rest";
  }
}
