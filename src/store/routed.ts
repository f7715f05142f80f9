// A database that is found when the first statement is sent to it.

import { drizzle } from "drizzle-orm/d1";
import type { Database } from "./store.ts";

interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** @param find rejects while it cannot be told which database it is: then the statement fails, and nothing was sent */
export function routed(find: () => Promise<D1Database>): Database {
  const database: Pick<D1Database, "prepare" | "batch"> = {
    prepare: (sql) => new Routed({ sql, values: [] }, find),
    batch: async <T>(statements: D1PreparedStatement[]) => {
      const found = await find();
      return found.batch<T>(statements.filter((one) => one instanceof Routed).map((one) => one.at(found)));
    },
  };
  return drizzle(database as D1Database);
}

class Routed implements D1PreparedStatement {
  readonly #statement: Statement;
  readonly #find: () => Promise<D1Database>;

  constructor(statement: Statement, find: () => Promise<D1Database>) {
    this.#statement = statement;
    this.#find = find;
  }

  at(database: D1Database): D1PreparedStatement {
    const { sql, values } = this.#statement;
    return values.length > 0 ? database.prepare(sql).bind(...values) : database.prepare(sql);
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new Routed({ ...this.#statement, values }, this.#find);
  }

  async all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.at(await this.#find()).all<T>();
  }

  async run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.at(await this.#find()).run<T>();
  }

  async first<T = Record<string, unknown>>(column?: string): Promise<T | null> {
    const statement = this.at(await this.#find());
    return column === undefined ? statement.first<T>() : statement.first<T>(column);
  }

  async raw<T = unknown[]>(): Promise<[string[], ...T[]] & T[]> {
    return (await this.at(await this.#find()).raw<T>()) as [string[], ...T[]] & T[];
  }
}
