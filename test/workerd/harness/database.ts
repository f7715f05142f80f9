// D1 on a bad day, for routes and objects alike.

import { env } from "cloudflare:workers";
import { vi } from "vitest";

export const OVERLOADED = "D1_ERROR: D1 DB is overloaded. Too many requests queued.";

/** After these D1's callers send a statement again. */
export const LOST = "D1_ERROR: Network connection lost.";

export interface Outage {
  end(): void;
}

/** D1 refuses everything, in words that hold what must not get out. */
export const databaseDown = (words: string = OVERLOADED): Outage => outage(() => Promise.reject(new Error(words)));

/** D1 takes every query and says nothing. */
export const databaseHangs = (database: D1Database = env.DB): Outage => outage(() => new Promise(() => {}), database);

/** D1 does everything it is asked, but only after a while. What was begun goes on after the end. */
export function databaseSlow(ms: number): Outage {
  const prepare = env.DB.prepare.bind(env.DB);
  const batch = env.DB.batch.bind(env.DB);
  const later = async <T>(ask: () => Promise<T>): Promise<T> => {
    await new Promise((resolve) => setTimeout(resolve, ms));
    return ask();
  };
  const spies = [
    vi.spyOn(env.DB, "prepare").mockImplementation((query) => through(prepare(query), later)),
    vi.spyOn(env.DB, "batch").mockImplementation((statements) => later(() => batch<never>(statements))),
  ];
  return { end: () => spies.forEach((spy) => void spy.mockRestore()) };
}

/** D1 does what the next query beginning like this asks, and its answer is lost. */
export function answerLost(
  start: string,
  words: string,
  { times = 1, blind = false }: { times?: number /** Nothing can be read either. */; blind?: boolean } = {},
): Outage {
  const prepare = env.DB.prepare.bind(env.DB);
  const batch = env.DB.batch.bind(env.DB);
  const lost = new WeakSet<D1PreparedStatement>();
  const refused = new WeakSet<D1PreparedStatement>();
  let left = times;
  const lose = async <T>(ask: () => Promise<T>): Promise<T> => {
    const answer = await ask();
    if (left-- > 0) throw new Error(words);
    return answer;
  };
  const spies = [
    vi.spyOn(env.DB, "prepare").mockImplementation((query) => {
      if (query.startsWith(start)) return through(prepare(query), lose, lost);
      if (!blind || !query.startsWith("select")) return prepare(query);
      const nothing = silent(() => Promise.reject(new Error(words)));
      refused.add(nothing);
      return nothing;
    }),
    vi.spyOn(env.DB, "batch").mockImplementation(async (statements) => {
      const isWrite = statements.some((one) => lost.has(one));
      if (!isWrite && statements.some((one) => refused.has(one))) throw new Error(words);
      const ask = () => batch<never>(statements.filter((one) => !refused.has(one)));
      return isWrite ? lose(ask) : ask();
    }),
  ];
  return { end: () => spies.forEach((spy) => void spy.mockRestore()) };
}

export interface Late {
  /** D1 does it now. */
  apply(): Promise<void>;
}

/** D1 gives no answer to the next query beginning like this, and does what it asks when the test says so. */
export function appliedLate(start: string, words: string = LOST): Late {
  const prepare = env.DB.prepare.bind(env.DB);
  const batch = env.DB.batch.bind(env.DB);
  const ours = new WeakSet<D1PreparedStatement>();
  let kept: (() => Promise<unknown>) | undefined;
  const keep = <T>(ask: () => Promise<T>): Promise<T> => {
    if (kept) return ask();
    kept = ask;
    return Promise.reject(new Error(words));
  };
  const spies = [
    vi
      .spyOn(env.DB, "prepare")
      .mockImplementation((query) => (query.startsWith(start) ? through(prepare(query), keep, ours) : prepare(query))),
    vi.spyOn(env.DB, "batch").mockImplementation((statements) => {
      const ask = () => batch<never>(statements);
      return statements.some((one) => ours.has(one)) ? keep(ask) : ask();
    }),
  ];
  return {
    apply: async () => {
      for (const spy of spies) spy.mockRestore();
      if (!kept) throw new Error("nothing like this was asked for");
      await kept();
    },
  };
}

/** The statement, which asks D1 in another way; `marked` holds it then, bound or not. */
function through(
  statement: D1PreparedStatement,
  how: <T>(ask: () => Promise<T>) => Promise<T>,
  marked?: WeakSet<D1PreparedStatement>,
): D1PreparedStatement {
  const proxy = new Proxy(statement, {
    get(target, name: keyof D1PreparedStatement) {
      if (name === "bind") return (...values: unknown[]) => through(target.bind(...values), how, marked);
      const asked: unknown = target[name]; // a batch reads what the statement holds
      return typeof asked === "function" ? (...values: never[]) => how(() => asked.apply(target, values)) : asked;
    },
  });
  marked?.add(proxy);
  return proxy;
}

function outage(answer: () => Promise<never>, database: D1Database = env.DB): Outage {
  const spies = [
    vi.spyOn(database, "prepare").mockImplementation(() => silent(answer)),
    vi.spyOn(database, "batch").mockImplementation(answer),
  ];
  return { end: () => spies.forEach((spy) => void spy.mockRestore()) };
}

function silent(answer: () => Promise<never>): D1PreparedStatement {
  const statement = { bind: () => statement, all: answer, raw: answer, run: answer, first: answer };
  return statement as unknown as D1PreparedStatement;
}
