// An object in memory: its storage as its code sees it, and the gate that holds back what leaves until the writes before it are on disk.

import { Context } from "./context.ts";
import type { Isolate } from "./isolate.ts";
import type { ObjectsAround } from "./object-fates.ts";
import type { SqlValue, StoredObject } from "./stored-object.ts";
import type { Event } from "./timeline.ts";

/** An instance that nothing happens to is taken out of memory. */
const IDLE_MS = 10_000;

/** An object in memory. */
export class Instance extends Context {
  readonly plainName: string;
  /** By its own code, or a block that threw. */
  isAborted = false;
  held: Record<string, unknown> = {};
  readonly #stored: StoredObject;
  readonly #around: ObjectsAround;
  readonly #ended: (how: "died" | "evicted") => void;
  /** What waits until the commit of this number is on disk. */
  #gated: { readonly commit: number; readonly run: () => void }[] = [];
  #sealed = 0;
  /** The last one that what leaves waits for. */
  #gate = 0;
  #confirmed = 0;
  #evicting: Event | null = null;
  #confirmedBy = 0;

  constructor(
    isolate: Isolate,
    name: string,
    plainName: string,
    stored: StoredObject,
    around: ObjectsAround,
    ended: (how: "died" | "evicted") => void,
  ) {
    super(isolate, name);
    this.plainName = plainName;
    this.#stored = stored;
    this.#around = around;
    this.#ended = ended;
    this.onIdle = () => this.#rest();
    stored.onCommit = () => this.#commit();
  }

  construct(className: string): void {
    const Made = this.isolate.worker[className] as new (ctx: unknown, env: unknown) => Record<string, unknown>;
    this.enter(() => {
      this.held = new Made(this.#state(), this.isolate.env);
    });
    if (this.pending === 0) this.#rest();
  }

  override leave(run: () => void): void {
    this.#after(this.#stored.open?.gates ? this.#sealed + 1 : this.#gate, run);
  }

  /** Once everything that is written by now is on disk. */
  whenConfirmed(run: () => void): void {
    this.#after(this.#stored.open ? this.#sealed + 1 : this.#sealed, run);
  }

  override isStruck(): boolean {
    if (!this.isAlive || !this.#around.fates.dies(this.name, "before", "answer")) return false;
    this.die();
    return true;
  }

  override die(): void {
    this.#end("died");
  }

  #abort(): void {
    this.isAborted = true;
    this.die();
  }

  #after(commit: number, run: () => void): void {
    if (!this.isAlive) return;
    if (commit <= this.#confirmed) run();
    else this.#gated.push({ commit, run });
  }

  #end(how: "died" | "evicted"): void {
    if (!this.isAlive) return;
    // What is written in the turn that ends it is no commit yet.
    const commits = this.#stored.unconfirmed - (this.#stored.open ? 1 : 0);
    this.#stored.crash(commits > 0 ? this.#around.chance.int(0, commits) : 0);
    this.#gated = [];
    super.die();
    this.#ended(how);
  }

  /** The writes of this turn are a commit, which is on disk a little later. Commits stay in their order. */
  #commit(): void {
    this.pending += 1;
    this.#around.fates.writes?.(this.name);
    this.timeline.after(0, () => {
      if (!this.isAlive) return;
      this.#sealed += 1;
      if (this.#stored.open?.gates) this.#gate = this.#sealed;
      this.#stored.seal();
      const at = Math.max(this.#confirmedBy, this.timeline.now + this.#around.fates.commitMs(this.name));
      this.#confirmedBy = at;
      this.timeline.at(at, () => {
        if (!this.isAlive) return;
        if (this.#around.fates.dies(this.name, "before", "commit")) return this.die();
        this.#stored.confirm();
        this.#confirmed += 1;
        const free = this.#gated.filter(({ commit }) => commit <= this.#confirmed);
        this.#gated = this.#gated.filter(({ commit }) => commit > this.#confirmed);
        for (const { run } of free) run();
        this.release();
      });
    });
  }

  #rest(): void {
    if (this.#evicting) this.#evicting.run = null;
    this.#evicting = this.timeline.after(IDLE_MS, () => {
      if (this.isAlive && this.pending === 0 && this.#stored.unconfirmed === 0) this.#end("evicted");
    });
  }

  /** What the constructor is given as `ctx`. */
  #state() {
    const stored = this.#stored;
    const storage = {
      kv: {
        get: (key: string) => stored.get(key),
        put: (key: string, value: unknown) => stored.put(key, value),
        delete: (key: string) => stored.delete(key),
        list: () => [...stored.values.keys()].sort().map((key) => [key, stored.get(key)] as const),
      },
      sql: {
        exec: (sql: string, ...values: SqlValue[]) => cursorOf(stored.exec(sql, values)),
      },
      get: async (key: string) => stored.get(key),
      put: async (key: string, value: unknown, asked?: Unconfirmed) => stored.put(key, value, gates(asked)),
      delete: async (key: string) => stored.delete(key),
      getAlarm: async () => (stored.alarm ? Math.floor(stored.alarm.at) : null),
      setAlarm: async (at: number | Date, asked?: Unconfirmed) =>
        stored.setAlarm({ at: Number(at), retryCount: 0 }, gates(asked)),
      deleteAlarm: async () => stored.setAlarm(null),
      deleteAll: async () => stored.deleteAll(),
      transactionSync: <T>(work: () => T) => work(),
      sync: () => {
        const deliver = this.place();
        return new Promise<void>((resolve) => this.whenConfirmed(() => deliver(resolve, undefined)));
      },
    };
    return {
      id: { name: this.plainName, toString: () => this.name },
      storage,
      waitUntil: (work: Promise<unknown>) => this.keep(work),
      blockConcurrencyWhile: <T>(work: () => Promise<T>) => this.block(work, () => this.#abort()),
      abort: () => this.#abort(),
    };
  }
}

type Unconfirmed = { readonly allowUnconfirmed?: boolean };
const gates = (asked?: Unconfirmed): boolean => asked?.allowUnconfirmed !== true;

const cursorOf = (rows: Record<string, SqlValue>[]) => ({
  toArray: () => rows,
  one: () => {
    if (rows.length !== 1) throw new Error(`Expected exactly one result from SQL query, but got ${rows.length}`);
    return rows[0];
  },
  [Symbol.iterator]: () => rows[Symbol.iterator](),
});
