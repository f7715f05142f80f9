// The one way to make a job, for routes and ticks alike: its row is the intent, its owner follows. If that fails the row
// remains, and the sweeper.

import { databaseOf } from "../../accounts/home.ts";
import type { JobEdit, JobSpec, JobView, SigningState } from "../../domain/job.ts";
import { err, ok } from "../../domain/result.ts";
import { ARM_AHEAD_MS, SOON_MS } from "../../domain/timer.ts";
import { type Inserted, insertJobs } from "../../store/jobs-store.ts";
import { viewOfSpec } from "../../store/rows.ts";
import type { Stored } from "../../store/store.ts";
import { ask, askOwner, jobAt } from "../addresses.ts";
import { atOnce } from "../at-once.ts";
import type { Answer } from "../owners.ts";
import { type Asked, MAX_TRIES, overwriteJob } from "./change-job.ts";

/** What it takes to make jobs of an account. */
interface Making {
  readonly env: Cloudflare.Env;
  /** How the account's secret stands; null when nobody knows. */
  readonly signing: SigningState | null;
  /** Does what is left to do behind the answer. */
  readonly later: (work: Promise<unknown>) => void;
}

/** A job that is to be. */
export interface NewJob extends Making {
  readonly spec: JobSpec;
}

/** Jobs of one account that are to be, all of them or none. */
export interface NewJobs extends Making {
  readonly accountId: string;
  readonly specs: readonly JobSpec[];
}

/** Each job is an object that is opened: so many at once. */
const ARMED_AT_ONCE = 25;

/** @returns what became of each, in order */
export async function createJobs(asked: NewJobs): Promise<Stored<readonly Inserted[]>> {
  const { env, accountId, specs, signing, later } = asked;
  const recorded = await insertJobs(databaseOf(env, accountId), accountId, specs);
  if (!recorded.ok) return recorded;
  const made = recorded.value.filter((one) => one.created);
  const aheadOf = ({ spec }: Made): number => spec.scheduledFor - spec.createdAt;
  const arm = (some: readonly Made[]) => atOnce(ARMED_AT_ONCE, some, (one) => giveOwner(env, one, signing));
  const near = made.filter((one) => aheadOf(one) >= SOON_MS && aheadOf(one) < ARM_AHEAD_MS);
  await arm(made.filter((one) => aheadOf(one) < SOON_MS));
  if (near.length > 0) later(arm(near));
  return recorded;
}

type Made = Inserted & { readonly created: true };

/** An event's job may have been made before, by an instance that died: its row then tells what has become of it. */
function giveOwner(env: Cloudflare.Env, { spec, wasThere }: Made, signing: SigningState | null): Promise<unknown> {
  if (!wasThere || spec.origin !== "event") return armJob(env, spec, signing);
  const ref = { accountId: spec.accountId, jobId: spec.id };
  return ask(() => jobAt(env, ref).wake(ref));
}

export async function createJob({ spec, ...making }: NewJob): Promise<Stored<Inserted>> {
  return only(await createJobs({ ...making, accountId: spec.accountId, specs: [spec] }));
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
export const recordJob = async (env: Cloudflare.Env, spec: JobSpec): Promise<Stored<Inserted>> =>
  only(await insertJobs(databaseOf(env, spec.accountId), spec.accountId, [spec]));

const only = (answer: Stored<readonly Inserted[]>): Stored<Inserted> =>
  answer.ok ? ok(answer.value[0] ?? { created: false, holder: undefined }) : answer;

/** Gives a recorded job its owner. Sent once: repeated, it could meet a job that has ended since. */
export const armJob = (env: Cloudflare.Env, spec: JobSpec, signing: SigningState | null): Promise<unknown> =>
  ask(() => jobAt(env, { accountId: spec.accountId, jobId: spec.id }).arm(spec, signing));
