// The one way to make a job, for routes and ticks alike: its row is the intent, its owner follows. If that fails the row
// remains, and the sweeper.

import type { JobEdit, JobSpec, JobView, SigningState } from "../../domain/job.ts";
import { err, ok } from "../../domain/result.ts";
import { ARM_AHEAD_MS, SOON_MS } from "../../domain/timer.ts";
import { type Inserted, insertJob } from "../../store/jobs-store.ts";
import { viewOfSpec } from "../../store/rows.ts";
import { databaseOf, type Stored } from "../../store/store.ts";
import { ask, askOwner, jobAt } from "../addresses.ts";
import type { Answer } from "../owners.ts";
import { type Asked, MAX_TRIES, overwriteJob } from "./change-job.ts";

/** A job that is to be, and what it takes to make it. */
export interface NewJob {
  readonly env: Cloudflare.Env;
  readonly spec: JobSpec;
  /** How the account's secret stands. */
  readonly signing: SigningState;
  /** Does what is left to do behind the answer. */
  readonly later: (work: Promise<unknown>) => void;
}

export async function createJob({ env, spec, signing, later }: NewJob): Promise<Stored<Inserted>> {
  const recorded = await recordJob(env, spec);
  if (!recorded.ok || !recorded.value.created) return recorded;
  const ahead = spec.scheduledFor - spec.createdAt;
  if (ahead < SOON_MS) await armJob(env, spec, signing);
  else if (ahead < ARM_AHEAD_MS) later(armJob(env, spec, signing));
  return recorded;
}

/**
 * The same, but the job that holds the key gives way: one that has not begun becomes the new one, any other loses its key to it.
 *
 * @param edit what the job that holds the key is to become
 */
export async function createOrReplace(
  job: NewJob,
  edit: JobEdit,
): Promise<Answer<{ readonly job: JobView; readonly created: boolean }>> {
  const { env, spec, later } = job;
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const created = await createJob(job);
    if (!created.ok) return created;
    if (created.value.created) return ok({ job: viewOfSpec(spec), created: true });
    const { holder } = created.value;
    if (!holder) continue; // it lost the key, or was deleted, since the insert met it
    const asked = { env, later, ref: { accountId: spec.accountId, jobId: holder.id } };
    const replaced = await replace(asked, edit);
    if (replaced.ok) return ok({ job: replaced.value, created: false });
    if (!PASSING.has(replaced.error.code)) return replaced;
  }
  return err({ code: "unavailable", retryAfterSeconds: 1 });
}

/** After these the key may be free, or another job's: it is asked for again. */
const PASSING: ReadonlySet<string> = new Set(["job_not_editable", "job_not_found", "job_moved"]);

/** A change of its time is refused once it has begun: what is `pending` is overwritten, and nothing else. */
async function replace(asked: Asked, edit: JobEdit): Promise<Answer<JobView>> {
  const { env, ref } = asked;
  const edited = await overwriteJob(asked, edit);
  if (edited.ok || edited.error.code !== "job_not_editable") return edited;
  const dropped = await askOwner(() => jobAt(env, ref).dropKey(ref));
  return dropped.ok ? edited : dropped;
}

/** Writes the row: from here on the job exists. */
export const recordJob = (env: Cloudflare.Env, spec: JobSpec): Promise<Stored<Inserted>> =>
  insertJob(databaseOf(env.DB), spec);

/** Gives a recorded job its owner. Sent once: repeated, it could meet a job that has ended since. */
export const armJob = (env: Cloudflare.Env, spec: JobSpec, signing: SigningState | null): Promise<unknown> =>
  ask(() => jobAt(env, { accountId: spec.accountId, jobId: spec.id }).arm(spec, signing));
