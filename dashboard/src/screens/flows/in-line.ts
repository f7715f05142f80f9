// The order in which the jobs of a flow get their turn. Pure.

import type { Job } from "../../api/job.ts";

/** Those that are due and wait, first due first; of one moment, first made first, as the service does it. */
export const inLine = (jobs: readonly Job[], now: number): Job[] =>
  jobs
    .filter((job) => (job.status === "pending" || job.status === "retrying") && dueAt(job) <= now)
    .sort((one, other) => dueAt(one) - dueAt(other) || (one.id < other.id ? -1 : 1));

const dueAt = ({ run_at, scheduled_for }: Job): number => Date.parse(run_at ?? scheduled_for);
