// What reports have to do with webhooks: whether somebody asks for an event that a report would end in, and how deliveries fare.
// All of it is decided inside the transaction that applies the reports.

import { and, eq, isNull, lte, type SQL, sql } from "drizzle-orm";
import type { BatchItem } from "drizzle-orm/batch";
import { givenValue, jsonRows } from "./json-rows.ts";
import type { JobReport, Report, WebhookHealth } from "./report.ts";
import { executions, jobs, webhooks } from "./schema.ts";
import type { Database } from "./store.ts";

const { accountId, id, events } = webhooks;

/** What the enabled webhooks of these accounts ask for; of most accounts there are none. */
export const askedFor = (db: Database, reports: readonly Report[]) =>
  db
    .select({ accountId, events })
    .from(webhooks)
    .where(and(eq(webhooks.enabled, true), sql`${accountId} IN (SELECT value FROM json_each(${accountsOf(reports)}))`));

const accountsOf = (reports: readonly Report[]): string =>
  JSON.stringify([...new Set(reports.map((report) => report.accountId))]);

/**
 * Whether no webhook of the account asks for one of these events.
 *
 * @param types a JSON list of them; NULL: none
 */
export const isNotAskedFor = (ofAccount: SQL, types: SQL): SQL =>
  sql`NOT (${types} IS NOT NULL AND EXISTS (
        SELECT 1 FROM ${webhooks} CROSS JOIN json_each(${events}) AS asked
        WHERE ${accountId} = ${ofAccount} AND ${webhooks.enabled} = 1
          AND asked.value IN (SELECT value FROM json_each(${types}))))`;

/** How long an endpoint may fail. */
const MAX_FAILING_MS = 5 * 86_400_000;

/**
 * Remembers since when an endpoint has failed, and disables one that has for too long. A row is written only when that changes.
 * Stands before the update of the jobs: a report that is repeated finds its revision there, and says nothing again.
 */
export function noteHealth(db: Database, reports: readonly JobReport[]): BatchItem<"sqlite">[] {
  const delivered = reports.flatMap(({ accountId, id: jobId, revision, health }) =>
    health ? [{ accountId, jobId, revision, ...health }] : [],
  );
  const taken = delivered.filter(({ failure }) => failure === null);
  const failed = delivered.filter(
    ({ failure, webhookId, at }) =>
      failure !== null && !taken.some((one) => one.webhookId === webhookId && one.at > at),
  );
  return [...(taken.length > 0 ? [noteTaken(db, taken)] : []), ...(failed.length > 0 ? noteFailed(db, failed) : [])];
}

type Delivered = WebhookHealth & { readonly accountId: string; readonly jobId: string; readonly revision: number };

const GIVEN = {
  accountId,
  webhookId: id,
  at: webhooks.failingSince,
  failure: webhooks.disabledReason,
  jobId: executions.jobId,
  revision: jobs.revision,
};
const at = givenValue(GIVEN.at);

/** The webhook a delivery went to, if the read model does not know of that delivery yet. */
const isConcerned = and(
  eq(accountId, givenValue(accountId)),
  eq(id, givenValue(id)),
  sql`EXISTS (SELECT 1 FROM ${jobs} WHERE ${jobs.accountId} = ${givenValue(accountId)}
        AND ${jobs.id} = ${givenValue(GIVEN.jobId)} AND ${jobs.revision} < ${givenValue(GIVEN.revision)})`,
);

const noteTaken = (db: Database, taken: readonly Delivered[]) =>
  db
    .update(webhooks)
    .set({ failingSince: null })
    .from(jsonRows(GIVEN, taken))
    .where(and(isConcerned, lte(webhooks.failingSince, at)));

function noteFailed(db: Database, failed: readonly Delivered[]) {
  const { failingSince, enabled } = webhooks;
  const since = sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${failingSince} / 1000.0, 'unixepoch')`;
  const last = sql`(${givenValue(GIVEN.failure)})`; // `->>` binds no tighter than `||`
  const disabledReason = sql`'Every delivery has failed since ' || ${since} || ' (last: ' || ${last} || '). Disabled after five days.'`;
  return [
    db
      .update(webhooks)
      .set({ failingSince: at })
      .from(jsonRows(GIVEN, failed))
      .where(and(isConcerned, isNull(failingSince))),
    db
      .update(webhooks)
      .set({ enabled: false, disabledReason, updatedAt: at })
      .from(jsonRows(GIVEN, failed))
      .where(and(isConcerned, eq(enabled, true), lte(failingSince, sql`(${at}) - ${MAX_FAILING_MS}`))),
  ];
}
