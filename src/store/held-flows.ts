// Which flows hold jobs up, as far as the read model knows: those in which due jobs wait, and those that are paused. They are found in
// what other looks read, and nothing is counted for them: a line costs nothing while it waits.

import { eq, sql } from "drizzle-orm";
import { type AheadRow, linesOf } from "./due-jobs.ts";
import { MAX_FLOWS } from "./flows-store.ts";
import { flows } from "./schema.ts";
import type { Database } from "./store.ts";

/** Flows of one look. */
const MAX_HELD = 20;

/** Nothing starts: somebody has paused it, or its breaker. */
const IS_PAUSED = sql`(flows.state ->> '$.paused' = 1 OR flows.state ->> '$.openUntil' IS NOT NULL)`;

/** Along the account's flows, of which there are 10,000 at most. */
export const pausedFlowsOf = (db: Database, accountId: string) =>
  db
    .select({ key: flows.key })
    .from(flows)
    .where(sql`${eq(flows.accountId, accountId)} AND ${IS_PAUSED}`)
    .orderBy(flows.key);

/** How many of each account are paused, of the first 10,000 flows of all. */
export const pausedOfAll = (db: Database) =>
  db
    .select({ accountId: sql<string>`account_id`, paused: sql<number>`count(*)` })
    .from(sql`(SELECT account_id, state FROM ${flows} LIMIT ${MAX_FLOWS}) AS flows`)
    .where(IS_PAUSED)
    .groupBy(sql`1`);

/** The keys of flows that hold jobs up, those with the most jobs first, then those that are paused. */
export const heldOf = (ahead: readonly AheadRow[], paused: readonly { readonly key: string }[]): readonly string[] =>
  [...new Set([...linesOf(ahead), ...paused.map(({ key }) => key)])].slice(0, MAX_HELD);
