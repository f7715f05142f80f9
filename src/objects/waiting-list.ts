// The executions of one account that wait for a worker, in the order they were due. One row each; an object nobody has
// offered anything stays empty.

import type { Offer } from "../delivery/enqueue.ts";

type Row = { job_id: string; execution_id: string; handler: string; due_at: number };

export class WaitingList {
  readonly #sql: SqlStorage;
  #exists: boolean;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").toArray().length > 0;
  }

  /** An execution's handler and due time never change, so the key also tells the same offer made again. */
  add({ handler, dueAt, executionId, jobId }: Offer): void {
    if (!this.#exists) this.#create();
    this.#sql.exec("INSERT OR IGNORE INTO waiting VALUES (?, ?, ?, ?)", handler, dueAt, executionId, jobId);
  }

  remove({ handler, dueAt, executionId }: Offer): void {
    if (!this.#exists) return;
    this.#sql.exec(
      "DELETE FROM waiting WHERE handler = ? AND due_at = ? AND execution_id = ?",
      handler,
      dueAt,
      executionId,
    );
  }

  /** The oldest due of a handler's executions that is not to be skipped. */
  oldest(handler: string, skip: (executionId: string) => boolean): Offer | undefined {
    if (!this.#exists) return undefined;
    const rows = this.#sql.exec<Row>("SELECT * FROM waiting WHERE handler = ? ORDER BY due_at, execution_id", handler);
    for (const row of rows)
      if (!skip(row.execution_id))
        return { handler: row.handler, dueAt: row.due_at, executionId: row.execution_id, jobId: row.job_id };
    return undefined;
  }

  /** Before the storage is emptied as a whole. */
  forget(): void {
    this.#exists = false;
  }

  #create(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS waiting (
         handler TEXT NOT NULL, due_at INTEGER NOT NULL, execution_id TEXT NOT NULL, job_id TEXT NOT NULL,
         PRIMARY KEY (handler, due_at, execution_id)
       ) WITHOUT ROWID`,
    );
    this.#exists = true;
  }
}
