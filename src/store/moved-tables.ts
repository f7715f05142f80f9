// What becomes of each table when an account moves. A test demands a line for every table there is.

import { getTableColumns, type SQL, sql } from "drizzle-orm";
import { getTableConfig, type SQLiteColumn, type SQLiteTable } from "drizzle-orm/sqlite-core";
import * as schema from "./schema.ts";

/** Tables whose rows are not the account's in one database: they do not move. */
export const STAY = {
  accounts: "the directory: one row is changed, and that is the move",
  apiKeys: "the directory",
  accountMoves: "how accounts stand in this database",
  tombstones: "of statements that are on their way to this database",
  lookAhead: "how far this database's walk has come; jobs that it may have passed are woken",
  retentionWalk: "the same: each walk begins again within the hour",
  recountWalk: "the same",
  tallyEpochs: "of this database's stamps: what they have left to count is counted by the move",
} as const;

export interface MovedTable {
  readonly table: SQLiteTable;
  readonly name: string;
  /** Of the primary key, behind the account. */
  readonly key: readonly SQLiteColumn[];
  readonly columns: readonly SQLiteColumn[];
  /** Rows that agree in these are the same row. */
  readonly compared: readonly SQLiteColumn[];
  /** What makes a row large. */
  readonly large: readonly SQLiteColumn[];
  /** The stamp of the counting, which means nothing in another database. */
  readonly stamp: SQLiteColumn | null;
}

/** What changes with every change of the row; without it, all of the row is compared. */
interface Compared {
  readonly by?: readonly SQLiteColumn[];
  readonly large?: readonly SQLiteColumn[];
  readonly stamp?: SQLiteColumn;
}

function moved(table: SQLiteTable, { by, large = [], stamp }: Compared = {}): MovedTable {
  const { name, primaryKeys } = getTableConfig(table);
  const columns = Object.values(getTableColumns(table));
  const [, ...key] = primaryKeys[0]?.columns ?? [];
  const compared = by ?? columns.filter((column) => !key.includes(column));
  return { table, name, key, columns, compared, large, stamp: stamp ?? null };
}

const { jobs, executions, schedules, bulkActions, overview } = schema;

/**
 * Tables whose rows move, in their order: an execution comes behind its job, so that none is ever there without one, and counts
 * come last.
 */
export const MOVED: readonly MovedTable[] = [
  moved(schema.webhooks),
  moved(schema.flows),
  moved(schema.handlers),
  moved(schedules, {
    by: [schedules.revision, schedules.reportDueAt, schedules.sweeps, schedules.idempotencyKey],
    large: [schedules.state],
  }),
  moved(bulkActions, {
    by: [bulkActions.revision, bulkActions.reportDueAt, bulkActions.sweeps],
    large: [bulkActions.state],
  }),
  moved(jobs, {
    by: [jobs.revision, jobs.status, jobs.attempt, jobs.reportDueAt, jobs.sweeps, jobs.updatedAt, jobs.idempotencyKey],
    large: [jobs.payload, jobs.result, jobs.response, jobs.progress, jobs.delivery, jobs.callbacks],
    stamp: jobs.tally,
  }),
  moved(executions, {
    by: [executions.revision, executions.status, executions.completedAt],
    large: [executions.response, executions.progress, executions.error],
    stamp: executions.tally,
  }),
  moved(overview, {
    by: [overview.started, overview.completed, overview.failed, overview.retried, overview.lateSum],
  }),
  moved(schema.failures),
];

/** `table.column`, whatever else is in the statement. */
export const named = (table: MovedTable, column: SQLiteColumn): SQL =>
  sql`${sql.identifier(table.name)}.${sql.identifier(column.name)}`;
