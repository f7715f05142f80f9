// Kills an object at the n-th call it makes to the world outside: to D1, to the signing key, to the target, to another object,
// to a queue, or to empty its own storage. The calls are those it must wait for, so between two of them nothing can come in.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** The instance dies before the call is made, or when it has been made and its answer is on its way. */
export interface Moment {
  readonly call: number;
  readonly side: "before" | "after";
}

/** A row of a table: the call's number and its name, and on which side of it the instance dies. */
export type Point = Moment & { readonly point: string };

/** Both sides of each call. */
export const momentsOf = (points: readonly string[]): Point[] =>
  points.flatMap((point, i) => (["before", "after"] as const).map((side) => ({ point, call: i + 1, side })));

/** A real call leaves only when what was written before it is on disk: a death is given the time for that, too. */
const FLUSH_MS = 5;

type AnyCall = (...values: never[]) => Promise<unknown>;
type Around = (point: string, call: AnyCall) => AnyCall;

/** Kinds of objects, and what a call to one is named in the table. */
const OBJECTS = { PULL_QUEUES: "polls", PROJECTORS: "report", JOBS: "job", FLOWS: "flow" } as const;

/** All that are bound. */
const databases = (): D1Database[] =>
  Object.entries(env as unknown as Record<string, D1Database>).flatMap(([name, one]) =>
    /^DB(_\d+)?$/.test(name) ? [one] : [],
  );

export class Tripwire {
  readonly passed: string[] = [];
  hasKilled = false;
  readonly #undo: (() => void)[] = [];
  readonly #asked: readonly (keyof typeof OBJECTS)[];
  /** The projector writes on its own: while one is asked, batches are not the owner's. */
  #reports = 0;

  /** @param asked the kinds of objects that the one under test calls */
  constructor(...asked: readonly (keyof typeof OBJECTS)[]) {
    this.#asked = asked;
  }

  /**
   * @param owner the object whose calls these are: nobody else must be at work
   * @param moment null only counts
   * @param counted the calls that count; all unless others are at work as well
   */
  async watch(owner: DurableObjectStub<undefined>, moment: Moment | null, counted?: readonly string[]): Promise<void> {
    this.passed.length = 0;
    this.hasKilled = false;
    const state = await runInDurableObject(owner, (_, inside) => inside);
    const kill = (): never => {
      this.hasKilled = true;
      state.abort("killed, as the test ordered");
      throw new Error("unreachable");
    };
    const around =
      (name: string, call: AnyCall): AnyCall =>
      async (...values) => {
        if (counted && !counted.includes(name)) return call(...values);
        this.passed.push(name);
        const isIt = this.passed.length === moment?.call && !this.hasKilled;
        if (isIt && moment.side === "before") await scheduler.wait(FLUSH_MS).then(kill);
        const answer = await call(...values);
        if (isIt || name === "target") await scheduler.wait(FLUSH_MS);
        if (isIt) kill();
        return answer;
      };
    for (const database of databases()) this.#wrapD1(database, around);
    for (const binding of this.#asked) this.#wrapObjects(env[binding], OBJECTS[binding], around, state.id.name);
    this.#wrap(globalThis, "fetch", "target", around);
    this.#wrap(state.storage, "deleteAll", "erase", around);
    this.#wrap(env.EXECUTIONS, "send", "offer", around);
    this.#wrap(crypto.subtle, "sign", "sign", around);
    this.#wrap(crypto.subtle, "deriveBits", "sign", around);
    this.#wrap(crypto.subtle, "importKey", "sign", around);
  }

  remove(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  /** @param self the object itself, which the test calls and which does not call itself */
  #wrapObjects(namespace: object, point: string, around: Around, self: string | undefined): void {
    const getByName = Reflect.get(namespace, "getByName").bind(namespace);
    const call = (stub: object, method: string | symbol) =>
      around(point, async (...values: never[]) => {
        if (point === "report") this.#reports += 1;
        try {
          return await Reflect.get(stub, method)(...values);
        } finally {
          if (point === "report") this.#reports -= 1;
        }
      });
    const watched = (stub: object) => new Proxy(stub, { get: call });
    this.#replace(namespace, "getByName", (...named: unknown[]) =>
      named[0] === self ? getByName(...named) : watched(getByName(...named)),
    );
  }

  #wrap<T extends object>(owner: T, name: keyof T & string, point: string, around: Around): void {
    this.#replace(owner, name, around(point, (owner[name] as AnyCall).bind(owner)));
  }

  #wrapD1(database: D1Database, around: Around): void {
    const prepare = database.prepare.bind(database);
    const batch = database.batch.bind(database) as AnyCall;
    const watched = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get(target, name: keyof D1PreparedStatement) {
          if (name === "bind") return (...values: unknown[]) => watched(target.bind(...values));
          const asked: unknown = target[name]; // a batch reads what the statement holds
          return typeof asked === "function" ? around("D1", asked.bind(target)) : asked;
        },
      });
    const counted = around("batch", batch);
    this.#replace(database, "prepare", (query: string) => watched(prepare(query)));
    this.#replace(database, "batch", (...values: never[]) => (this.#reports > 0 ? batch : counted)(...values));
  }

  /** Over whatever stands there, a spy included, and back again. */
  #replace(owner: object, name: string, value: unknown): void {
    const before = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
    this.#undo.push(() => {
      if (before) Object.defineProperty(owner, name, before);
      else Reflect.deleteProperty(owner, name);
    });
  }
}
