// What is asked of the bulk_actions table, and what a bulk action asks of the jobs table.

import { and, count, desc, eq, lt, sql } from "drizzle-orm";
import { type BulkAction, bulkReportDueAt, type Known } from "../domain/bulk-action.ts";
import type { WriteReceipt } from "../domain/reporting.ts";
import { ok } from "../domain/result.ts";
import { upgradeBulkAction } from "../domain/upgrade.ts";
import { log } from "../log.ts";
import { ifThere } from "./existing-account.ts";
import { type ListStart, MAX_COUNTED } from "./list-jobs.ts";
import { bulkActions, jobs } from "./schema.ts";
import { type Database, STORE_TIMEOUT_MS, type Stored, stored } from "./store.ts";

/** A bulk action by its account. */
export interface BulkActionRef {
  readonly accountId: string;
  readonly bulkActionId: string;
}

const is = ({ accountId, bulkActionId }: BulkActionRef) =>
  and(eq(bulkActions.accountId, accountId), eq(bulkActions.id, bulkActionId));

const refOf = ({ accountId, id }: BulkAction): BulkActionRef => ({ accountId, bulkActionId: id });

function rowOf(action: BulkAction) {
  const { accountId, id, revision } = action;
  return { accountId, id, revision, reportDueAt: bulkReportDueAt(action), sweeps: 0, state: action };
}

/**
 * Writes the intent; safe to repeat. One that was applied although its answer was lost is recognised by its id.
 *
 * @returns whether there is a row: none is made for an account that is gone
 */
export async function insertBulkAction(db: Database, action: BulkAction): Promise<Stored<boolean>> {
  const inserted = await stored(() =>
    db
      .insert(bulkActions)
      .select(ifThere(bulkActions, [rowOf(action)], action.accountId))
      .onConflictDoNothing()
      .returning({ id: bulkActions.id }),
  );
  if (inserted.ok && inserted.value.length > 0) return ok(true);
  const own = await readBulkAction(db, refOf(action));
  if (own.ok && own.value) return ok(true);
  if (!inserted.ok) return inserted;
  return own.ok ? ok(false) : own;
}

/** @param limitMs how long to wait for D1 */
export async function readBulkAction(
  db: Database,
  ref: BulkActionRef,
  limitMs = STORE_TIMEOUT_MS,
): Promise<Stored<BulkAction | undefined>> {
  const row = await stored(
    () => db.select({ state: bulkActions.state }).from(bulkActions).where(is(ref)).get(),
    limitMs,
  );
  return row.ok ? ok(row.value && upgradeBulkAction(row.value.state)) : row;
}

/** Reports a bulk action: the highest revision wins, in whatever order reports come. */
export async function reportBulkAction(db: Database, action: BulkAction): Promise<WriteReceipt> {
  const { accountId, id, revision, ...reported } = rowOf(action);
  const isNewer = and(is(refOf(action)), lt(bulkActions.revision, revision));
  const known = db
    .select({ id: bulkActions.id })
    .from(bulkActions)
    .where(is(refOf(action)));
  const update = db
    .update(bulkActions)
    .set({ ...reported, revision })
    .where(isNewer);
  try {
    const answer = await stored(() => db.batch([known, update]));
    if (!answer.ok) return "unavailable";
    return answer.value[0].length > 0 ? "stored" : "missing";
  } catch {
    log("error", "report_refused", { account_id: accountId, bulk_action_id: id, revision });
    return "refused";
  }
}

export interface BulkActionPage {
  readonly actions: readonly BulkAction[];
  readonly total: number;
  /** The id behind which the next page goes on; null on the last one. */
  readonly next: string | null;
}

/** The ids it has not reached may be 40 KB, and no list shows them. */
const WITHOUT_REST = sql<string>`json_remove(${bulkActions.state}, '$.rest', '$.page')`;

/** One page of an account's bulk actions, newest first. */
export async function listBulkActions(
  db: Database,
  accountId: string,
  from: ListStart,
  size: number,
): Promise<Stored<BulkActionPage>> {
  const own = eq(bulkActions.accountId, accountId);
  const page = db
    .select({ state: WITHOUT_REST })
    .from(bulkActions)
    .where("after" in from ? and(own, lt(bulkActions.id, from.after)) : own)
    .orderBy(desc(bulkActions.id))
    .limit(size + 1)
    .offset("offset" in from ? from.offset : 0);
  const capped = db.select({ one: sql`1` }).from(bulkActions).where(own).limit(MAX_COUNTED).as("capped");
  const answer = await stored(() => db.batch([page, db.select({ total: count() }).from(capped)]));
  if (!answer.ok) return answer;
  const [rows, [counted]] = answer.value;
  const actions = rows.slice(0, size).map(({ state }) => upgradeBulkAction(JSON.parse(state)));
  const last = rows.length > size ? actions.at(-1) : undefined;
  return ok({ actions, total: counted?.total ?? 0, next: last?.id ?? null });
}

/** What the rows tell of these jobs; nothing of those that are gone. */
export function knownJobs(db: Database, accountId: string, jobIds: readonly string[]): Promise<Stored<Known[]>> {
  const named = sql`${jobs.id} IN (SELECT value FROM json_each(${JSON.stringify(jobIds)}))`;
  return stored(() =>
    db
      .select({ id: jobs.id, status: jobs.status, updatedAt: jobs.updatedAt })
      .from(jobs)
      .where(and(eq(jobs.accountId, accountId), named))
      .all(),
  );
}
