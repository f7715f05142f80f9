// What is asked of the flows table: the list of an account's flows, and how a flow's object writes its row.

import { and, asc, count, eq, gt, lte, sql } from "drizzle-orm";
import type { Flow } from "../domain/flow.ts";
import { ok } from "../domain/result.ts";
import { upgradeFlow } from "../domain/upgrade.ts";
import { ifThere } from "./existing-account.ts";
import { flows } from "./schema.ts";
import { type Database, type Stored, stored, storedPage } from "./store.ts";

/** A flow by its account. */
export interface FlowRef {
  readonly accountId: string;
  readonly key: string;
}

export const MAX_FLOWS = 10_000;

const is = ({ accountId, key }: FlowRef) => and(eq(flows.accountId, accountId), eq(flows.key, key));

/**
 * Writes the row of a flow, unless it holds a newer one. Safe to repeat.
 *
 * @returns false when the account is gone, or has all the flows it may have
 */
export async function writeFlow(db: Database, flow: Flow): Promise<Stored<boolean>> {
  const { accountId, key, rowRevision: revision } = flow;
  const row = { accountId, key, revision, state: { ...flow, window: [], news: [] } };
  const others = sql`(SELECT count(*) FROM (SELECT 1 FROM ${flows} WHERE account_id = ${accountId} AND key <> ${key} LIMIT ${MAX_FLOWS}))`;
  const newer = (column: "state" | "revision") =>
    sql.raw(`CASE WHEN excluded.revision > flows.revision THEN excluded.${column} ELSE flows.${column} END`);
  const written = await stored(() =>
    db
      .insert(flows)
      .select(sql`${ifThere(flows, [row], accountId)} AND ${others} < ${MAX_FLOWS}`)
      .onConflictDoUpdate({
        target: [flows.accountId, flows.key],
        set: { state: newer("state"), revision: newer("revision") },
      })
      .returning({ key: flows.key }),
  );
  return written.ok ? ok(written.value.length > 0) : written;
}

/** @param until the revision of its row that is removed at most: a removal that is applied late leaves the flow that was made since */
export const removeFlow = (db: Database, ref: FlowRef, until: number): Promise<Stored<unknown>> =>
  stored(() => db.delete(flows).where(and(is(ref), lte(flows.revision, until))));

/** One page of an account's flows, by key. */
export async function listFlows(
  db: Database,
  accountId: string,
  offset: number,
  size: number,
): Promise<Stored<[Flow[], number]>> {
  const own = eq(flows.accountId, accountId);
  const found = await storedPage(() =>
    db.batch([
      db.select({ state: flows.state }).from(flows).where(own).orderBy(asc(flows.key)).limit(size).offset(offset),
      db.select({ total: count() }).from(flows).where(own),
    ]),
  );
  return found.ok ? ok([found.value[0].map(({ state }) => upgradeFlow(state)), found.value[1]]) : found;
}

/** The keys behind this one, for those who walk all flows of an account. */
export const flowKeysAfter = (db: Database, accountId: string, key: string, most: number): Promise<Stored<string[]>> =>
  stored(async () => {
    const rows = await db
      .select({ key: flows.key })
      .from(flows)
      .where(and(eq(flows.accountId, accountId), gt(flows.key, key)))
      .orderBy(asc(flows.key))
      .limit(most);
    return rows.map((row) => row.key);
  });
