// Kills an object at the n-th call it makes to the world outside: to D1, to the signing key, to the target, to a queue.
// The calls are those it must wait for, so between two of them nothing can come in.

import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";

/** The instance dies before the call is made, or when it has been made and its answer is on its way. */
export interface Moment {
  readonly call: number;
  readonly side: "before" | "after";
}

/** A real call leaves only when what was written before it is on disk: a death is given the time for that, too. */
const FLUSH_MS = 5;

type AnyCall = (...values: never[]) => Promise<unknown>;
type Around = (point: string, call: AnyCall) => AnyCall;

/** A kind of objects, and what a call to one is named in the table. */
interface Asked {
  readonly namespace: object;
  readonly point: string;
}

export class Tripwire {
  readonly passed: string[] = [];
  hasKilled = false;
  readonly #undo: (() => void)[] = [];
  readonly #asked: Asked;

  /** @param asked the other objects that the one under test calls */
  constructor(asked: Asked) {
    this.#asked = asked;
  }

  /**
   * @param owner the object whose calls these are: nobody else must be at work
   * @param moment null only counts
   */
  async watch(owner: DurableObjectStub<undefined>, moment: Moment | null): Promise<void> {
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
        this.passed.push(name);
        const isIt = this.passed.length === moment?.call && !this.hasKilled;
        if (isIt && moment.side === "before") await scheduler.wait(FLUSH_MS).then(kill);
        const answer = await call(...values);
        if (isIt || name === "target") await scheduler.wait(FLUSH_MS);
        if (isIt) kill();
        return answer;
      };
    this.#wrapD1(around);
    this.#wrapObjects(this.#asked, around);
    this.#wrap(globalThis, "fetch", "target", around);
    this.#wrap(env.SNAPSHOTS, "send", "snapshot", around);
    this.#wrap(env.EXECUTIONS, "send", "offer", around);
    this.#wrap(crypto.subtle, "sign", "sign", around);
    this.#wrap(crypto.subtle, "deriveBits", "sign", around);
    this.#wrap(crypto.subtle, "importKey", "sign", around);
  }

  remove(): void {
    for (const undo of this.#undo.splice(0)) undo();
  }

  #wrapObjects({ namespace, point }: Asked, around: Around): void {
    const getByName = Reflect.get(namespace, "getByName").bind(namespace);
    const watched = (stub: object) =>
      new Proxy(stub, { get: (target, name) => around(point, (...values) => Reflect.get(target, name)(...values)) });
    this.#replace(namespace, "getByName", (name: string) => watched(getByName(name)));
  }

  #wrap<T extends object>(owner: T, name: keyof T & string, point: string, around: Around): void {
    this.#replace(owner, name, around(point, (owner[name] as AnyCall).bind(owner)));
  }

  #wrapD1(around: Around): void {
    const prepare = env.DB.prepare.bind(env.DB);
    const watched = (statement: D1PreparedStatement): D1PreparedStatement =>
      new Proxy(statement, {
        get(target, name: keyof D1PreparedStatement) {
          if (name === "bind") return (...values: unknown[]) => watched(target.bind(...values));
          return around("D1", (target[name] as AnyCall).bind(target));
        },
      });
    this.#replace(env.DB, "prepare", (query: string) => watched(prepare(query)));
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
