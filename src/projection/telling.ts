// Many rows as one bound value: D1 takes a hundred values in a statement, and each statement costs more than its rows.
// The rows are JSON, their fields named and encoded as the columns are; a statement reads them as the table `told`.

import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";

export type Columns = Readonly<Record<string, SQLiteColumn>>;
type Named = { readonly accountId: SQLiteColumn; readonly id: SQLiteColumn };
type Ref = { readonly accountId: string; readonly id: string };

/** What stands behind FROM. Whatever a row has besides these columns stays out. */
export function tellingOf(columns: Columns, rows: readonly object[]): SQL {
  const encoded = (row: object) =>
    Object.entries(columns).map(([field, column]) => {
      const value: unknown = row[field as keyof typeof row] ?? null;
      return [column.name, value === null ? null : column.mapToDriverValue(value)];
    });
  return sql`json_each(${JSON.stringify(rows.map((row) => Object.fromEntries(encoded(row))))}) AS told`;
}

/** Whether a row is one of these, by account and id. */
export const isAmong = ({ accountId, id }: Named, rows: readonly Ref[]): SQL =>
  sql`(${accountId}, ${id}) IN (SELECT ${toldOf(accountId)}, ${toldOf(id)} FROM ${tellingOf({ accountId, id }, rows)})`;

/** A column's value in the row that is told. */
export const toldOf = (column: SQLiteColumn): SQL => sql`told.value ->> ${sql.raw(`'${column.name}'`)}`;

/** A column's value in the row that an insert would have written. */
export const arriving = (column: SQLiteColumn): SQL => sql`excluded.${sql.identifier(column.name)}`;

/** What each of these columns is set to. */
export const mapped = <C extends Columns>(columns: C, to: (column: SQLiteColumn) => SQL) =>
  Object.fromEntries(Object.entries(columns).map(([field, column]) => [field, to(column)])) as { [K in keyof C]: SQL };
