// What is asked of the schedules table, and how the owners' reports come into it.

import { and, count, desc, eq, lt, or, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { type Schedule, type ScheduleStatus, scheduleWakeAt } from "../domain/schedule.ts";
import { upgradeSchedule } from "../domain/upgrade.ts";
import { MAX_COUNTED, type Place } from "./jobs-store.ts";
import { schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** A schedule by its account. */
export interface ScheduleRef {
  readonly accountId: string;
  readonly scheduleId: string;
}

/** What an owner tells the read model. */
export interface ScheduleReport {
  readonly kind: "schedule";
  readonly v: 1;
  readonly schedule: Schedule;
}

const is = ({ accountId, scheduleId }: ScheduleRef) =>
  and(eq(schedules.accountId, accountId), eq(schedules.id, scheduleId));

function rowOf(schedule: Schedule): typeof schedules.$inferInsert {
  const { accountId, id, status, handler, createdAt, revision } = schedule;
  const attentionAt = status === "active" ? scheduleWakeAt(schedule) : null;
  return { accountId, id, status, handler, createdAt, revision, attentionAt, state: schedule, sweeps: 0 };
}

/** Writes the intent; safe to repeat. One that was applied although its answer was lost is recognised by its id. */
export async function insertSchedule(db: Database, schedule: Schedule): Promise<Stored<unknown>> {
  const inserted = await stored(() => db.insert(schedules).values(rowOf(schedule)).onConflictDoNothing());
  if (inserted.ok) return inserted;
  const own = await readSchedule(db, { accountId: schedule.accountId, scheduleId: schedule.id });
  return own.ok && own.value ? own : inserted;
}

export async function readSchedule(db: Database, ref: ScheduleRef): Promise<Stored<Schedule | undefined>> {
  const row = await stored(() => db.select({ state: schedules.state }).from(schedules).where(is(ref)).get());
  return row.ok ? ok(row.value && upgradeSchedule(row.value.state)) : row;
}

export interface ScheduleFilter {
  readonly status?: readonly ScheduleStatus[];
  readonly handler?: string;
}

export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  readonly total: number;
  readonly next: Place | null;
}

/** One page of an account's schedules, newest first. */
export async function listSchedules(
  db: Database,
  accountId: string,
  { status, handler }: ScheduleFilter,
  from: { readonly offset: number } | { readonly after: Place },
  size: number,
): Promise<Stored<SchedulePage>> {
  const matching = and(
    eq(schedules.accountId, accountId),
    status && or(...status.map((one) => eq(schedules.status, one))),
    handler === undefined ? undefined : eq(schedules.handler, handler),
  );
  const page = db
    .select({ state: schedules.state })
    .from(schedules)
    .where("after" in from ? and(matching, isOlderThan(from.after)) : matching)
    .orderBy(desc(schedules.createdAt), desc(schedules.id))
    .limit(size + 1)
    .offset("offset" in from ? from.offset : 0);
  const capped = db.select({ one: sql`1` }).from(schedules).where(matching).limit(MAX_COUNTED).as("capped");
  const answer = await stored(() => db.batch([page, db.select({ total: count() }).from(capped)]));
  if (!answer.ok) return answer;
  const [rows, [counted]] = answer.value;
  const shown = rows.slice(0, size).map(({ state }) => upgradeSchedule(state));
  const last = rows.length > size ? shown.at(-1) : undefined;
  return ok({
    schedules: shown,
    total: counted?.total ?? 0,
    next: last ? { createdAt: last.createdAt, id: last.id } : null,
  });
}

const isOlderThan = ({ createdAt, id }: Place) =>
  or(lt(schedules.createdAt, createdAt), and(eq(schedules.createdAt, createdAt), lt(schedules.id, id)));

/** Applies reports; the highest revision wins. @returns for each whether its row is there */
export async function projectSchedules(db: Database, reports: readonly Schedule[]): Promise<Stored<boolean[]>> {
  const applied = await Promise.all(
    reports.map((schedule) => {
      const { accountId, id } = schedule;
      const { state, status, handler, revision, attentionAt, sweeps } = rowOf(schedule);
      const own = is({ accountId, scheduleId: id });
      return stored(() =>
        db.batch([
          db.select({ id: schedules.id }).from(schedules).where(own),
          db
            .update(schedules)
            .set({ state, status, handler, revision, attentionAt, sweeps })
            .where(and(own, lt(schedules.revision, revision))),
        ]),
      );
    }),
  );
  const failed = applied.find((one) => !one.ok);
  if (failed && !failed.ok) return failed;
  return ok(applied.map((one) => one.ok && one.value[0].length > 0));
}
