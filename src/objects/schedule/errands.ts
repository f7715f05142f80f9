// What a ScheduleObject does to the outside: it makes the job of a due tick, clears up after an archived schedule, and reports
// when its alarm rings; and it makes the job that a person asks for.

import { databaseOf } from "../../accounts/home.ts";
import { standingOf } from "../../accounts/standing.ts";
import { isOver, type JobSpec } from "../../domain/job.ts";
import { err, ok } from "../../domain/result.ts";
import type { Schedule } from "../../domain/schedule.ts";
import * as life from "../../domain/schedule.ts";
import { jobOfTick, jobOfTrigger, tickKey } from "../../domain/tick-job.ts";
import { log } from "../../log.ts";
import { type Inserted, jobsWithKeys } from "../../store/jobs-store.ts";
import { removeOrphanSchedule } from "../../store/orphans.ts";
import { hasEnded } from "../../store/rows.ts";
import type { ScheduleRef } from "../../store/schedules-store.ts";
import type { Stored } from "../../store/store.ts";
import { ask, jobAt } from "../addresses.ts";
import { armJob, recordJob } from "../job/create-job.ts";
import { currentJob } from "../job/read-job.ts";
import { newJobId } from "../new-id.ts";
import type { ScheduleAnswer } from "../owners.ts";
import { cancelWaiting } from "./cancel-waiting.ts";
import type { ScheduleKeeper } from "./schedule-keeper.ts";

const MAX_STEPS = 10;

/** How soon what D1 held up is tried again. */
const TRY_AGAIN_MS = 5_000;

/** How soon a suspended account's schedule looks again. */
const SUSPENDED_MS = 60_000;

export async function runScheduleErrands(keeper: ScheduleKeeper, env: Cloudflare.Env): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) {
    const schedule = keeper.record.read();
    if (!schedule || (await keeper.forgetIfOver())) return;
    const now = Date.now();
    const wakeAt = life.scheduleWakeAt(schedule);
    if (wakeAt === null || wakeAt > now) return;
    const tickDueAt = life.tickDueAt(schedule);
    if (tickDueAt === null || tickDueAt > now) await keeper.report();
    else if (schedule.status === "archived") await clear(keeper, env, schedule);
    else await runTick(keeper, env, schedule, now);
  }
}

async function runTick(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule, now: number): Promise<void> {
  const { record } = keeper;
  const { accountId, id: scheduleId } = schedule;
  const standing = await standingOf(env, accountId, Date.now);
  if (standing.ok && standing.value.status === "gone") {
    await removeOrphanSchedule(databaseOf(env, accountId), { accountId, scheduleId });
    return record.erase();
  }
  const still = record.still(schedule);
  if (!still) return;
  if (standing.ok && standing.value.status === "suspended") {
    record.write(life.holdAll(still, now + SUSPENDED_MS, now), now);
    return keeper.report();
  }
  const due = life.dueAt(still, now);
  if (!due) return;
  if (still.held === null && due.missed > 0) await catchUp(keeper, env, still, due);
  else if (still.overlap === "skip") await makeUnlessBusy(keeper, env, still, due.tick);
  else await makeJob(keeper, env, still, due.tick);
}

/** Makes no job as long as the one before has not ended. While nobody can tell, the tick is held. */
async function makeUnlessBusy(
  keeper: ScheduleKeeper,
  env: Cloudflare.Env,
  schedule: Schedule,
  tick: number,
): Promise<void> {
  const { record } = keeper;
  const busy = await isBusy(env, schedule, tick);
  const still = record.still(schedule);
  if (!still) return;
  if (!busy.ok) return holdUp(record, tick);
  if (!busy.value) return makeJob(keeper, env, still, tick);
  const now = Date.now();
  record.write(life.skipTick(still, tick, now), now);
  await keeper.report();
}

/** Whether the job of the tick before has not ended. A tick that has its own job already is past this question. */
async function isBusy(env: Cloudflare.Env, schedule: Schedule, tick: number): Promise<Stored<boolean>> {
  const { accountId, id, lastRunAt } = schedule;
  if (lastRunAt === null) return ok(false);
  const [own, before] = [tickKey(id, tick), tickKey(id, lastRunAt)];
  const found = await jobsWithKeys(databaseOf(env, accountId), accountId, [own, before]);
  if (!found.ok) return found;
  const predecessor = found.value.find((job) => job.idempotencyKey === before);
  if (!predecessor || hasEnded(predecessor) || found.value.length > 1) return ok(false);
  const job = await currentJob(env, { accountId, jobId: predecessor.id });
  if (job.ok) return ok(!isOver(job.value.status));
  return job.error.code === "unavailable" ? err(job.error) : ok(false);
}

/**
 * Several ticks are due, of which the newest runs. Unless the oldest has its job already, from an instance that died
 * before it could count it: the key tells.
 */
async function catchUp(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule, due: life.Due): Promise<void> {
  const { nextRunAt: oldest } = schedule;
  if (oldest === null) return;
  const made = await isMade(env, schedule, oldest);
  const { record } = keeper;
  const still = record.still(schedule);
  if (!still) return;
  const now = Date.now();
  if (!made.ok) record.write(life.holdAll(still, now + TRY_AGAIN_MS, now), now);
  else if (made.value) await makeJob(keeper, env, still, oldest);
  else record.write(life.skipTo(still, due, now), now);
}

/**
 * Before another timing takes the place of several due ticks: the oldest is counted if an instance that died has made its
 * job. Otherwise it would be taken for missed.
 */
export async function countMade(
  keeper: ScheduleKeeper,
  env: Cloudflare.Env,
  schedule: Schedule,
): Promise<Stored<void>> {
  const { held, nextRunAt: oldest } = schedule;
  const due = life.dueAt(schedule, Date.now());
  if (held !== null || oldest === null || !due || due.missed === 0) return ok(undefined);
  const made = await isMade(env, schedule, oldest);
  if (!made.ok) return made;
  const now = Date.now();
  const still = keeper.record.still(schedule);
  if (made.value && still) keeper.record.write(life.ran(still, oldest, now), now);
  return ok(undefined);
}

/** Whether the tick has its job already, counted or not. */
async function isMade(env: Cloudflare.Env, { accountId, id }: Schedule, tick: number): Promise<Stored<boolean>> {
  const made = await jobsWithKeys(databaseOf(env, accountId), accountId, [tickKey(id, tick)]);
  return made.ok ? ok(made.value.length > 0) : made;
}

/** Records the tick's job, then arms it, then counts it; each step may be repeated. */
async function makeJob(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule, tick: number): Promise<void> {
  const { record } = keeper;
  const { accountId, id } = schedule;
  const now = Date.now();
  const spec = jobOfTick(schedule, tick, newJobId(now), now);
  const recorded = await recordJob(env, spec);
  if (!recorded.ok) return holdUp(record, tick);
  await handOver(env, spec, recorded.value, record.read()?.status === "archived");
  const present = record.read();
  if (!present) return log("warn", "tick_uncounted", { account_id: accountId, schedule_id: id, tick });
  const countedAt = Date.now();
  record.write(life.ran(present, tick, countedAt), countedAt);
  await keeper.report();
}

/** A job that is recorded gets its owner, or is cancelled before it can begin: its schedule was archived meanwhile. */
async function handOver(env: Cloudflare.Env, spec: JobSpec, recorded: Inserted, isArchived: boolean): Promise<void> {
  const jobId = recorded.created ? spec.id : recorded.holder?.id;
  if (jobId === undefined) return;
  const ref = { accountId: spec.accountId, jobId };
  if (isArchived) await ask(() => jobAt(env, ref).cancelIfWaiting(ref));
  else if (recorded.created) await armJob(env, spec, null);
  else await ask(() => jobAt(env, ref).wake(ref));
}

/** Makes a job that is due now, beside the ticks: nothing about the schedule changes. */
export async function trigger(
  keeper: ScheduleKeeper,
  env: Cloudflare.Env,
  ref: ScheduleRef,
  traceparent: string | null,
): Promise<ScheduleAnswer<JobSpec>> {
  const owned = await keeper.owned(ref);
  if (!owned.ok) return owned;
  if (life.hasEnded(owned.value)) return err({ code: `schedule_${owned.value.status}` });
  const now = Date.now();
  const spec = jobOfTrigger(owned.value, newJobId(now), now, traceparent);
  const recorded = await recordJob(env, spec);
  if (!recorded.ok) return recorded;
  if (!recorded.value.created) return err({ code: "schedule_not_found" }); // its account is gone
  const present = await keeper.owned(ref);
  const isArchived = present.ok && present.value.status === "archived";
  await handOver(env, spec, recorded.value, isArchived);
  return isArchived ? err({ code: "schedule_archived" }) : ok(spec);
}

function holdUp(record: ScheduleKeeper["record"], tick: number): void {
  const present = record.read();
  if (!present || life.hasEnded(present)) return;
  const now = Date.now();
  log("warn", "tick_held", { account_id: present.accountId, schedule_id: present.id, tick });
  record.write(life.holdTick(present, tick, now + TRY_AGAIN_MS, now), now);
}

async function clear(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule): Promise<void> {
  const left = await cancelWaiting(env, { accountId: schedule.accountId, scheduleId: schedule.id });
  const now = Date.now();
  const present = keeper.record.read();
  if (!present || !keeper.record.isStill(schedule)) return;
  keeper.record.write(left === "none" ? life.cleared(present) : life.clearAgain(present, now + TRY_AGAIN_MS), now);
}
