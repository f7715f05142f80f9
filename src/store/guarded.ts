// A database that answers for an account only while the account lives there. Before each statement, in the same transaction, it looks how
// the account stands: so neither a caller who has not heard of a move nor a statement that is applied late is believed.

import { drizzle } from "drizzle-orm/d1";
import { sharedName } from "./column-names.ts";
import { mayRead, mayWrite } from "./move-stages.ts";
import { type Database, MOVING, SHARED_NAME } from "./store.ts";

interface Statement {
  readonly sql: string;
  readonly values: readonly unknown[];
}

/** The account that the statements are about, and where it lives. */
export interface Residence {
  readonly accountId: string;
  /** Rejects while it cannot be told which database it is: then the statement fails, and nothing was sent. */
  readonly find: () => Promise<D1Database>;
  /** Looks it up again: what was found has refused. */
  readonly renew: () => Promise<unknown>;
}

/** The database is found when the first statement is sent to it. */
export function guarded(residence: Residence): Database {
  const database: Pick<D1Database, "prepare" | "batch"> = {
    prepare: (sql) => new Guarded({ sql, values: [] }, residence),
    batch: <T>(statements: D1PreparedStatement[]) => {
      const own = statements.filter((one) => one instanceof Guarded);
      return run<T>(
        residence,
        own.map(({ statement }) => statement),
      );
    },
  };
  return drizzle(database as D1Database);
}

class Guarded implements D1PreparedStatement {
  readonly statement: Statement;
  readonly #residence: Residence;

  constructor(statement: Statement, residence: Residence) {
    this.statement = statement;
    this.#residence = residence;
  }

  bind(...values: unknown[]): D1PreparedStatement {
    return new Guarded({ ...this.statement, values }, this.#residence);
  }

  async all<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    const [result] = await run<T>(this.#residence, [this.statement]);
    if (!result) throw new Error("D1 has answered a batch without its results");
    return result;
  }

  run<T = Record<string, unknown>>(): Promise<D1Result<T>> {
    return this.all<T>();
  }

  async first<T = Record<string, unknown>>(column?: string): Promise<T | null> {
    const [row] = (await this.all<Record<string, unknown>>()).results;
    return ((column === undefined ? row : row?.[column]) ?? null) as T | null;
  }

  /** Values in the order of their columns, which a batch has by name. */
  async raw<T = unknown[]>(): Promise<[string[], ...T[]] & T[]> {
    const { results } = await this.all<Record<string, unknown>>();
    return results.map((row) => Object.values(row)) as [string[], ...T[]] & T[];
  }
}

/** Once more elsewhere, if the account has left the database that was found. */
async function run<T>(residence: Residence, statements: readonly Statement[]): Promise<D1Result<T>[]> {
  const database = await residence.find();
  try {
    return await runAt(database, residence.accountId, statements);
  } catch (thrown) {
    if (!isMoving(thrown)) throw thrown;
    await residence.renew();
    const present = await residence.find();
    if (present === database) throw thrown;
    return runAt(present, residence.accountId, statements);
  }
}

/** Texts whose columns have a name each. */
const distinct = new Set<string>();
const MAX_DISTINCT = 2_000;

/** A batch gives rows by the names of their columns: of two that share one, the first would be lost. @throws for such a statement */
function mustBeDistinct(sql: string): void {
  if (distinct.has(sql)) return;
  const name = sharedName(sql);
  if (name !== undefined) throw new Error(`${SHARED_NAME}: ${name}`);
  if (distinct.size >= MAX_DISTINCT) distinct.clear();
  distinct.add(sql);
}

async function runAt<T>(
  database: D1Database,
  accountId: string,
  statements: readonly Statement[],
): Promise<D1Result<T>[]> {
  for (const { sql } of statements) mustBeDistinct(sql);
  const isReading = statements.every(({ sql }) => READS.test(sql));
  const guard = database.prepare(isReading ? MAY_READ : MAY_WRITE).bind(JSON.stringify([accountId]));
  const own = statements.map(({ sql, values }) =>
    values.length > 0 ? database.prepare(sql).bind(...values) : database.prepare(sql),
  );
  const [, ...results] = await database.batch<T>([guard, ...own]);
  return results;
}

const READS = /^\s*select\b/i;

/** A database that nothing is sent to: of the guards the text is wanted. */
const NOWHERE = drizzle({} as D1Database);

const MAY_READ = mayRead(NOWHERE, []).toSQL().sql;
const MAY_WRITE = mayWrite(NOWHERE, []).toSQL().sql;

const isMoving = (thrown: unknown): boolean => thrown instanceof Error && thrown.message.includes(MOVING);
