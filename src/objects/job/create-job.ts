// The one way to make a job, for routes and ticks alike: its row is the intent, its owner follows. If that fails the row
// remains, and the sweeper.

import type { JobSpec, SigningState } from "../../domain/job.ts";
import { ARM_AHEAD_MS, SOON_MS } from "../../domain/timer.ts";
import { type Inserted, insertJob } from "../../store/jobs-store.ts";
import { databaseOf, type Stored } from "../../store/store.ts";
import { ask, jobAt } from "../addresses.ts";

/**
 * @param signing how the account's secret stands
 * @param later does what is left to do behind the answer
 */
export async function createJob(
  env: Cloudflare.Env,
  spec: JobSpec,
  signing: SigningState,
  later: (work: Promise<unknown>) => void,
): Promise<Stored<Inserted>> {
  const recorded = await recordJob(env, spec);
  if (!recorded.ok || !recorded.value.created) return recorded;
  const ahead = spec.scheduledFor - spec.createdAt;
  if (ahead < SOON_MS) await armJob(env, spec, signing);
  else if (ahead < ARM_AHEAD_MS) later(armJob(env, spec, signing));
  return recorded;
}

/** Writes the row: from here on the job exists. */
export const recordJob = (env: Cloudflare.Env, spec: JobSpec): Promise<Stored<Inserted>> =>
  insertJob(databaseOf(env.DB), spec);

/** Gives a recorded job its owner. Sent once: repeated, it could meet a job that has ended since. */
export const armJob = (env: Cloudflare.Env, spec: JobSpec, signing: SigningState | null): Promise<unknown> =>
  ask(() => jobAt(env, { accountId: spec.accountId, jobId: spec.id }).arm(spec, signing));
