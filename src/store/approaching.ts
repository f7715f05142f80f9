// Finds the rows that come near enough for their owners to take them up, each once: a walk along the report_due_at index that
// stays an hour ahead of the clock and remembers its place.

import { and, asc, gt, lte, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import { HORIZON_MS } from "../domain/timer.ts";
import type { JobRef } from "./jobs-store.ts";
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
