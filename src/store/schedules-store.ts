// What is asked of the schedules table.

import { and, count, desc, eq, lt, or, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { type Schedule, type ScheduleStatus, tickDueAt } from "../domain/schedule.ts";
import { upgradeSchedule } from "../domain/upgrade.ts";
import { ifThere } from "./existing-account.ts";
import { type ListStart, MAX_COUNTED } from "./list-jobs.ts";
import { schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** A schedule by its account. */
export interface ScheduleRef {
  readonly accountId: string;
  readonly scheduleId: string;
}

const is = ({ accountId, scheduleId }: ScheduleRef) =>
  and(eq(schedules.accountId, accountId), eq(schedules.id, scheduleId));

export function scheduleRowOf(schedule: Schedule) {
  const { accountId, id, status, handler, revision } = schedule;
  const reportDueAt = status === "active" ? tickDueAt(schedule) : null;
  return { accountId, id, status, handler, revision, reportDueAt, state: schedule, sweeps: 0 };
}

/**
 * Writes the intent; safe to repeat. One that was applied although its answer was lost is recognised by its id.
 *
 * @returns whether there is a row: none is made for an account that is gone
 */
export async function insertSchedule(db: Database, schedule: Schedule): Promise<Stored<boolean>> {
  const { accountId, id: scheduleId } = schedule;
  const inserted = await stored(() =>
    db
      .insert(schedules)
      .select(ifThere(schedules, [scheduleRowOf(schedule)], accountId))
      .onConflictDoNothing()
      .returning({ id: schedules.id }),
  );
  if (inserted.ok && inserted.value.length > 0) return ok(true);
  const own = await readSchedule(db, { accountId, scheduleId });
  if (own.ok && own.value) return ok(true);
  if (!inserted.ok) return inserted;
  return own.ok ? ok(false) : own;
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
  /** The id behind which the next page goes on; null on the last one. */
  readonly next: string | null;
}

/** One page of an account's schedules, newest first. */
export async function listSchedules(
  db: Database,
  accountId: string,
  { status, handler }: ScheduleFilter,
  from: ListStart,
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
    .where("after" in from ? and(matching, lt(schedules.id, from.after)) : matching)
    .orderBy(desc(schedules.id))
    .limit(size + 1)
    .offset("offset" in from ? from.offset : 0);
  const capped = db.select({ one: sql`1` }).from(schedules).where(matching).limit(MAX_COUNTED).as("capped");
  const answer = await stored(() => db.batch([page, db.select({ total: count() }).from(capped)]));
  if (!answer.ok) return answer;
  const [rows, [counted]] = answer.value;
  const shown = rows.slice(0, size).map(({ state }) => upgradeSchedule(state));
  const last = rows.length > size ? shown.at(-1) : undefined;
  return ok({ schedules: shown, total: counted?.total ?? 0, next: last?.id ?? null });
}
