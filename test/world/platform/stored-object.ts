// What is on disk of one object: its values, its tables, its alarm. Writes with no await between them are one commit. A commit is
// confirmed a little later; when the instance dies before that, it may be gone, with all commits behind it.

import { DatabaseSync } from "node:sqlite";
import { deserialize, serialize } from "node:v8";

/** Takes one write back. */
type Undo = () => void;

interface Commit {
  readonly undo: Undo[];
  /** Statements that a copy of the tables has to repeat. */
  readonly statements: Statement[];
  /** Whether what leaves the object waits for it. */
  gates: boolean;
}

interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
}

export type SqlValue = string | number | bigint | null | Uint8Array;

/** When the platform is to ring, and how often the handler has failed. */
export interface Alarm {
  readonly at: number;
  readonly retryCount: number;
}

export class StoredObject {
  readonly values = new Map<string, Buffer>();
  alarm: Alarm | null = null;
  /** The one whose handler runs: kept until it returns, and not shown meanwhile. */
  ringing: Alarm | null = null;
  #tables: DatabaseSync | null = null;
  /** The tables without what is not confirmed. */
  #confirmedTables: DatabaseSync | null = null;
  #commits: Commit[] = [];
  #open: Commit | null = null;
  /** Called when a commit begins: it ends with the present turn. */
  onCommit: (() => void) | null = null;
  /** Called when the alarm is another one. */
  onAlarm: (() => void) | null = null;
  /** Rows written, as the platform bills them. */
  rowsWritten = 0;

  get isEmpty(): boolean {
    return this.values.size === 0 && this.alarm === null && this.ringing === null && !this.hasTables;
  }

  get hasTables(): boolean {
    return this.#tables !== null && this.exec("SELECT 1 FROM sqlite_master LIMIT 1").length > 0;
  }

  get(key: string): unknown {
    const bytes = this.values.get(key);
    return bytes && deserialize(bytes);
  }

  put(key: string, value: unknown, gates = true): void {
    const before = this.values.get(key);
    const commit = this.#begin(gates);
    commit.undo.push(() => this.#restore(key, before));
    this.values.set(key, serialize(value));
    this.rowsWritten += 1;
  }

  delete(key: string): boolean {
    const before = this.values.get(key);
    if (!before) return false;
    this.#begin().undo.push(() => this.#restore(key, before));
    this.values.delete(key);
    this.rowsWritten += 1;
    return true;
  }

  /** Replaces the one whose handler runs as well. */
  setAlarm(alarm: Alarm | null, gates = true): void {
    const { alarm: before, ringing } = this;
    this.#begin(gates).undo.push(() => {
      this.alarm = before;
      this.ringing = ringing;
    });
    this.alarm = alarm;
    this.ringing = null;
    this.rowsWritten += 1;
    this.onAlarm?.();
  }

  /** Values, tables and the alarm. */
  deleteAll(): void {
    for (const key of [...this.values.keys()]) this.delete(key);
    if (this.alarm || this.ringing) this.setAlarm(null);
    if (!this.#tables) return;
    const names = this.exec("SELECT name FROM sqlite_master WHERE type = 'table'");
    for (const { name } of names) this.exec(`DROP TABLE "${name}"`);
  }

  exec(sql: string, values: readonly SqlValue[] = []): Record<string, SqlValue>[] {
    this.#tables ??= new DatabaseSync(":memory:");
    const isWrite = /^\s*(insert|update|delete|create|drop|replace|alter)/i.test(sql);
    const rows = this.#tables.prepare(sql).all(...values) as Record<string, SqlValue>[];
    if (isWrite) {
      this.#begin().statements.push({ sql, values });
      this.rowsWritten += 1;
    }
    return rows;
  }

  /** Whether a commit has begun, and whether what leaves waits for it. */
  get open(): { readonly gates: boolean } | null {
    return this.#open;
  }

  /** Ends the commit of this turn. */
  seal(): void {
    if (this.#open) this.#commits.push(this.#open);
    this.#open = null;
  }

  /** The oldest commit is on disk for good. */
  confirm(): void {
    const commit = this.#commits.shift();
    if (!commit || commit.statements.length === 0) return;
    this.#confirmedTables ??= new DatabaseSync(":memory:");
    for (const { sql, values } of commit.statements) this.#confirmedTables.prepare(sql).all(...values);
  }

  get unconfirmed(): number {
    return this.#commits.length + (this.#open ? 1 : 0);
  }

  /**
   * The instance is gone.
   *
   * @param kept how many of the commits that are not confirmed have come to disk all the same
   */
  crash(kept: number): void {
    this.seal();
    for (let i = 0; i < kept; i++) this.confirm();
    const lost = this.#commits.splice(0);
    for (const commit of lost.reverse()) for (const undo of commit.undo.reverse()) undo();
    if (lost.some(({ statements }) => statements.length > 0)) this.#tables = copyOf(this.#confirmedTables);
    this.onCommit = null;
    this.onAlarm?.();
  }

  #begin(gates = true): Commit {
    if (!this.#open) {
      this.#open = { undo: [], statements: [], gates: false };
      this.onCommit?.();
    }
    if (gates) this.#open.gates = true;
    return this.#open;
  }

  #restore(key: string, bytes: Buffer | undefined): void {
    if (bytes) this.values.set(key, bytes);
    else this.values.delete(key);
  }
}

function copyOf(tables: DatabaseSync | null): DatabaseSync | null {
  if (!tables) return null;
  const copy = new DatabaseSync(":memory:");
  const made = tables.prepare("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").all();
  for (const { name, sql } of made as { name: string; sql: string }[]) {
    copy.exec(sql);
    const rows = tables.prepare(`SELECT * FROM "${name}"`).all() as Record<string, SqlValue>[];
    for (const row of rows) {
      const values = Object.values(row);
      copy.prepare(`INSERT INTO "${name}" VALUES (${values.map(() => "?").join(", ")})`).run(...values);
    }
  }
  return copy;
}
