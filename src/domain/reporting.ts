// What an owner remembers of its reports to the read model. None of it changes the job: the revision stays.

import { isEnded, type Job } from "./job.ts";
import { KEEP_MS } from "./timer.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** An unconfirmed end is reported again after 30 s, doubling to 15 min. */
export const REPORT_AGAIN_MS = 30 * SECOND;
const MAX_REPORT_AGAIN_MS = 15 * MINUTE;

/** The read model has been told of a `queued` or `running` that lasts. No change of the job: the revision stays. */
export function reported(job: Job): Job {
  const { phase } = job;
  return phase.name === "queued" || phase.name === "running" ? { ...job, phase: { ...phase, reported: true } } : job;
}

/** The end is reported once more; the next report follows if this one is not confirmed either. */
export function reportAgain(job: Job, now: number): Job {
  const { phase } = job;
  if (!isEnded(phase)) return job;
  const reports = phase.reports + 1;
  const reportAt = now + Math.min(REPORT_AGAIN_MS * 2 ** reports, MAX_REPORT_AGAIN_MS);
  return { ...job, phase: { ...phase, reports, reportAt } };
}

/**
 * The read model holds this revision and the executions up to this attempt. Those are let go; an end all of whose
 * executions are known there is confirmed.
 */
export function confirm(job: Job, revision: number, throughAttempt: number): Job {
  const executions = job.executions.filter(
    (one) => one.completedAt === null || one.attempt > throughAttempt || one.revision > revision,
  );
  const { phase } = job;
  if (isEnded(phase) && !phase.confirmed && revision === job.revision && executions.length === 0)
    return { ...job, executions, phase: { ...phase, confirmed: true } };
  return executions.length === job.executions.length ? job : { ...job, executions };
}

/** Whether a confirmed end may go at once. While the job is young, an `arm` may still be on its way: then its timer decides. */
export const isForgettable = ({ phase, createdAt }: Job, now: number): boolean =>
  isEnded(phase) && phase.confirmed && now >= createdAt + KEEP_MS;
