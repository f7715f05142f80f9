// The line of a flow (jobs that wait, in due order) and its slots (attempts that run). Both are SQLite tables of the FlowObject, so a long
// line uses no memory.

import type { Ticket } from "../../domain/flow.ts";

/** A slot: the attempt that holds it, and when its owner is asked (again) whether it still does. */
export interface Slot extends Ticket {
  readonly checkAt: number;
  /** Since when it holds the slot, and its start is counted. */
  readonly grantedAt: number;
  /** The owner could not be reached: from then on the slot is free. */
  readonly endsAt: number;
}

type Row = Record<string, SqlStorageValue>;

/** A slot outlives its attempt's time by this at most, if its owner cannot be reached. */
const UNREACHABLE_MS = 5 * 60_000;

export class Line {
  readonly #sql: SqlStorage;
  /** Counted once per instance, then kept up to date. */
  #counts: { waiting: number; running: number } | undefined;
  #hasTables = false;
  /** No slot is due for a check before this moment. */
  #nextCheck: number | undefined;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  get waiting(): number {
    return this.#counted().waiting;
  }

  get running(): number {
    return this.#counted().running;
  }

  /** When the first in line was due. */
  get oldest(): number | null {
    if (this.waiting === 0) return null;
    return Number(this.#all("SELECT due_at FROM line ORDER BY due_at, job_id LIMIT 1")[0]?.due_at ?? 0) || null;
  }

  /** The attempts that are first in line. */
  first(most: number): Ticket[] {
    if (this.waiting === 0) return [];
    const rows = this.#all("SELECT * FROM line ORDER BY due_at, job_id LIMIT ?", most);
    return rows.map(ticketOf);
  }

  /** The position in line, from 1; null if it is not in line. */
  place({ dueAt, jobId }: Ticket): number | null {
    if (this.waiting === 0) return null;
    if (this.#all("SELECT 1 AS one FROM line WHERE due_at = ? AND job_id = ?", dueAt, jobId).length === 0) return null;
    const before = "SELECT count(*) AS n FROM line WHERE due_at < ?1 OR (due_at = ?1 AND job_id < ?2)";
    return 1 + Number(this.#all(before, dueAt, jobId)[0]?.n ?? 0);
  }

  /** Puts an attempt in line, in due order. */
  stand(ticket: Ticket): void {
    const counts = this.#counted();
    const { jobId, attempt, dueAt, timeoutSeconds } = ticket;
    if (this.#isInLine(ticket)) return;
    this.#sql.exec("INSERT INTO line VALUES (?, ?, ?, ?)", dueAt, jobId, attempt, timeoutSeconds);
    counts.waiting++;
  }

  #isInLine({ dueAt, jobId, attempt }: Ticket): boolean {
    const [held] = this.#all("SELECT attempt FROM line WHERE due_at = ? AND job_id = ?", dueAt, jobId);
    if (held?.attempt === attempt) return true;
    if (held) this.leave({ dueAt, jobId });
    return false;
  }

  leave({ dueAt, jobId }: Pick<Ticket, "dueAt" | "jobId">): boolean {
    const counts = this.#counted();
    const gone =
      this.#all("DELETE FROM line WHERE due_at = ? AND job_id = ? RETURNING 1 AS one", dueAt, jobId).length > 0;
    if (gone) counts.waiting--;
    return gone;
  }

  slotOf(jobId: string): Slot | undefined {
    const [row] = this.running === 0 ? [] : this.#all("SELECT * FROM slots WHERE job_id = ?", jobId);
    return row && slotOf(row);
  }

  /** A lower bound for the next slot check. */
  get nextCheck(): number {
    this.#nextCheck ??= Number(this.#all("SELECT min(check_at) AS at FROM slots")[0]?.at ?? Number.MAX_SAFE_INTEGER);
    return this.#nextCheck;
  }

  /** Gives an attempt a slot; its place in line, if it has one, is free. */
  grant(ticket: Ticket, now: number, checkAt: number): void {
    const counts = this.#counted();
    const { jobId, attempt, dueAt, timeoutSeconds } = ticket;
    this.leave(ticket);
    const endsAt = now + timeoutSeconds * 1_000 + UNREACHABLE_MS;
    this.#sql.exec(
      "INSERT INTO slots VALUES (?, ?, ?, ?, ?, ?, ?)",
      jobId,
      attempt,
      dueAt,
      timeoutSeconds,
      checkAt,
      endsAt,
      now,
    );
    counts.running++;
    this.#nextCheck = Math.min(this.nextCheck, checkAt);
  }

  /** Extends a slot to the end that its owner gave. */
  extend(jobId: string, attempt: number, until: number): void {
    const checks = "UPDATE slots SET check_at = ?, ends_at = max(ends_at, ?) WHERE job_id = ? AND attempt = ?";
    this.#nextCheck = undefined;
    this.#sql.exec(checks, until, until + UNREACHABLE_MS, jobId, attempt);
  }

  /** Its start is counted from this moment on. */
  startsAt(jobId: string, at: number): void {
    this.#sql.exec("UPDATE slots SET granted_at = ? WHERE job_id = ?", at, jobId);
  }

  checkLater(jobId: string, attempt: number, at: number): void {
    this.#nextCheck = Math.min(this.nextCheck, at);
    this.#sql.exec("UPDATE slots SET check_at = ? WHERE job_id = ? AND attempt = ?", at, jobId, attempt);
  }

  /** @returns since when this attempt held it; undefined: it did not */
  free(jobId: string, attempt: number): number | undefined {
    const counts = this.#counted();
    const [freed] = this.#all(
      "DELETE FROM slots WHERE job_id = ? AND attempt = ? RETURNING granted_at",
      jobId,
      attempt,
    );
    if (freed === undefined) return undefined;
    counts.running--;
    return Number(freed.granted_at);
  }

  /** The slots whose owners have to be asked. */
  toCheck(now: number, most: number): Slot[] {
    if (this.running === 0) return [];
    this.#nextCheck = undefined;
    return this.#all("SELECT * FROM slots WHERE check_at <= ? ORDER BY check_at LIMIT ?", now, most).map(slotOf);
  }

  /** Resets this object's memory after its storage was deleted. */
  forget(): void {
    this.#counts = undefined;
    this.#hasTables = false;
    this.#nextCheck = undefined;
  }

  #counted() {
    this.#counts ??= {
      waiting: Number(this.#all("SELECT count(*) AS n FROM line")[0]?.n ?? 0),
      running: Number(this.#all("SELECT count(*) AS n FROM slots")[0]?.n ?? 0),
    };
    return this.#counts;
  }

  #all(statement: string, ...values: SqlStorageValue[]): Row[] {
    if (!this.#hasTables) this.#makeTables();
    return this.#sql.exec(statement, ...values).toArray();
  }

  #makeTables(): void {
    this.#hasTables = true;
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS line (
      due_at INTEGER NOT NULL, job_id TEXT NOT NULL, attempt INTEGER NOT NULL, timeout INTEGER NOT NULL,
      PRIMARY KEY (due_at, job_id)) WITHOUT ROWID`);
    this.#sql.exec(`CREATE TABLE IF NOT EXISTS slots (
      job_id TEXT PRIMARY KEY, attempt INTEGER NOT NULL, due_at INTEGER NOT NULL, timeout INTEGER NOT NULL,
      check_at INTEGER NOT NULL, ends_at INTEGER NOT NULL, granted_at INTEGER NOT NULL) WITHOUT ROWID`);
  }
}

const ticketOf = (row: Row): Ticket => ({
  jobId: String(row.job_id),
  attempt: Number(row.attempt),
  dueAt: Number(row.due_at),
  timeoutSeconds: Number(row.timeout),
});

const slotOf = (row: Row): Slot => ({
  ...ticketOf(row),
  checkAt: Number(row.check_at),
  grantedAt: Number(row.granted_at),
  endsAt: Number(row.ends_at),
});
