// What is asked of the schedules table, and how the owners' reports come into it.

import { and, count, desc, eq, lt, or, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { type Schedule, type ScheduleStatus, scheduleWakeAt } from "../domain/schedule.ts";
import { ARM_GRACE_MS } from "../domain/timer.ts";
import { upgradeSchedule } from "../domain/upgrade.ts";
import { MAX_COUNTED, type Place } from "./jobs-store.ts";
import { ifThere } from "./orphans.ts";
import { schedules } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { isAmong } from "./telling.ts";

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
  const wakeAt = status === "active" ? scheduleWakeAt(schedule) : null;
  const attentionAt = wakeAt !== null && revision === 0 ? wakeAt + ARM_GRACE_MS : wakeAt;
  return { accountId, id, status, handler, createdAt, revision, attentionAt, state: schedule, sweeps: 0 };
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
      .select(ifThere(schedules, rowOf(schedule), accountId))
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

/**
 * Applies reports; the highest revision wins.
 *
 * @returns for each whether its row is there; undefined when D1 could not say
 */
export async function projectSchedules(
  db: Database,
  reports: readonly Schedule[],
): Promise<readonly (boolean | undefined)[]> {
  const together = reports.length === 0 ? [] : await apply(db, reports);
  if (together) return together;
  const alone = await Promise.all(reports.map((report) => apply(db, [report])));
  return alone.map((one) => one?.[0]);
}

/** In one transaction. What D1 refuses for good is treated like an outage: the owner of an end reports it again. */
async function apply(db: Database, reports: readonly Schedule[]): Promise<readonly boolean[] | undefined> {
  const updates = newestOf(reports).map((report) => update(db, report));
  const applied = await stored(() => db.batch([knownOf(db, reports), ...updates])).catch(() => undefined);
  if (!applied?.ok) return undefined;
  const known = new Set(applied.value[0].map(keyOf));
  return reports.map((report) => known.has(keyOf(report)));
}

const keyOf = ({ accountId, id }: { accountId: string; id: string }): string => `${accountId}/${id}`;

/** A schedule that ticks often comes more than once in a batch: its row is written once. */
function newestOf(reports: readonly Schedule[]): Schedule[] {
  const newest = new Map<string, Schedule>();
  for (const report of reports)
    if (report.revision >= (newest.get(keyOf(report))?.revision ?? 0)) newest.set(keyOf(report), report);
  return [...newest.values()];
}

const knownOf = (db: Database, reports: readonly Schedule[]) =>
  db.select({ accountId: schedules.accountId, id: schedules.id }).from(schedules).where(isAmong(schedules, reports));

function update(db: Database, report: Schedule) {
  const { accountId, id, createdAt, revision, ...reported } = rowOf(report);
  return db
    .update(schedules)
    .set({ ...reported, revision })
    .where(and(is({ accountId, scheduleId: id }), lt(schedules.revision, revision)));
}
