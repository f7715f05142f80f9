// Conditions on the account, checked inside the statement that writes: a key that another isolate still remembers for a minute
// inserts nothing for an account that is deleted.

import { getTableColumns, type SQL, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import { accounts } from "./schema.ts";

/** Whether the account may have rows: it exists and is not being deleted. */
export const isThere = (accountId: string): SQL =>
  sql`EXISTS (SELECT 1 FROM ${accounts} WHERE ${accounts.id} = ${accountId} AND ${accounts.status} <> 'deleted')`;

/** One row for `insert(table).select(…)`, or none if its account is gone. Costs a look-up and writes nothing more. */
export function ifThere<T extends SQLiteTable>(table: T, row: T["$inferInsert"], accountId: string): SQL {
  const values = Object.entries(getTableColumns(table)).map(([field, column]) => {
    const value: unknown = row[field as keyof typeof row];
    return sql`${sql.param(value ?? column.default ?? null, column)}`;
  });
  return sql`SELECT ${sql.join(values, sql`, `)} WHERE ${isThere(accountId)}`;
}
