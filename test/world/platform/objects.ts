// Durable Objects: one instance for each name at a time, calls between them that may be lost on either way, alarms that ring late,
// again, or not at all.

import { deserialize, serialize } from "node:v8";
import type { Chance } from "./chance.ts";
import { Context, presentContext } from "./context.ts";
import type { Isolate } from "./isolate.ts";
import { type Alarm, type SqlValue, StoredObject } from "./stored-object.ts";
import type { Event, Timeline } from "./timeline.ts";

/** How often a handler that throws is rung again, and after how long first. */
const MAX_RETRIES = 6;
const FIRST_RETRY_MS = 2_000;

/** An instance that nothing happens to is taken out of memory. */
const IDLE_MS = 10_000;

/** What befalls one call. */
export interface CallFate {
  /** Milliseconds there and back. */
  readonly there: number;
  readonly back: number;
  readonly lost: "call" | "answer" | null;
  /** The platform refuses it. */
  readonly overloaded: boolean;
}

/** What goes wrong with objects; everything is asked for at the moment it would happen. */
export interface ObjectFates {
  call(from: string, to: string, method: string): CallFate;
  /** How much later than it is set for an alarm rings; null: it is lost. */
  alarm(name: string): number | null;
  /** How long a commit takes to be on disk. */
  commitMs(name: string): number;
  /** Whether the instance dies at this moment: as something is delivered to it, or when that has been done. */
  dies(name: string, moment: "before" | "after", what: string): boolean;
}

export interface ObjectsAround {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly fates: ObjectFates;
  /** Where the next instance is made. */
  home(name: string): Isolate;
  /** For the history. */
  note(kind: "died" | "evicted" | "alarm-lost" | "alarm-dropped" | "alarm-threw", name: string): void;
}

type AnyMethod = (...given: unknown[]) => Promise<unknown>;

const copy = <T>(value: T): T => deserialize(serialize(value)) as T;

/** As the platform marks what may be tried again. */
const platformFault = (message: string, marks: object): Error => Object.assign(new Error(message), marks);
const connectionLost = () => platformFault("Network connection lost.", { remote: false, retryable: true });

/** All objects of all classes. */
export class Objects {
  readonly around: ObjectsAround;
  readonly #objects = new Map<string, OneObject>();

  constructor(around: ObjectsAround) {
    this.around = around;
  }

  /** The binding of one class, as the code in an isolate sees it. */
  namespace(className: string) {
    return {
      getByName: (name: string): object => {
        const object = () => this.#at(className, name);
        return new Proxy(
          {},
          {
            get: (_, method) =>
              typeof method === "string" && method !== "then"
                ? (...given: unknown[]) => this.#call(object, `${className} ${name}`, method, given)
                : undefined,
          },
        );
      },
    };
  }

  /** Those that hold something, by class and name. */
  *stored(): Generator<[name: string, stored: StoredObject]> {
    for (const [name, { stored }] of this.#objects) if (!stored.isEmpty) yield [name, stored];
  }

  *live(): Generator<Instance> {
    for (const { instance } of this.#objects.values()) if (instance?.isAlive) yield instance;
  }

  get liveCount(): number {
    return [...this.live()].length;
  }

  /** The names of those whose instance is in memory. */
  liveNames(): string[] {
    return [...this.live()].map(({ name }) => name);
  }

  kill(name: string): void {
    this.#objects.get(name)?.instance?.die();
  }

  #at(className: string, name: string): OneObject {
    const key = `${className} ${name}`;
    const known = this.#objects.get(key);
    if (known) return known;
    const made = new OneObject(this.around, className, name, () => this.#objects.delete(key));
    this.#objects.set(key, made);
    return made;
  }

  #call(object: () => OneObject, to: string, method: string, given: unknown[]): Promise<unknown> {
    const { timeline, fates } = this.around;
    const caller = presentContext();
    const sent = serialize(given);
    return caller.ask((answer, fail) => {
      const fate = fates.call(caller.name, to, method);
      if (fate.overloaded) {
        const overload = { overloaded: true, retryable: true, remote: false };
        const message = "Durable Object is overloaded. Too many requests queued.";
        timeline.after(fate.there + fate.back, () => fail(platformFault(message, overload)));
        return;
      }
      if (fate.lost === "call") {
        timeline.after(fate.there + fate.back, () => fail(connectionLost()));
        return;
      }
      const reply = (give: () => void) =>
        timeline.after(fate.back, () => (fate.lost === "answer" ? fail(connectionLost()) : give()));
      timeline.after(fate.there, () =>
        object().receive(method, deserialize(sent) as unknown[], {
          done: (value) => reply(() => answer(value)),
          failed: (fault) => reply(() => fail(fault)),
        }),
      );
    });
  }
}

interface Reply {
  done(value: unknown): void;
  failed(fault: unknown): void;
}

/** One name of one class: what is stored, and the instance if there is one. */
class OneObject {
  readonly stored = new StoredObject();
  readonly name: string;
  instance: Instance | null = null;
  readonly #className: string;
  readonly #plainName: string;
  readonly #around: ObjectsAround;
  readonly #forget: () => void;
  #ring: Event | null = null;
  /** What the alarm was that the present ring was planned for. */
  #ringsFor: Alarm | null = null;
  /** One handler at a time. */
  #isRinging = false;

  constructor(around: ObjectsAround, className: string, name: string, forget: () => void) {
    this.#around = around;
    this.#className = className;
    this.#plainName = name;
    this.name = `${className} ${name}`;
    this.#forget = forget;
    this.stored.onAlarm = () => this.#plan();
  }

  receive(method: string, given: unknown[], reply: Reply): void {
    const instance = this.#present();
    if (this.#around.fates.dies(this.name, "before", method)) {
      instance.die();
      reply.failed(connectionLost());
      return;
    }
    this.#run(
      instance,
      method,
      (held) => {
        const call = held[method];
        if (typeof call !== "function") throw new TypeError(`The RPC receiver does not implement "${method}".`);
        return (call as AnyMethod).apply(held, given);
      },
      reply,
    );
  }

  /** Runs a handler as an event of the instance; its answer leaves when all writes before it are on disk. */
  #run(instance: Instance, what: string, handler: (held: Record<string, unknown>) => unknown, reply: Reply): void {
    let isOpen = true;
    const close = (give: () => void) => {
      if (!isOpen) return;
      isOpen = false;
      forgetDeath();
      instance.release();
      give();
    };
    instance.pending += 1;
    const forgetDeath = instance.whenDead(() => close(() => reply.failed(connectionLost())));
    instance.enter(() => {
      const answered = async () => handler(instance.held);
      answered().then(
        (value) => {
          if (this.#around.fates.dies(this.name, "after", what)) return instance.die();
          const sent = value === undefined ? undefined : copy(value);
          instance.leave(() => close(() => reply.done(sent)));
        },
        (thrown) =>
          instance.leave(() =>
            close(() => reply.failed(platformFault(String((thrown as Error)?.message ?? thrown), { remote: true }))),
          ),
      );
    });
  }

  #present(): Instance {
    if (this.instance?.isAlive) return this.instance;
    const isolate = this.#around.home(this.name);
    const instance = new Instance(isolate, this.name, this.#plainName, this.stored, this.#around, (how) => {
      this.instance = null;
      this.#around.note(how, this.name);
      if (this.stored.isEmpty && this.stored.unconfirmed === 0) this.#forget();
    });
    this.instance = instance;
    instance.construct(this.#className);
    return instance;
  }

  /** The alarm is set, or another one, or none. While its handler runs, the one that rang is neither here nor gone. */
  #plan(): void {
    const { alarm } = this.stored;
    if (alarm === this.#ringsFor && this.#ring?.run) return;
    if (this.#ring) this.#ring.run = null;
    this.#ring = null;
    this.#ringsFor = alarm;
    if (alarm === null || this.#isRinging) return;
    const late = this.#around.fates.alarm(this.name);
    if (late === null) {
      this.#around.note("alarm-lost", this.name);
      return;
    }
    this.#ring = this.#around.timeline.at(alarm.at + late, () => this.#rings());
  }

  #rings(): void {
    this.#ring = null;
    const { stored } = this;
    const { alarm } = stored;
    if (alarm === null || this.#isRinging) return;
    const instance = this.#present();
    // An alarm rings once it is on disk.
    if (stored.unconfirmed > 0) instance.whenConfirmed(() => this.#rings());
    else if (this.#around.fates.dies(this.name, "before", "alarm")) {
      instance.die();
      this.#again(alarm, true);
    } else this.#runAlarm(instance, alarm);
  }

  #runAlarm(instance: Instance, alarm: Alarm): void {
    const { stored } = this;
    [stored.ringing, stored.alarm, this.#ringsFor] = [alarm, null, null];
    this.#isRinging = true;
    const { retryCount } = alarm;
    this.#run(
      instance,
      "alarm",
      (held) => (held.alarm as AnyMethod)?.call(held, { retryCount, isRetry: retryCount > 0, scheduledTime: alarm.at }),
      {
        done: () => {
          [stored.ringing, this.#isRinging] = [null, false];
          this.#plan();
        },
        failed: (fault) => {
          const isReplaced = stored.ringing === null;
          [stored.ringing, this.#isRinging] = [null, false];
          // A process that dies costs no retry; a handler that throws, or aborts its object, does.
          if (isReplaced) this.#plan();
          else this.#again(alarm, !instance.isAborted && !(fault as { remote?: boolean }).remote);
        },
      },
    );
  }

  /** The handler has not returned, and has set no other alarm. */
  #again({ retryCount }: Alarm, isDeath: boolean): void {
    const { timeline, chance, note } = this.#around;
    if (isDeath) this.#keep({ at: timeline.now + chance.between(1, 50), retryCount: 0 });
    else if (retryCount < MAX_RETRIES) {
      note("alarm-threw", this.name);
      const pause = FIRST_RETRY_MS * 2 ** retryCount * chance.between(1, 1.1);
      this.#keep({ at: timeline.now + pause, retryCount: retryCount + 1 });
    } else note("alarm-dropped", this.name);
  }

  /** The platform's own write: it is there at once. */
  #keep(alarm: Alarm): void {
    this.stored.alarm = alarm;
    this.#plan();
  }
}

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
