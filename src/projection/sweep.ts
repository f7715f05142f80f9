// Finds the rows whose owners have not been heard of in time, in bounded pages. The owners themselves are asked elsewhere.

import { and, asc, eq, isNotNull, lte, or, sql } from "drizzle-orm";
import { ok } from "../domain/result.ts";
import type { JobRef } from "./jobs-store.ts";
import { jobs } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

const MINUTE = 60_000;

/** An owner may be this late with its word; a row that nobody has armed gets no such grace. */
export const GRACE_MS = 2 * MINUTE;

export const PAGE_SIZE = 200;

/**
 * The next page of overdue rows, the longest overdue first. Their attention is moved forward in the same transaction,
 * further with each sweep in vain, so that the next page is another one.
 */
export async function takeOverdue(db: Database, now: number): Promise<Stored<JobRef[]>> {
  const overdue = and(
    isNotNull(jobs.attentionAt),
    lte(jobs.attentionAt, now),
    or(eq(jobs.revision, 0), lte(jobs.attentionAt, now - GRACE_MS)),
  );
  const page = db
    .select({ accountId: jobs.accountId, jobId: jobs.id })
    .from(jobs)
    .where(overdue)
    .orderBy(asc(jobs.attentionAt))
    .limit(PAGE_SIZE);
  const found = await stored(() => page.all());
  if (!found.ok || found.value.length === 0) return found;
  const refs = JSON.stringify(found.value);
  const named = sql`(${jobs.accountId}, ${jobs.id}) IN (SELECT value ->> 'accountId', value ->> 'jobId' FROM json_each(${refs}))`;
  const later = sql`${now} + ${MINUTE} * min(60, 1 << min(${jobs.sweeps}, 6))`;
  const moved = await stored(() =>
    db
      .update(jobs)
      .set({ attentionAt: later, sweeps: sql`${jobs.sweeps} + 1` })
      .where(and(named, overdue)),
  );
  return moved.ok ? ok(found.value) : moved;
}
