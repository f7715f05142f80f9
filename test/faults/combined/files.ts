// The files of several databases, as another process sees them: one can be kept locked, and what each holds of an account can be counted.

import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import type { MoveStage } from "../../../src/domain/account-move.ts";
import { MOVED } from "../../../src/store/moved-tables.ts";
import { databaseFiles } from "../../harness/database-files.ts";

/** Which tables hold rows of an account in a database, and how the account stands there. */
export interface Found {
  readonly tables: readonly string[];
  readonly isListed: boolean;
  readonly stage: MoveStage | null;
}

export class Files {
  readonly #paths: readonly string[];

  private constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** @param residents an account of each database, in the order of their numbers */
  static of(state: string, residents: readonly string[]): Files {
    const paths = databaseFiles(state);
    const directory = paths.find((path) => read(path, "SELECT 1 FROM api_keys LIMIT 1", []).length > 0);
    const homes = residents.map((id, number) => {
      if (number === 0) return directory;
      return paths.find(
        (path) => path !== directory && read(path, "SELECT 1 FROM accounts WHERE id = ?", [id]).length > 0,
      );
    });
    return new Files(homes.map((path, number) => path ?? missing(number)));
  }

  get numbers(): number[] {
    return [...this.#paths.keys()];
  }

  /** Keeps a database locked, as soon as it is not being written. @returns ends that */
  async lock(number: number): Promise<() => void> {
    const lock = new DatabaseSync(this.#path(number));
    while (!locked(lock)) await sleep(1);
    return () => {
      lock.exec("ROLLBACK");
      lock.close();
    };
  }

  stageOf(number: number, accountId: string): MoveStage | null {
    const [row] = read(this.#path(number), "SELECT stage FROM account_moves WHERE account_id = ?", [accountId]);
    return (row?.stage as MoveStage | undefined) ?? null;
  }

  /** Whether the directory says that the account moves. */
  isMoving(accountId: string): boolean {
    const sql = "SELECT 1 FROM accounts WHERE id = ? AND moving_to IS NOT NULL";
    return read(this.#path(0), sql, [accountId]).length > 0;
  }

  find(number: number, accountId: string): Found {
    const path = this.#path(number);
    const holds = (table: string) =>
      read(path, `SELECT 1 FROM ${table} WHERE account_id = ? LIMIT 1`, [accountId]).length > 0;
    return {
      tables: MOVED.map(({ name }) => name).filter(holds),
      isListed: read(path, "SELECT 1 FROM accounts WHERE id = ?", [accountId]).length > 0,
      stage: this.stageOf(number, accountId),
    };
  }

  #path(number: number): string {
    return this.#paths[number] ?? missing(number);
  }
}

function missing(number: number): never {
  throw new Error(`there is no file of database ${number}`);
}

function locked(db: DatabaseSync): boolean {
  try {
    db.exec("BEGIN EXCLUSIVE");
    return true;
  } catch {
    return false; // somebody is writing
  }
}

function read(path: string, sql: string, values: readonly string[]): Record<string, unknown>[] {
  const db = new DatabaseSync(path, { readOnly: true });
  try {
    return db.prepare(sql).all(...values);
  } finally {
    db.close();
  }
}
