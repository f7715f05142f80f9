// What a ScheduleObject's alarm does: it makes the job of a due tick, clears up after an archived schedule, and reports.

import { standingOf } from "../../accounts/standing.ts";
import { ok } from "../../domain/result.ts";
import type { Schedule } from "../../domain/schedule.ts";
import * as life from "../../domain/schedule.ts";
import { jobOfTick, tickKey } from "../../domain/tick-job.ts";
import { log } from "../../log.ts";
import { hasJobWithKey } from "../../store/jobs-store.ts";
import { removeOrphanSchedule } from "../../store/orphans.ts";
import { databaseOf, type Stored } from "../../store/store.ts";
import { ask, jobAt } from "../addresses.ts";
import { armJob, recordJob } from "../job/create-job.ts";
import { newJobId } from "../new-id.ts";
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
    else if (schedule.status === "active") await runTick(keeper, env, schedule, now);
    else await clear(keeper, env, schedule);
  }
}

async function runTick(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule, now: number): Promise<void> {
  const { record } = keeper;
  const { accountId, id: scheduleId } = schedule;
  const standing = await standingOf(env, accountId, Date.now);
  if (standing.ok && standing.value.status === "gone") {
    await removeOrphanSchedule(databaseOf(env.DB), { accountId, scheduleId });
    return record.erase();
  }
  if (!keeper.record.isStill(schedule)) return;
  if (standing.ok && standing.value.status === "suspended") {
    record.write(life.holdAll(schedule, now + SUSPENDED_MS, now), now);
    return keeper.report();
  }
  const due = life.dueAt(schedule, now);
  if (!due) return;
  if (schedule.held === null && due.missed > 0) await catchUp(keeper, env, schedule, due);
  else await makeJob(keeper, env, schedule, due.tick);
}

/**
 * Several ticks are due, of which the newest runs. Unless the oldest has its job already, from an instance that died
 * before it could count it: the key tells.
 */
async function catchUp(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule, due: life.Due): Promise<void> {
  const { nextRunAt: oldest } = schedule;
  if (oldest === null) return;
  const made = await isMade(env, schedule, oldest);
  if (!keeper.record.isStill(schedule)) return;
  const { record } = keeper;
  const now = Date.now();
  if (!made.ok) record.write(life.holdAll(schedule, now + TRY_AGAIN_MS, now), now);
  else if (made.value) await makeJob(keeper, env, schedule, oldest);
  else record.write(life.skipTo(schedule, due, now), now);
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
  if (made.value && keeper.record.isStill(schedule)) keeper.record.write(life.ran(schedule, oldest, now), now);
  return ok(undefined);
}

/** Whether the tick has its job already, counted or not. */
const isMade = (env: Cloudflare.Env, { accountId, id }: Schedule, tick: number): Promise<Stored<boolean>> =>
  hasJobWithKey(databaseOf(env.DB), accountId, tickKey(id, tick));

/** Records the tick's job, then arms it, then counts it; each step may be repeated. */
async function makeJob(keeper: ScheduleKeeper, env: Cloudflare.Env, schedule: Schedule, tick: number): Promise<void> {
  const { record } = keeper;
  const { accountId, id } = schedule;
  const now = Date.now();
  const spec = jobOfTick(schedule, tick, newJobId(now), now);
  const recorded = await recordJob(env, spec);
  const status = record.read()?.status;
  if (!recorded.ok) return holdUp(record, tick);
  const { created } = recorded.value;
  const jobId = created ? spec.id : recorded.value.holder?.id;
  const ref = { accountId, jobId: jobId ?? "" };
  if (jobId !== undefined && status === "archived") await ask(() => jobAt(env, ref).cancelIfWaiting(ref));
  else if (created) await armJob(env, spec, null);
  else if (jobId !== undefined) await ask(() => jobAt(env, ref).wake(ref));
  const present = record.read();
  if (!present) return log("warn", "tick_uncounted", { account_id: accountId, schedule_id: id, tick });
  const countedAt = Date.now();
  record.write(life.ran(present, tick, countedAt), countedAt);
  await keeper.report();
}

function holdUp(record: ScheduleKeeper["record"], tick: number): void {
  const present = record.read();
  if (present?.status !== "active") return;
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
