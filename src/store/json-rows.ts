// Many rows as one bound value: D1 takes a hundred values in a statement, and each statement costs more than its rows.
// The rows are JSON, their fields named and encoded as the columns are; a statement reads them as the table `given`.

import { type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { bytesOf } from "../domain/text.ts";

type Columns = Readonly<Record<string, SQLiteColumn>>;
type Identified = { readonly accountId: SQLiteColumn; readonly id: SQLiteColumn };
type Ref = { readonly accountId: string; readonly id: string };

/** What goes behind FROM. Fields of a row that are not among the columns are left out. */
export function jsonRows(columns: Columns, rows: readonly object[]): SQL {
  const encoded = (row: object) =>
    Object.entries(columns).map(([field, column]) => {
      const value: unknown = row[field as keyof typeof row] ?? null;
      return [column.name, value === null ? null : column.mapToDriverValue(value)];
    });
  return sql`json_each(${JSON.stringify(rows.map((row) => Object.fromEntries(encoded(row))))}) AS given`;
}

/** D1 takes values of up to 2 MB. */
const MAX_VALUE_BYTES = 1_000_000;

/** Rows in groups that `jsonRows` can bind as one value each. */
export function inValues<T extends object>(rows: readonly T[]): T[][] {
  const groups: T[][] = [];
  let left = 0;
  for (const row of rows) {
    const bytes = bytesOf(JSON.stringify(JSON.stringify(row))); // columns hold JSON themselves
    left -= bytes;
    if (left >= 0) groups.at(-1)?.push(row);
    else {
      groups.push([row]);
      left = MAX_VALUE_BYTES - bytes;
    }
  }
  return groups;
}

/** Whether a row is one of these, by account and id. */
export const isAmong = ({ accountId, id }: Identified, rows: readonly Ref[]): SQL =>
  sql`(${accountId}, ${id}) IN (SELECT ${givenValue(accountId)}, ${givenValue(id)} FROM ${jsonRows({ accountId, id }, rows)})`;

/** What goes behind IN: these values, as one. */
export const listOf = (values: readonly (string | number)[]): SQL =>
  sql`(SELECT value FROM json_each(${JSON.stringify(values)}))`;

/** A column's value in the given row. */
export const givenValue = (column: SQLiteColumn): SQL => sql.raw(`given.value ->> '${column.name}'`);

/** A column's value in the row that an insert would have written. */
export const excluded = (column: SQLiteColumn): SQL => sql`excluded.${sql.identifier(column.name)}`;

/** Sets each of these columns. */
export const setEach = <C extends Columns>(columns: C, to: (column: SQLiteColumn) => SQL) =>
  Object.fromEntries(Object.entries(columns).map(([field, column]) => [field, to(column)])) as { [K in keyof C]: SQL };
