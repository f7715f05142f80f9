// In whose name code runs: an object's instance, or one request to the Worker. Whatever comes back from outside is delivered to the
// context that asked for it; to one that is dead, nothing is. So an instance may die between any two events.

import { AsyncLocalStorage } from "node:async_hooks";
import type { Isolate } from "./isolate.ts";
import type { Timeline } from "./timeline.ts";

/** Where a continuation belongs: to a context, and there perhaps to a block that holds up everything else. */
interface Place {
  readonly context: Context;
  readonly section: object | null;
}

const places = new AsyncLocalStorage<Place | undefined>();

/** The context whose code is running. */
export function presentContext(): Context {
  const place = places.getStore();
  if (!place) throw new Error("There is no request and no object here: the platform forbids this in global scope.");
  return place.context;
}

export class Context {
  readonly isolate: Isolate;
  readonly timeline: Timeline;
  /** As it is shown in a trace. */
  readonly name: string;
  isAlive = true;
  /** Calls, alarms, timers and promises that keep an object in memory. */
  pending = 0;
  /** Called when nothing is pending any more. */
  onIdle: (() => void) | null = null;
  readonly #whenDead = new Set<() => void>();
  /** Calls outside that may be open at a time. Further ones wait. */
  readonly #connections: number;
  #open = 0;
  readonly #unsent: (() => void)[] = [];
  /** The block that runs; other events wait. */
  #section: object | null = null;
  readonly #waiting: (() => void)[] = [];

  constructor(isolate: Isolate, name: string, connections = Number.POSITIVE_INFINITY) {
    this.#connections = connections;
    this.isolate = isolate;
    this.timeline = isolate.timeline;
    this.name = name;
    isolate.contexts.add(this);
  }

  /** Whether what leaves must wait: a write is not on disk yet. Objects override it. */
  leave(run: () => void): void {
    run();
  }

  /** Whether it dies at the moment an answer comes. Objects override it. */
  isStruck(): boolean {
    return false;
  }

  /** Runs something of its own that begins here. */
  enter(run: () => void): void {
    this.#admit(null, () => places.run({ context: this, section: null }, run));
  }

  /** Runs what continues here: the place is that of whoever asked. */
  place(): <T>(run: (value: T) => void, value: T) => void {
    const place = places.getStore() ?? { context: this, section: null };
    return (run, value) => this.#admit(place.section, () => places.run(place, () => run(value)));
  }

  /** Sends something outside, once what was written before is on disk, and delivers the answer. */
  ask<T>(send: (answer: (value: T) => void, fail: (fault: unknown) => void) => void): Promise<T> {
    const deliver = this.place();
    return new Promise((resolve, reject) => {
      const begin = () =>
        send(
          (value) => this.#closed() || this.isStruck() || deliver(resolve, value),
          (fault) => this.#closed() || this.isStruck() || deliver(reject, fault),
        );
      this.leave(() => {
        if (this.#open < this.#connections) {
          this.#open += 1;
          begin();
        } else this.#unsent.push(begin);
      });
    });
  }

  /** A connection is free: the next that waits takes it. */
  #closed(): false {
    const next = this.#unsent.shift();
    if (next) next();
    else this.#open -= 1;
    return false;
  }

  /** No other event is delivered until `work` has ended. */
  block<T>(work: () => Promise<T>, broken: (fault: unknown) => void): Promise<T> {
    const section = {};
    const outer = this.place();
    return new Promise<T>((resolve, reject) => {
      const begin = () => {
        this.#section = section;
        this.timeline.after(0, () => {
          if (!this.isAlive) return;
          places.run({ context: this, section }, () => {
            const end = (): void => {
              this.#section = null;
              this.#openUp();
            };
            work().then(
              (value) => {
                end();
                outer(resolve, value);
              },
              (fault) => {
                end();
                broken(fault);
                outer(reject, fault);
              },
            );
          });
        });
      };
      if (this.#section === null && this.#waiting.length === 0) begin();
      else this.#waiting.push(begin);
    });
  }

  keep(work: Promise<unknown>): void {
    this.pending += 1;
    const release = () => this.release();
    work.then(release, release);
  }

  release(): void {
    this.pending -= 1;
    if (this.pending === 0) this.onIdle?.();
  }

  /** @returns calls it off */
  whenDead(run: () => void): () => void {
    if (this.isAlive) this.#whenDead.add(run);
    else run();
    return () => this.#whenDead.delete(run);
  }

  /** Nothing is delivered here from now on. */
  die(): void {
    if (!this.isAlive) return;
    this.isAlive = false;
    this.isolate.contexts.delete(this);
    this.#waiting.length = 0;
    const left = [...this.#whenDead];
    this.#whenDead.clear();
    for (const run of left) run();
  }

  #admit(section: object | null, run: () => void): void {
    if (!this.isAlive) return;
    const isFree = this.#section === null ? this.#waiting.length === 0 : this.#section === section;
    if (isFree) run();
    else this.#waiting.push(run);
  }

  /** Those that waited are delivered one by one; one of them may block again. */
  #openUp(): void {
    if (this.#waiting.length === 0) return;
    this.timeline.after(0, () => {
      if (!this.isAlive || this.#section !== null) return;
      this.#waiting.shift()?.();
      this.#openUp();
    });
  }
}
