// Which flows hold jobs up, as far as the read model knows: those in which due jobs wait, and those that are paused. A look reads a bounded
// number of rows along an index that other looks need as well, so a line costs nothing while it waits.

import { eq, sql } from "drizzle-orm";
import { OVERDUE_AFTER_MS } from "../domain/overview.ts";
import { AHEAD_MS, MAX_AHEAD } from "./due-jobs.ts";
import { MAX_FLOWS } from "./flows-store.ts";
import { flows, jobs } from "./schema.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Nothing starts: somebody has paused it, or its breaker. */
const IS_PAUSED = sql`(flows.state ->> '$.paused' = 1 OR flows.state ->> '$.openUntil' IS NOT NULL)`;

/** The keys of an account's flows that hold jobs up, those with the most jobs first, then those that are paused. */
export const heldFlowKeys = (db: Database, accountId: string, most: number, now: number): Promise<Stored<string[]>> =>
  stored(async () => {
    const near = sql`SELECT account_id, id FROM ${jobs} INDEXED BY jobs_report_due
      WHERE report_due_at IS NOT NULL AND report_due_at <= ${now + AHEAD_MS} ORDER BY report_due_at LIMIT ${MAX_AHEAD}`;
    const waiting = db.select({ key: sql<string>`flow` }).from(
      sql`(WITH near AS MATERIALIZED (${near})
          SELECT jobs.flow AS flow, count(*) AS waiting FROM near CROSS JOIN ${jobs}
          WHERE near.account_id = ${accountId} AND jobs.account_id = near.account_id AND jobs.id = near.id
            AND jobs.flow IS NOT NULL AND jobs.status IN ('pending', 'retrying') AND jobs.run_at <= ${now - OVERDUE_AFTER_MS}
          GROUP BY jobs.flow ORDER BY waiting DESC, flow LIMIT ${most})`,
    );
    const paused = db
      .select({ key: flows.key })
      .from(flows)
      .where(sql`${eq(flows.accountId, accountId)} AND ${IS_PAUSED}`)
      .orderBy(flows.key)
      .limit(most);
    const [busy, held] = await db.batch([waiting, paused]);
    return [...new Set([...busy, ...held].map(({ key }) => key))].slice(0, most);
  });

/** How many flows of an account are paused. */
export const countPaused = (db: Database, accountId: string): Promise<Stored<number>> =>
  stored(async () => {
    const [counted] = await db
      .select({ paused: sql<number>`count(*)` })
      .from(flows)
      .where(sql`${eq(flows.accountId, accountId)} AND ${IS_PAUSED}`);
    return counted?.paused ?? 0;
  });

/** The same of every account; of the first 10,000 flows of all. */
export const countPausedOfAll = (db: Database): Promise<Stored<ReadonlyMap<string, number>>> =>
  stored(async () => {
    const rows = await db
      .select({ accountId: sql<string>`account_id`, paused: sql<number>`count(*)` })
      .from(sql`(SELECT account_id, state FROM ${flows} LIMIT ${MAX_FLOWS}) AS flows`)
      .where(IS_PAUSED)
      .groupBy(sql`1`);
    return new Map(rows.map(({ accountId, paused }) => [accountId, paused]));
  });
