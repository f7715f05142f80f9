// What a ScheduleObject's alarm does: it makes the job of a due tick, and after its end it clears up and reports.

import { standingOf } from "../accounts/standing.ts";
import type { Schedule } from "../domain/schedule.ts";
import * as life from "../domain/schedule.ts";
import { jobOfTick, tickKey } from "../domain/tick-job.ts";
import { log } from "../log.ts";
import { hasJobWithKey, insertJob } from "../projection/jobs-store.ts";
import { databaseOf } from "../projection/store.ts";
import { ask, jobAt } from "./addresses.ts";
import { cancelWaiting } from "./cancel-waiting.ts";
import { reportSchedule } from "./schedule-reports.ts";
import type { StateRecord } from "./state-record.ts";

const MAX_STEPS = 10;

/** How soon a tick that D1 held up is tried again. */
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
  const standing = await standingOf(env, schedule.accountId, now);
  if (standing.ok && standing.value.status === "gone") return record.erase();
  if (standing.ok && standing.value.status === "suspended")
    return hold(record, life.holdAll(schedule, now + SUSPENDED_MS, now));
  const due = life.dueAt(schedule, now);
  if (!due) return;
  const caughtUp = await countUnseen(env, schedule, due);
  if (caughtUp === "unknown") return hold(record, life.holdTick(schedule, due.tick, now + TRY_AGAIN_MS, now));
  if (caughtUp) return settle(record, env, schedule, caughtUp, now);
  await makeJob(record, env, schedule, due, now);
}

/**
 * Of several due ticks the oldest may have got its job from an instance that died before it could count it: the key
 * tells.
 */
async function countUnseen(
  env: Cloudflare.Env,
  schedule: Schedule,
  due: life.Due,
): Promise<life.Due | undefined | "unknown"> {
  const oldest = schedule.nextRunAt;
  if (due.missed === 0 || oldest === null || oldest === due.tick) return undefined;
  const made = await hasJobWithKey(databaseOf(env.DB), schedule.accountId, tickKey(schedule.id, oldest));
  if (!made.ok) return "unknown";
  return made.value ? { tick: oldest, missed: 0, next: life.tickAfter(schedule.timing, oldest) } : undefined;
}

/** Inserts the tick's job, then arms it, then counts it; each step may be repeated. */
async function makeJob(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  schedule: Schedule,
  due: life.Due,
  now: number,
): Promise<void> {
  const { accountId } = schedule;
  const spec = jobOfTick(schedule, due.tick, crypto.randomUUID(), now);
  const inserted = await insertJob(databaseOf(env.DB), spec);
  if (!inserted.ok) {
    const present = record.read();
    log("warn", "tick_held", { account_id: accountId, schedule_id: schedule.id, tick: due.tick });
    if (present?.status === "active") record.write(life.holdTick(present, due.tick, now + TRY_AGAIN_MS, now), now);
    return;
  }
  const jobId = inserted.value.created ? spec.id : inserted.value.holder?.id;
  await settle(record, env, schedule, due, now);
  if (jobId === undefined) return;
  const ref = { accountId, jobId };
  const archived = record.read()?.status === "archived";
  if (archived) await ask(() => jobAt(env, ref).cancelIfWaiting(ref));
  else if (inserted.value.created) await ask(() => jobAt(env, ref).arm(spec, null));
  else await ask(() => jobAt(env, ref).poke(ref));
}

/** Counts a tick whose job exists. What was changed while it was made keeps its word on what comes next. */
async function settle(
  record: StateRecord<Schedule>,
  env: Cloudflare.Env,
  begun: Schedule,
  due: life.Due,
  now: number,
): Promise<void> {
  const present = record.read();
  if (!present) return;
  const retimed = present.nextRunAt !== begun.nextRunAt;
  const ran = life.ran(present, retimed ? { ...due, next: present.nextRunAt ?? undefined } : due, now);
  record.write(ran, now);
  await reportSchedule(env, ran);
}

function hold(record: StateRecord<Schedule>, held: Schedule): void {
  const present = record.read();
  if (present?.revision === held.revision - 1) record.write(held, held.updatedAt);
}

async function clear(record: StateRecord<Schedule>, env: Cloudflare.Env, schedule: Schedule): Promise<void> {
  const left = await cancelWaiting(env, { accountId: schedule.accountId, scheduleId: schedule.id });
  const now = Date.now();
  if (left === "none") record.write(life.cleared(schedule), now);
  else await record.ringAfterFault(now + TRY_AGAIN_MS);
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
