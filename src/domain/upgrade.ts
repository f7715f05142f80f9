// Stored shapes live for years: every state is read through here.

import type { Job } from "./job.ts";

export const JOB_VERSION = 1;

/** What a newer deployment wrote. It is left untouched: the caller is told to come back, the alarm tries again later. */
export class NewerShapeError extends Error {
  override readonly name = "NewerShapeError";
}

/** @param stored what an object holds: a job of any version up to ours */
export function upgradeJob(stored: { readonly v: number }): Job {
  if (stored.v > JOB_VERSION) throw new NewerShapeError(`state of version ${stored.v}`);
  return stored as Job;
}
