// Finds the rows that come near enough for their owners to take them up, each once: a walk along the report_due_at index that
// stays an hour ahead of the clock and remembers its place.

import { and, asc, eq, gt, lte, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { HORIZON_MS } from "../domain/timer.ts";
import type { JobRef } from "./jobs-store.ts";
import { isServedHere } from "./move-stages.ts";
import { jobs, lookAhead } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** The last row that was passed. */
export interface Place extends JobRef {
  readonly dueAt: number;
}

/** Where to go on. What became due while nobody walked is the sweeper's. */
export async function placeKept(db: Database, now: number): Promise<Stored<Place>> {
  const known = await stored(() => db.select().from(lookAhead).get());
  if (!known.ok) return known;
  return ok(known.value && known.value.dueAt > now ? known.value : behind(now));
}

/** The next rows that nobody has reported of and that are due within the horizon, in the order they are due. */
export function approaching(db: Database, from: Place, now: number, limit: number): Promise<Stored<Place[]>> {
  const place = sql`(${jobs.reportDueAt}, ${jobs.accountId}, ${jobs.id})`;
  return stored(() =>
    db
      .select({ dueAt: sql<number>`${jobs.reportDueAt}`, accountId: jobs.accountId, jobId: jobs.id })
      .from(jobs)
      .where(
        and(
          gt(place, sql`(${from.dueAt}, ${from.accountId}, ${from.jobId})`),
          lte(jobs.reportDueAt, now + HORIZON_MS),
          lte(jobs.revision, 0),
          isServedHere(db, jobs.accountId),
        ),
      )
      .orderBy(asc(jobs.reportDueAt), asc(jobs.accountId), asc(jobs.id))
      .limit(limit)
      .all(),
  );
}

/** Up to when jobs have been passed; 0 before the first walk. */
export async function lookAheadAt(db: Database): Promise<Stored<number>> {
  const known = await stored(() => db.select({ dueAt: lookAhead.dueAt }).from(lookAhead).get());
  return known.ok ? ok(known.value?.dueAt ?? 0) : known;
}

/** One account's rows that nobody has reported of, behind this place and due within the horizon. */
export function nearJobs(
  db: Database,
  accountId: string,
  { dueAt, jobId }: Pick<Place, "dueAt" | "jobId">,
  now: number,
  limit: number,
): Promise<Stored<Pick<Place, "dueAt" | "jobId">[]>> {
  return stored(() =>
    db
      .select({ dueAt: sql<number>`${jobs.reportDueAt}`, jobId: jobs.id })
      .from(jobs)
      .where(
        and(
          gt(sql`(${jobs.reportDueAt}, ${jobs.accountId}, ${jobs.id})`, sql`(${dueAt}, ${accountId}, ${jobId})`),
          lte(jobs.reportDueAt, now + HORIZON_MS),
          eq(jobs.accountId, accountId),
          lte(jobs.revision, 0),
        ),
      )
      .orderBy(asc(jobs.reportDueAt), asc(jobs.accountId), asc(jobs.id))
      .limit(limit)
      .all(),
  );
}

/** Two walks at once may meet here: the one that has come further is right. */
export async function keepPlace(db: Database, { dueAt, accountId, jobId }: Place): Promise<Stored<void>> {
  const place = { dueAt, accountId, jobId };
  const kept = await stored(() =>
    db
      .insert(lookAhead)
      .values({ id: 1, ...place })
      .onConflictDoUpdate({ target: lookAhead.id, set: place, setWhere: lte(lookAhead.dueAt, dueAt) }),
  );
  return kept.ok ? ok(undefined) : kept;
}

/** The end of the walk for now. */
export const horizonOf = (now: number): Place => behind(now + HORIZON_MS);

/** Behind every row that is due by then: no account's id is greater. */
const behind = (dueAt: number): Place => ({ dueAt, accountId: "~", jobId: "" });
