// Durable Objects: one instance for each name at a time, calls between them that may be lost on either way, alarms that ring late,
// again, or not at all.

import { deserialize, serialize } from "node:v8";
import { presentContext } from "./context.ts";
import { Instance } from "./instance.ts";
import type { ObjectsAround } from "./object-fates.ts";
import { type Alarm, StoredObject } from "./stored-object.ts";
import type { Event } from "./timeline.ts";

/** How often a handler that throws is rung again, and after how long first. */
const MAX_RETRIES = 6;
const FIRST_RETRY_MS = 2_000;

type AnyMethod = (...given: unknown[]) => Promise<unknown>;

const copy = <T>(value: T): T => deserialize(serialize(value)) as T;

/** As the platform marks what may be tried again. */
const platformFault = (message: string, marks: object): Error => Object.assign(new Error(message), marks);
const connectionLost = () => platformFault("Network connection lost.", { remote: false, retryable: true });
const overloaded = () =>
  platformFault("Durable Object is overloaded. Too many requests queued.", {
    overloaded: true,
    retryable: true,
    remote: false,
  });

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
        timeline.after(fate.there + fate.back, () => fail(overloaded()));
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
  /** The platform has forgotten this one, although it is stored. */
  #lost: Alarm | null = null;
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
    const waits = this.#waits(method);
    if (waits === null) reply.failed(overloaded());
    else if (waits === 0) this.#received(method, given, reply);
    else this.#around.timeline.after(waits, () => this.#received(method, given, reply));
  }

  #waits(what: string): number | null {
    const { fates } = this.#around;
    if (!fates.waits) return 0;
    return fates.waits(this.name, what, this.instance?.isAlive ? "warm" : this.stored.isEmpty ? "new" : "cold");
  }

  #received(method: string, given: unknown[], reply: Reply): void {
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
    if (alarm !== null && alarm === this.#lost) return;
    if (this.#ring) this.#ring.run = null;
    this.#ring = null;
    this.#ringsFor = alarm;
    if (alarm === null || this.#isRinging) return;
    const late = this.#around.fates.alarm(this.name);
    if (late === null) {
      this.#lost = alarm;
      this.#around.note("alarm-lost", this.name);
      return;
    }
    this.#ring = this.#around.timeline.at(alarm.at + late, () => this.#isDue());
  }

  /** Its handler waits for the object's thread, as a call does; an alarm is not refused. */
  #isDue(): void {
    const waits = this.#waits("alarm") ?? 0;
    if (waits === 0) this.#rings();
    else this.#ring = this.#around.timeline.after(waits, () => this.#rings());
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
