// Copies an account's rows from one database to another, a page of a table at a time. The same page may be copied again and again: rows
// that differ are written, rows that the source does not have are removed.

import { and, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn } from "drizzle-orm/sqlite-core";
import { MAX_MOVED_AT_ONCE, type Place, START } from "../domain/account-move.ts";
import { err, ok } from "../domain/result.ts";
import { givenValue, inValues } from "./json-rows.ts";
import { isArriving } from "./move-stages.ts";
import { MOVED, type MovedTable, named } from "./moved-tables.ts";
import { type Database, type Stored, stored } from "./store.ts";

/** Rows that one page compares. */
const PAGE_ROWS = 5_000;
/** D1 takes values of up to 2 MB. Rows are bound as JSON, in which quotes take two bytes. */
const VALUE_BYTES = 800_000;
/** What one page writes at most: it is held in memory. */
const PAGE_BYTES = 8_000_000;

export interface Copying {
  readonly source: Database;
  readonly target: Database;
  readonly accountId: string;
  readonly attempt: number;
}

export interface Copied {
  /** Where to go on; null: this was the last page of the last table. */
  readonly next: Place | null;
  /** Rows that were written or removed. */
  readonly changed: number;
  /** The rows of this page whose stamps are of these epochs. */
  readonly stamped: readonly Stamped[];
}

export interface Stamped {
  readonly jobId: string;
  /** null for the execution in a job's row. */
  readonly attempt: number | null;
  readonly epoch: number;
}

/** How many calls to D1 a page takes at most. */
export const CALLS_PER_PAGE = 4 + Math.ceil(PAGE_BYTES / VALUE_BYTES) * 2;

interface Row {
  readonly key: string;
  readonly mark: string;
  readonly bytes: number;
  readonly epoch: number | null;
}

/**
 * Makes one page of the target what it is in the source.
 *
 * @param epochs stamps to look for
 * @returns `unavailable` as well when another try has taken over: the directory tells
 */
export async function copyPage(copying: Copying, place: Place, epochs: ReadonlySet<number>): Promise<Stored<Copied>> {
  const table = MOVED[place.table];
  if (!table) return ok({ next: null, changed: 0, stamped: [] });
  // Both at once: most pages end at the same row on either side, and while the account is frozen each call counts.
  const [found, alike] = await Promise.all([
    rowsOf(copying, "source", table, place.after, null, PAGE_ROWS),
    rowsOf(copying, "target", table, place.after, null, PAGE_ROWS),
  ]);
  if (!found.ok) return found;
  if (!alike.ok) return alike;
  const isLast = found.value.length < PAGE_ROWS;
  const until = isLast ? null : (found.value.at(-1)?.key ?? null);
  const present = isUpTo(alike.value, until)
    ? alike
    : await rowsOf(copying, "target", table, place.after, until, 2 * PAGE_ROWS);
  if (!present.ok) return present;
  const marks = new Map(present.value.map(({ key, mark }) => [key, mark]));
  const keys = new Set(found.value.map(({ key }) => key));
  const gone = present.value.filter(({ key }) => !keys.has(key)).map(({ key }) => key);
  const differing = found.value.filter(({ key, mark }) => marks.get(key) !== mark);
  const copied = groupsOf(differing);
  const removed = await remove(copying, table, gone);
  if (!removed.ok) return removed;
  for (const group of copied.groups) {
    const written = await copyRows(copying, table, group);
    if (!written.ok) return written;
  }
  // There is more to remove or to write than a page does at once: it is looked at again.
  const isWhole = present.value.length < 2 * PAGE_ROWS && copied.isWhole;
  return ok({
    next: isWhole ? nextPlace(place, until) : place,
    changed: gone.length + differing.length,
    stamped: isWhole ? found.value.flatMap((row) => stampedOf(row, epochs)) : [],
  });
}

/** Whether a page is all there is up to this key. */
const isUpTo = (page: readonly Row[], until: string | null): boolean =>
  page.length === 0 || (until === null ? page.length < PAGE_ROWS : page.at(-1)?.key === until);

function nextPlace(place: Place, after: string | null): Place | null {
  if (after !== null) return { ...place, after };
  return place.table + 1 < MOVED.length ? { ...START, table: place.table + 1 } : null;
}

function stampedOf({ key, epoch }: Row, epochs: ReadonlySet<number>): Stamped[] {
  if (epoch === null || !epochs.has(epoch)) return [];
  const [jobId, attempt = null] = JSON.parse(key) as [string, number?];
  return [{ jobId, attempt, epoch }];
}

function groupsOf(rows: readonly Row[]): { readonly groups: readonly (readonly Row[])[]; readonly isWhole: boolean } {
  const groups: Row[][] = [];
  let [left, all] = [0, 0];
  for (const row of rows) {
    all += row.bytes;
    if (all > PAGE_BYTES && groups.length > 0) return { groups, isWhole: false };
    const group = groups.at(-1);
    left -= row.bytes;
    if (group && left >= 0 && group.length < MAX_MOVED_AT_ONCE) group.push(row);
    else {
      groups.push([row]);
      left = VALUE_BYTES - row.bytes;
    }
  }
  return { groups, isWhole: true };
}

/** What a row takes beside its large columns. */
const ROW_BYTES = 1_000;

function rowsOf(
  { accountId, ...databases }: Copying,
  side: "source" | "target",
  table: MovedTable,
  after: string | null,
  until: string | null,
  limit: number,
): Promise<Stored<Row[]>> {
  const key = tuple(table.key.map((column) => named(table, column)));
  const given = (json: string) => tuple((JSON.parse(json) as (string | number)[]).map((part) => sql`${part}`));
  const list = (columns: MovedTable["key"]) =>
    sql.join(
      columns.map((column) => named(table, column)),
      sql`, `,
    );
  // Stamps stay behind: a row of an earlier stay that still has one is not what it is to be.
  const stamp = table.stamp && side === "target" ? named(table, table.stamp) : sql`NULL`;
  const bytes = table.large.map((column) => sql`coalesce(octet_length(${named(table, column)}), 0)`);
  return stored(() =>
    databases[side].all<Row>(
      sql`SELECT json_array(${list(table.key)}) AS key, json_array(${list(table.compared)}, ${stamp}) AS mark,
            ${sql.join([sql.raw(String(ROW_BYTES)), ...bytes], sql` + `)} AS bytes,
            ${table.stamp ? sql`${named(table, table.stamp)} >> 1` : sql`NULL`} AS epoch
          FROM ${table.table} WHERE ${sql.identifier(table.name)}.account_id = ${accountId}
            ${after === null ? sql`` : sql`AND ${key} > ${given(after)}`}
            ${until === null ? sql`` : sql`AND ${key} <= ${given(until)}`}
          ORDER BY ${list(table.key)} LIMIT ${limit}`,
    ),
  );
}

const tuple = (parts: readonly SQL[]): SQL => sql`(${sql.join([...parts], sql`, `)})`;

/** Rows of a page by their keys, as the table `given`. */
const keysGiven = (keys: readonly string[]): SQL => sql`json_each(${`[${keys.join(",")}]`}) AS given`;

/** A part of a given key. */
const partOf = (_: SQLiteColumn, i: number): SQL => sql.raw(`given.value ->> ${i}`);

async function copyRows(copying: Copying, table: MovedTable, rows: readonly Row[]): Promise<Stored<null>> {
  const { source, accountId } = copying;
  const isWanted = table.key.map((column, i) => sql`${named(table, column)} = ${partOf(column, i)}`);
  const found = await stored(() =>
    source.all<Record<string, unknown>>(
      sql`SELECT ${sql.identifier(table.name)}.* FROM ${keysGiven(rows.map(({ key }) => key))} CROSS JOIN ${table.table}
          WHERE ${and(sql`${sql.identifier(table.name)}.account_id = ${accountId}`, ...isWanted)}`,
    ),
  );
  if (!found.ok) return found;
  for (const group of inValues(found.value)) {
    const written = await write(copying, insertion(copying, table, group));
    if (!written.ok) return written;
  }
  return ok(null);
}

/** A row that holds what must be there once gives way: it is another one in the source by now, and is compared as well. */
function insertion({ accountId, attempt }: Copying, table: MovedTable, rows: readonly object[]): SQL {
  const columns = sql.join(
    table.columns.map(({ name }) => sql.identifier(name)),
    sql`, `,
  );
  const values = table.columns.map((column) => (column === table.stamp ? sql`NULL` : givenValue(column)));
  return sql`INSERT OR REPLACE INTO ${table.table} (${columns}) SELECT ${sql.join(values, sql`, `)}
    FROM json_each(${JSON.stringify(rows)}) AS given WHERE ${isArriving(accountId, attempt)}`;
}

async function remove(copying: Copying, table: MovedTable, keys: readonly string[]): Promise<Stored<null>> {
  if (keys.length === 0) return ok(null);
  const { accountId, attempt } = copying;
  const key = tuple([sql`account_id`, ...table.key.map(({ name }) => sql`${sql.identifier(name)}`)]);
  const given = sql.join([sql`${accountId}`, ...table.key.map(partOf)], sql`, `);
  return write(
    copying,
    sql`DELETE FROM ${table.table} WHERE ${key} IN (SELECT ${given} FROM ${keysGiven(keys)}) AND ${isArriving(accountId, attempt)}`,
  );
}

/** If nothing was written, it was not this try that was to write. */
async function write({ target }: Copying, statement: SQL): Promise<Stored<null>> {
  const answer = await stored(() => target.all<object>(sql`${statement} RETURNING 1 AS one`));
  if (!answer.ok) return answer;
  return answer.value.length > 0 ? ok(null) : err({ code: "unavailable", retryAfterSeconds: 5 });
}
