// Conditions on the account, checked inside the statement that writes: a key that another isolate still remembers for a minute
// inserts nothing for an account that is deleted.

import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { givenValue, jsonRows } from "./json-rows.ts";
import { accounts, apiKeys } from "./schema.ts";

/** Whether the account may have rows: it exists and is not being deleted. */
export const isThere = (accountId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM ${accounts} WHERE ${accounts.id} = ${accountId} AND ${accounts.status} <> 'deleted')`;

/**
 * Whether it may have rows in this database: it lives here. The directory knows the keys of everybody, and who lives elsewhere; an isolate
 * from before a second database was bound works there for all of them. Elsewhere there are no keys, and only who lives there is known.
 */
export const livesHere = (accountId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM ${accounts} WHERE ${accounts.id} = ${accountId} AND ${accounts.status} <> 'deleted'
    AND (${accounts.database} = 0 OR NOT EXISTS (SELECT 1 FROM ${apiKeys} WHERE ${apiKeys.accountId} = ${accountId})))`;

/** The rows for `insert(table).select(…)`, in their order, or none if their account is gone or lives elsewhere. Costs a look-up and writes nothing more. */
export function ifThere<T extends SQLiteTable>(table: T, rows: readonly T["$inferInsert"][], accountId: string): SQL {
  const columns = getTableColumns(table);
  const defaults = Object.fromEntries(Object.entries(columns).map(([field, column]) => [field, column.default]));
  const given = jsonRows(
    columns,
    rows.map((row) => ({ ...defaults, ...row })),
  );
  return sql`SELECT ${sql.join(Object.values(columns).map(givenValue), sql`, `)} FROM ${given} WHERE ${livesHere(accountId)}`;
}
