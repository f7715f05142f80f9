// The executions of one handler that wait for a worker, in the order they became due. One row each; an object nobody has
// offered anything stays empty.

import type { Entry } from "../../delivery/enqueue.ts";

type Row = { due_at: number; execution_id: string; job_id: string };

/** `free`: nobody has had it; `tried`: it came back from a poll that said nothing; `taken`: not to be nominated now. */
export type Standing = "free" | "tried" | "taken";

/** An entry that is offered again is noted at most this often: each note is a row. */
const NOTE_AGAIN_MS = 6 * 60 * 60_000;

export class WaitingList {
  readonly #sql: SqlStorage;
  #exists: boolean;
  /** How many rows there are, once they have been counted: with thousands that is not done for each question. */
  #count: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    this.#exists = sql.exec("SELECT 1 FROM sqlite_master WHERE name = 'waiting'").toArray().length > 0;
  }

  /** An execution's due time never changes, so the key also recognises an offer made again. */
  add({ dueAt, executionId, jobId }: Entry, now: number): void {
    if (!this.#exists) this.#create();
    const inserted = this.#sql
      .exec(
        "INSERT INTO waiting VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING RETURNING 1",
        dueAt,
        executionId,
        jobId,
        now,
      )
      .toArray().length;
    if (this.#count !== undefined) this.#count += inserted;
    if (inserted === 0)
      this.#sql.exec(
        "UPDATE waiting SET offered_at = ? WHERE due_at = ? AND execution_id = ? AND offered_at <= ?",
        now,
        dueAt,
        executionId,
        now - NOTE_AGAIN_MS,
      );
  }

  remove({ dueAt, executionId }: Entry): void {
    if (!this.#exists) return;
    const removed = this.#sql
      .exec("DELETE FROM waiting WHERE due_at = ? AND execution_id = ? RETURNING 1", dueAt, executionId)
      .toArray().length;
    if (this.#count !== undefined) this.#count -= removed;
  }

  /** Counted once in an instance's life. */
  count(): number {
    if (!this.#exists) return 0;
    this.#count ??= this.#sql.exec<{ n: number }>("SELECT count(*) AS n FROM waiting").one().n;
    return this.#count;
  }

  has({ dueAt, executionId }: Pick<Entry, "dueAt" | "executionId">): boolean {
    const found = "SELECT 1 FROM waiting WHERE due_at = ? AND execution_id = ?";
    return this.#exists && this.#sql.exec(found, dueAt, executionId).toArray().length > 0;
  }

  /** The oldest due that may be nominated, at most so many. Those that were tried before come after all others. */
  oldest(most: number, standingOf: (executionId: string) => Standing): Entry[] {
    if (!this.#exists) return [];
    const free: Entry[] = [];
    const tried: Entry[] = [];
    for (const row of this.#sql.exec<Row>("SELECT due_at, execution_id, job_id FROM waiting ORDER BY 1, 2")) {
      const standing = standingOf(row.execution_id);
      if (standing === "free") free.push(entryOf(row));
      if (standing === "tried" && tried.length < most) tried.push(entryOf(row));
      if (free.length === most) break;
    }
    return [...free, ...tried].slice(0, most);
  }

  /** Removes what has not been offered after `since`. @returns whether anything is left */
  removeUnoffered(since: number): boolean {
    if (!this.#exists) return false;
    this.#sql.exec("DELETE FROM waiting WHERE offered_at <= ?", since);
    this.#count = undefined;
    return this.#sql.exec("SELECT 1 FROM waiting LIMIT 1").toArray().length > 0;
  }

  /** Call before the whole storage is deleted. */
  forget(): void {
    this.#exists = false;
    this.#count = undefined;
  }

  #create(): void {
    this.#sql.exec(
      `CREATE TABLE IF NOT EXISTS waiting (
         due_at INTEGER NOT NULL, execution_id TEXT NOT NULL, job_id TEXT NOT NULL, offered_at INTEGER NOT NULL,
         PRIMARY KEY (due_at, execution_id)
       ) WITHOUT ROWID`,
    );
    this.#exists = true;
  }
}

const entryOf = ({ due_at, execution_id, job_id }: Row): Entry => ({
  dueAt: due_at,
  executionId: execution_id,
  jobId: job_id,
});
