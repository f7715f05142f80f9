// What is asked of the schedules table.

import { and, count, desc, eq, lt, or, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { hasEnded, type Schedule, type ScheduleStatus, tickDueAt } from "../domain/schedule.ts";
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
  const reportDueAt = hasEnded(schedule) ? null : tickDueAt(schedule);
  const state = { ...schedule, news: [] }; // a row never holds what somebody has still to be told
  return { accountId, id, status, handler, revision, reportDueAt, state, sweeps: 0 };
}

const LIVE = sql`status IN ('active', 'paused')`;

/**
 * Whether an account has fewer schedules than so many that have not ended. It reads the account's newest, twice as many at most:
 * an index of them would cost each tick a row.
 */
const hasFewer = (accountId: string, limit: number) =>
  sql`(SELECT count(*) FROM (SELECT status FROM ${schedules} WHERE account_id = ${accountId} ORDER BY id DESC LIMIT ${2 * limit}) WHERE ${LIVE}) < ${limit}`;

/** Inserts nothing if the id or the key is taken, or the account is gone or has as many as `limit`. */
const insertRow = (db: Database, schedule: Schedule, idempotencyKey: string | null, limit: number | null) =>
  stored(() =>
    db
      .insert(schedules)
      .select(
        sql`${ifThere(schedules, [{ ...scheduleRowOf(schedule), idempotencyKey }], schedule.accountId)}${limit === null ? sql`` : sql` AND ${hasFewer(schedule.accountId, limit)}`}`,
      )
      .onConflictDoNothing()
      .returning({ id: schedules.id }),
  );

export type InsertedSchedule =
  | { readonly created: true }
  | {
      readonly created: false;
      /** The schedule that holds the key, when it is another one. */
      readonly holderId: string | undefined;
      /** The account has as many as it may. Neither this nor a holder: the account is gone, or the key is free by now. */
      readonly isFull: boolean;
    };

/**
 * Writes the intent. Atomic on the idempotency key, and safe to repeat: one that was applied although its answer was lost is
 * recognised by its id.
 *
 * @param limit how many that have not ended the account may have; null: any number
 */
export async function insertSchedule(
  db: Database,
  schedule: Schedule,
  limit: number | null = null,
): Promise<Stored<InsertedSchedule>> {
  const { accountId, id: scheduleId, idempotencyKey: key } = schedule;
  const inserted = await insertRow(db, schedule, key, limit);
  if (inserted.ok && inserted.value.length > 0) return ok({ created: true });
  const own = await readSchedule(db, { accountId, scheduleId });
  if (own.ok && own.value) return ok({ created: true });
  if (!inserted.ok) return inserted;
  if (!own.ok) return own;
  const why = await stored(() =>
    db.get<{ holderId: string | null; isFull: number }>(
      sql`SELECT (SELECT id FROM ${schedules} WHERE account_id = ${accountId} AND idempotency_key = ${key}) AS holderId,
                 ${limit === null ? sql`0` : sql`NOT ${hasFewer(accountId, limit)}`} AS isFull`,
    ),
  );
  if (!why.ok) return why;
  const { holderId, isFull } = why.value;
  return ok({ created: false, holderId: holderId ?? undefined, isFull: holderId === null && isFull === 1 });
}

/**
 * Writes the row of a live schedule whose own is gone; without its idempotency key if another one has that by now.
 *
 * @returns whether there is a row
 */
export async function restoreSchedule(db: Database, schedule: Schedule): Promise<Stored<boolean>> {
  const restored = await insertSchedule(db, schedule);
  if (!restored.ok) return restored;
  if (restored.value.created || restored.value.holderId === undefined) return ok(restored.value.created);
  const without = await insertRow(db, schedule, null, null);
  return without.ok ? ok(without.value.length > 0) : without;
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
