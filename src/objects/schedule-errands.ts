// What a ScheduleObject's alarm does: it makes the job of a due tick, and after its end it clears up and reports.

import { standingOf } from "../accounts/standing.ts";
import { ok } from "../domain/result.ts";
import type { Schedule } from "../domain/schedule.ts";
import * as life from "../domain/schedule.ts";
import { jobOfTick, tickKey } from "../domain/tick-job.ts";
import { log } from "../log.ts";
import { hasJobWithKey, insertJob } from "../projection/jobs-store.ts";
import { removeOrphanSchedule } from "../projection/orphans.ts";
import { databaseOf, type Stored } from "../projection/store.ts";
import { ask, jobAt } from "./addresses.ts";
import { cancelWaiting } from "./cancel-waiting.ts";
import { reportSchedule } from "./schedule-reports.ts";
import type { StateRecord } from "./state-record.ts";

const MAX_STEPS = 10;

/** How soon what D1 held up is tried again. */
const TRY_AGAIN_MS = 5_000;

/** How soon a suspended account's schedule looks again. */
const SUSPENDED_MS = 60_000;

export async function runScheduleErrands(record: StateRecord<Schedule>, env: Cloudflare.Env): Promise<void> {
  for (let step = 0; step < MAX_STEPS; step++) {
    const schedule = record.read();
    if (!schedule) return;
    const now = Date.now();
    const wakeAt = life.scheduleWakeAt(schedule);
    if (wakeAt === null || wakeAt > now) return record.setTimer(schedule, now);
    if (schedule.status === "active") await runTick(record, env, schedule, now);
    else if (schedule.clearing) await clear(record, env, schedule);
    else await reportEnd(record, env, schedule, now);
  }
  const left = record.read();
  if (left) record.setTimer(left, Date.now());
}

async function runTick(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  schedule: Schedule,
  now: number,
): Promise<void> {
  const { accountId, id: scheduleId } = schedule;
  const standing = await standingOf(env, accountId, Date.now);
  if (standing.ok && standing.value.status === "gone") {
    await removeOrphanSchedule(databaseOf(env.DB), { accountId, scheduleId });
    return record.erase();
  }
  if (!isStill(record, schedule)) return;
  if (standing.ok && standing.value.status === "suspended")
    return record.write(life.holdAll(schedule, now + SUSPENDED_MS, now), now);
  const due = life.dueAt(schedule, now);
  if (!due) return;
  if (schedule.held === null && due.missed > 0) await catchUp(record, env, schedule, due);
  else await makeJob(record, env, schedule, due.tick);
}

/**
 * Several ticks are due, of which the newest runs. Unless the oldest has its job already, from an instance that died
 * before it could count it: the key tells.
 */
async function catchUp(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  schedule: Schedule,
  due: life.Due,
): Promise<void> {
  const { nextRunAt: oldest } = schedule;
  if (oldest === null) return;
  const made = await isMade(env, schedule, oldest);
  if (!isStill(record, schedule)) return;
  const now = Date.now();
  if (!made.ok) record.write(life.holdAll(schedule, now + TRY_AGAIN_MS, now), now);
  else if (made.value) await makeJob(record, env, schedule, oldest);
  else record.write(life.skipTo(schedule, due, now), now);
}

/**
 * Before another timing takes the place of several due ticks: the oldest is counted if an instance that died has made its
 * job. Otherwise it would be taken for missed.
 */
export async function countMade(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  schedule: Schedule,
): Promise<Stored<void>> {
  const { held, nextRunAt: oldest } = schedule;
  const due = life.dueAt(schedule, Date.now());
  if (held !== null || oldest === null || !due || due.missed === 0) return ok(undefined);
  const made = await isMade(env, schedule, oldest);
  if (!made.ok) return made;
  const now = Date.now();
  if (made.value && isStill(record, schedule)) record.write(life.ran(schedule, oldest, now), now);
  return ok(undefined);
}

/** Whether the tick has its job already, counted or not. */
const isMade = (env: Cloudflare.Env, { accountId, id }: Schedule, tick: number): Promise<Stored<boolean>> =>
  hasJobWithKey(databaseOf(env.DB), accountId, tickKey(id, tick));

/** Inserts the tick's job, then arms it, then counts it; each step may be repeated. */
async function makeJob(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  schedule: Schedule,
  tick: number,
): Promise<void> {
  const { accountId, id } = schedule;
  const spec = jobOfTick(schedule, tick, crypto.randomUUID(), Date.now());
  const inserted = await insertJob(databaseOf(env.DB), spec);
  const status = record.read()?.status;
  if (!inserted.ok) return holdUp(record, tick);
  const { created } = inserted.value;
  const jobId = created ? spec.id : inserted.value.holder?.id;
  const ref = { accountId, jobId: jobId ?? "" };
  if (jobId !== undefined && status === "archived") await ask(() => jobAt(env, ref).cancelIfWaiting(ref));
  else if (created) await ask(() => jobAt(env, ref).arm(spec, null));
  else if (jobId !== undefined) await ask(() => jobAt(env, ref).poke(ref));
  const present = record.read();
  if (!present) return log("warn", "tick_uncounted", { account_id: accountId, schedule_id: id, tick });
  const now = Date.now();
  const counted = life.ran(present, tick, now);
  record.write(counted, now);
  await reportSchedule(env, counted);
}

function holdUp(record: StateRecord<Schedule>, tick: number): void {
  const present = record.read();
  if (present?.status !== "active") return;
  const now = Date.now();
  log("warn", "tick_held", { account_id: present.accountId, schedule_id: present.id, tick });
  record.write(life.holdTick(present, tick, now + TRY_AGAIN_MS, now), now);
}

async function clear(record: StateRecord<Schedule>, env: Cloudflare.Env, schedule: Schedule): Promise<void> {
  const left = await cancelWaiting(env, { accountId: schedule.accountId, scheduleId: schedule.id });
  const now = Date.now();
  if (!isStill(record, schedule)) return;
  record.write(left === "none" ? life.cleared(schedule) : life.clearAgain(schedule, now + TRY_AGAIN_MS), now);
}

async function reportEnd(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  schedule: Schedule,
  now: number,
): Promise<void> {
  const again = life.reportedAgain(schedule, now);
  record.write(again, now);
  await reportSchedule(env, again);
}

/** Whether nothing has changed the schedule while we waited for something. */
const isStill = (record: StateRecord<Schedule>, { revision }: Schedule): boolean =>
  record.read()?.revision === revision;
