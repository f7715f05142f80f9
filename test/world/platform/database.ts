// D1: one SQLite database, one statement or batch after the other. It may be slow, hang, refuse, be away, and do what it is asked
// although it answers with an error.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { presentContext } from "./context.ts";
import type { SqlValue } from "./stored-object.ts";
import type { Timeline } from "./timeline.ts";

const MIGRATIONS = join(import.meta.dirname, "../../../migrations");

/** What befalls one call. */
export interface QueryFate {
  /** Milliseconds on the way, at work, and back. A call that is late on its way is applied when it comes. */
  readonly there: number;
  /** A function is asked when the statements have been applied: what they cost depends on what they did. */
  readonly work: number | ((done: Done) => number);
  readonly back: number;
  /** Calls beyond so many that wait are refused. */
  readonly mayWait?: number;
  /**
   * - `away`: nothing is done, an error is answered
   * - `unheard`: nothing is done, nothing is answered
   * - `overloaded`: refused
   * - `answer-lost`: it is done, and an error is answered
   * - `cut-off`: an error is answered while it is still on its way, and then it is done
   * - `silent`: it is done, and nothing is answered
   */
  readonly fault: "away" | "unheard" | "overloaded" | "answer-lost" | "cut-off" | "silent" | null;
}

/** One call, as it was applied. */
export interface Done {
  readonly statements: number;
  readonly rowsWritten: number;
  readonly isWrite: boolean;
}

interface Statement {
  readonly sql: string;
  readonly values: readonly SqlValue[];
  /** Rows as arrays: two columns of one name stay two. */
  readonly asArrays?: boolean;
}

type Row = Record<string, SqlValue>;

/** D1 counts what a statement has read and written. */
interface Result {
  readonly success: true;
  readonly results: Row[];
  readonly meta: { readonly changes: number; readonly rows_written: number };
}

const ERRORS = {
  away: "D1_ERROR: Network connection lost.",
  overloaded: "D1_ERROR: D1 DB is overloaded. Too many requests queued.",
  "answer-lost": "D1_ERROR: Network connection lost.",
} as const;

export class D1 {
  readonly db = new DatabaseSync(":memory:");
  /** Rows of tables that were written, by the first words of the statement. */
  readonly written = new Map<string, number>();
  readonly #timeline: Timeline;
  readonly #fate: (context: string, sql: string) => QueryFate;
  readonly #prepared = { objects: new Map<string, StatementSync>(), arrays: new Map<string, StatementSync>() };
  readonly #changes = this.db.prepare("SELECT changes() AS n");
  /** When the statements that have come by now will be done. */
  #freeAt = 0;
  /** Calls whose cost is known once they are applied: one after the other. */
  readonly #line: (() => void)[] = [];

  constructor(timeline: Timeline, fate: (context: string, sql: string) => QueryFate) {
    this.#timeline = timeline;
    this.#fate = fate;
    for (const file of readdirSync(MIGRATIONS)
      .filter((name) => name.endsWith(".sql"))
      .sort())
      this.db.exec(readFileSync(join(MIGRATIONS, file), "utf8").replaceAll("--> statement-breakpoint", ""));
  }

  /** When it has done what it was asked so far: what nobody waits for any more as well. */
  get freeAt(): number {
    return this.#freeAt;
  }

  /** As code in an isolate sees it. */
  binding() {
    return {
      prepare: (sql: string) => this.#statement(sql, []),
      batch: (statements: readonly Statement[]) => this.#ask(statements, (results) => results),
    };
  }

  #statement(sql: string, values: readonly SqlValue[]) {
    const asked: Statement = { sql, values };
    return {
      ...asked,
      bind: (...given: unknown[]) => this.#statement(sql, given.map(sqlValue)),
      all: () => this.#ask([asked], ([result]) => result),
      run: () => this.#ask([asked], ([result]) => result),
      raw: () => this.#ask([{ ...asked, asArrays: true }], ([result]) => result?.results),
      first: () => this.#ask([asked], ([result]) => result?.results[0] ?? null),
    };
  }

  #ask<T>(statements: readonly Statement[], shown: (results: Result[]) => T): Promise<T> {
    const context = presentContext();
    return context.ask((answer, fail) => {
      const fate = this.#fate(context.name, statements[0]?.sql ?? "");
      const timeline = this.#timeline;
      const { fault, work, mayWait = Number.POSITIVE_INFINITY } = fate;
      if (fault === "unheard") return;
      if (fault === "cut-off") timeline.after(fate.back, () => fail(new Error(ERRORS["answer-lost"])));
      timeline.after(fate.there, () => {
        const isFull = this.#line.length > mayWait;
        const refusal =
          fault === "away" ? ERRORS[fault] : fault === "overloaded" || isFull ? ERRORS.overloaded : undefined;
        if (refusal) {
          timeline.after(fate.back, () => fail(new Error(refusal)));
          return;
        }
        const reply = (outcome: Result[] | Error) => {
          if (fault === "silent" || fault === "cut-off") return;
          timeline.after(fate.back, () => {
            if (fault === "answer-lost") fail(new Error(ERRORS[fault]));
            else if (outcome instanceof Error) fail(outcome);
            else answer(shown(outcome));
          });
        };
        if (typeof work === "number") {
          this.#freeAt = Math.max(this.#freeAt, timeline.now) + work;
          timeline.at(this.#freeAt, () => reply(this.#apply(statements)));
        } else this.#stand(statements, work, reply);
      });
    });
  }

  /** Applied when those before it are done, and answered when that has taken its time. */
  #stand(statements: readonly Statement[], work: (done: Done) => number, reply: (outcome: Result[] | Error) => void) {
    const begin = () => {
      const outcome = this.#apply(statements);
      this.#timeline.after(work(doneOf(statements, outcome)), () => {
        this.#line.shift();
        reply(outcome);
        this.#line[0]?.();
      });
    };
    this.#line.push(begin);
    if (this.#line.length === 1) begin();
  }

  /** All of them or none. */
  #apply(statements: readonly Statement[]): Result[] | Error {
    try {
      if (statements.length > 1) this.db.exec("BEGIN");
      const results = statements.map((statement) => this.#run(statement));
      if (statements.length > 1) this.db.exec("COMMIT");
      return results;
    } catch (thrown) {
      if (this.db.isTransaction) this.db.exec("ROLLBACK");
      return new Error(`D1_ERROR: ${(thrown as Error).message}: SQLITE_ERROR`);
    }
  }

  #run({ sql, values, asArrays = false }: Statement): Result {
    const prepared = this.#prepared[asArrays ? "arrays" : "objects"];
    const statement = prepared.get(sql) ?? this.db.prepare(sql);
    if (!prepared.has(sql)) {
      statement.setReturnArrays(asArrays);
      prepared.set(sql, statement);
    }
    const isWrite = !isRead(sql);
    const results = statement.all(...values) as Row[];
    const changes = isWrite ? Number(this.#changes.get()?.n) : 0;
    if (changes > 0) {
      const kind = kindOf(sql);
      this.written.set(kind, (this.written.get(kind) ?? 0) + changes);
    }
    return { success: true, results, meta: { changes, rows_written: changes } };
  }
}

const isRead = (sql: string): boolean => sql.startsWith("select") || sql.startsWith("SELECT");

function doneOf(statements: readonly Statement[], outcome: Result[] | Error): Done {
  const results = outcome instanceof Error ? [] : outcome;
  return {
    statements: statements.length,
    rowsWritten: results.reduce((sum, { meta }) => sum + meta.rows_written, 0),
    isWrite: !statements.every(({ sql }) => isRead(sql)),
  };
}

const kinds = new Map<string, string>();

/** "update jobs", "insert executions" … */
function kindOf(sql: string): string {
  const known = kinds.get(sql);
  if (known) return known;
  const [, verb = "", table = ""] = /^\s*(\w+)(?:\s+(?:into|from))?\s+"?(\w+)/i.exec(sql) ?? [];
  const kind = `${verb.toLowerCase()} ${table}`;
  kinds.set(sql, kind);
  return kind;
}

function sqlValue(value: unknown): SqlValue {
  if (typeof value === "boolean") return value ? 1 : 0;
  if (value === undefined) throw new Error("D1_TYPE_ERROR: Type 'undefined' not supported for value 'undefined'");
  return value as SqlValue;
}
