// Deletes what has been over for long enough, and what belonged to accounts that are gone. It walks account by account
// from the oldest id, a few pages a minute, and remembers where it stopped: no index is paid for it.

import { and, asc, eq, gt, gte, inArray, lt, sql } from "drizzle-orm";
import { lowestIdAt } from "../domain/ids.ts";
import { OVERVIEW_LIFE_MS } from "../domain/overview.ts";
import { ok } from "../domain/result.ts";
import { SLOT_MS, TOTAL } from "../domain/tally.ts";
import { type FlowRef, flowKeysAfter } from "./flows-store.ts";
import { deleteUnusedHandlers } from "./handlers-store.ts";
import {
  accounts,
  bulkActions,
  executions,
  failures,
  handlers,
  jobs,
  overview,
  retentionWalk,
  schedules,
  webhooks,
} from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";
import { forgetBuried } from "./tombstones.ts";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Rows looked at with one statement, such looks in one run, and what one run deletes at most: the database serves others, too. */
const PAGE_SIZE = 500;
const PAGES = 200;
const MAX_DELETED = 5_000;

/** Calls for one page, and for the place of the walk with what it begins with. */
const CALLS_PER_PAGE = 4;
const CALLS_FOR_PLACE = 3;

/** A finished walk starts again after this. */
const WALK_EVERY_MS = HOUR;

/** The database that is walked: accounts live there whose row has this number. */
export interface Walked {
  readonly db: Database;
  readonly number: number;
}

/** How to part from what a deleted account has elsewhere. Each returns false when that failed. */
export interface Leaving {
  /** A flow, with its row and whatever else is kept of it. */
  readonly flow: (ref: FlowRef) => Promise<boolean>;
  /** The account's place in the directory. */
  readonly account: (accountId: string) => Promise<boolean>;
}

type Account = typeof accounts.$inferSelect;
type Walk = Omit<typeof retentionWalk.$inferSelect, "id">;

const startOf = (now: number): Walk => ({ startedAt: now, accountId: "", jobId: "" });

/** The end of a walk, until the next begins. */
const FINISHED = "~";

/**
 * One run of the walk.
 *
 * @param maxCalls how many calls to D1 it may make
 * @returns how many jobs were deleted
 */
export async function retain(
  here: Walked,
  retentionDays: number,
  maxCalls: number,
  now: number,
  leaving: Leaving,
): Promise<Stored<number>> {
  const { db } = here;
  const pages = Math.min(PAGES, Math.floor((maxCalls - CALLS_FOR_PLACE) / CALLS_PER_PAGE));
  const known = await stored(() => db.select().from(retentionWalk).get());
  if (!known.ok) return known;
  let walk: Walk = known.value ?? startOf(now);
  if (walk.accountId === FINISHED && now < walk.startedAt + WALK_EVERY_MS) return ok(0);
  if (walk.accountId === FINISHED) walk = startOf(now);
  if (walk.accountId === "") await forgetBuried(db, now);
  let deleted = 0;
  for (let page = 0; page < pages && deleted < MAX_DELETED && walk.accountId !== FINISHED; page++) {
    const step = await onePage(here, walk, now - retentionDays * DAY, now - OVERVIEW_LIFE_MS, leaving);
    if (!step.ok) return step;
    walk = step.value.walk;
    deleted += step.value.deleted;
  }
  const { startedAt, accountId, jobId } = walk;
  const place = { startedAt, accountId, jobId };
  const kept = await stored(() =>
    db
      .insert(retentionWalk)
      .values({ id: 1, ...place })
      .onConflictDoUpdate({ target: retentionWalk.id, set: place }),
  );
  return kept.ok ? ok(deleted) : kept;
}

/** Looks at one page of the account the walk stands in, or steps on to the next account. */
async function onePage(
  here: Walked,
  walk: Walk,
  endedBefore: number,
  countedBefore: number,
  leaving: Leaving,
): Promise<Stored<{ walk: Walk; deleted: number }>> {
  const { db } = here;
  const account = await standingIn(here, walk);
  if (!account.ok) return account;
  if (!account.value) return ok({ walk: { ...walk, accountId: FINISHED }, deleted: 0 });
  const { id: accountId, status } = account.value;
  const from = accountId === walk.accountId ? walk.jobId : "";
  const gone = status === "deleted";
  const page = await stored(() =>
    db
      .select({ id: jobs.id, completedAt: jobs.completedAt })
      .from(jobs)
      .where(
        and(eq(jobs.accountId, accountId), gt(jobs.id, from), gone ? undefined : lt(jobs.id, lowestIdAt(endedBefore))),
      )
      .orderBy(asc(jobs.id))
      .limit(PAGE_SIZE)
      .all(),
  );
  if (!page.ok) return page;
  const over = page.value.filter(({ completedAt }) => gone || (completedAt !== null && completedAt < endedBefore));
  const deleted =
    over.length === 0
      ? ok(null)
      : await deleteJobs(
          db,
          accountId,
          over.map(({ id }) => id),
          gone ? null : endedBefore,
        );
  if (!deleted.ok) return deleted;
  const last = page.value.at(-1);
  const isNext = last !== undefined && (gone || page.value.length === PAGE_SIZE);
  if (isNext) return ok({ walk: { ...walk, accountId, jobId: last.id }, deleted: over.length });
  if (!gone) await deleteOthers(db, accountId, endedBefore, countedBefore, walk.startedAt);
  else if ((await leaveAccount(here, accountId, leaving)) === "again")
    return ok({ walk: { ...walk, accountId, jobId: "" }, deleted: 0 });
  return ok({ walk: { ...walk, accountId: `${accountId} `, jobId: "" }, deleted: over.length });
}

/** A page of a deleted account that has no jobs any more takes one flow with it, and the last page the account. */
async function leaveAccount({ db, number }: Walked, accountId: string, leaving: Leaving): Promise<"again" | "over"> {
  const keys = await flowKeysAfter(db, accountId, "", 1);
  if (!keys.ok) return "over"; // the next walk comes by here
  const [key] = keys.value;
  if (key !== undefined) return (await leaving.flow({ accountId, key })) ? "again" : "over";
  if (number === 0) await stored(() => db.batch([...forgetRows(db, accountId), forget(db, accountId)]));
  else if ((await stored(() => db.batch(forgetRows(db, accountId)))).ok && (await leaving.account(accountId)))
    await forgetDeleted(db, accountId);
  return "over";
}

/** The account whose rows come next. A place behind an account (its id and a blank) sorts before the next id. */
function standingIn({ db, number }: Walked, { accountId }: Walk): Promise<Stored<Account | undefined>> {
  return stored(() =>
    db
      .select()
      .from(accounts)
      .where(and(gte(accounts.id, accountId), eq(accounts.database, number)))
      .orderBy(asc(accounts.id))
      .limit(1)
      .get(),
  );
}

/** Jobs with their executions, in one transaction. What was taken back to life since the look is left. */
function deleteJobs(db: Database, accountId: string, ids: string[], endedBefore: number | null) {
  const named = sql`IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const over = endedBefore === null ? undefined : lt(jobs.completedAt, endedBefore);
  const stillOver = db
    .select({ id: jobs.id })
    .from(jobs)
    .where(and(eq(jobs.accountId, accountId), sql`${jobs.id} ${named}`, over));
  return stored(() =>
    db.batch([
      db.delete(executions).where(and(eq(executions.accountId, accountId), inArray(executions.jobId, stillOver))),
      db.delete(jobs).where(and(eq(jobs.accountId, accountId), sql`${jobs.id} ${named}`, over)),
    ]),
  );
}

/** Bulk actions that ended long ago, old counts, and handlers nobody uses. If that fails, the next walk does it. */
function deleteOthers(db: Database, accountId: string, endedBefore: number, countedBefore: number, now: number) {
  const isOld = and(
    eq(bulkActions.accountId, accountId),
    lt(bulkActions.id, lowestIdAt(endedBefore)),
    sql`${bulkActions.state} ->> 'completedAt' < ${endedBefore}`,
  );
  const { minute } = overview;
  const ofAccount = eq(overview.accountId, accountId);
  const oldMinutes = db
    .select({ minute })
    .from(overview)
    .where(and(ofAccount, gt(minute, TOTAL), lt(minute, countedBefore)))
    .limit(MAX_DELETED);
  const oldFailures = and(eq(failures.accountId, accountId), lt(failures.slot, countedBefore - SLOT_MS));
  return stored(() =>
    db.batch([
      db.delete(bulkActions).where(isOld),
      db.delete(overview).where(and(ofAccount, inArray(minute, oldMinutes))),
      db.delete(failures).where(oldFailures),
      deleteUnusedHandlers(db, accountId, now),
    ]),
  );
}

/** The last of a deleted account, executions reported after their jobs included. */
const forgetRows = (db: Database, accountId: string) =>
  [
    db.delete(executions).where(eq(executions.accountId, accountId)),
    db.delete(schedules).where(eq(schedules.accountId, accountId)),
    db.delete(bulkActions).where(eq(bulkActions.accountId, accountId)),
    db.delete(handlers).where(eq(handlers.accountId, accountId)),
    db.delete(webhooks).where(eq(webhooks.accountId, accountId)),
    db.delete(overview).where(eq(overview.accountId, accountId)),
    db.delete(failures).where(eq(failures.accountId, accountId)),
  ] as const;

/** The row of a deleted account. Nobody asks for it any more. */
const forget = (db: Database, accountId: string) =>
  db.delete(accounts).where(and(eq(accounts.id, accountId), eq(accounts.status, "deleted")));

export const forgetDeleted = (db: Database, accountId: string): Promise<Stored<unknown>> =>
  stored(() => forget(db, accountId));
