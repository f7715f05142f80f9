// An isolate: one run of the bundle, with module state, a clock and a `crypto` of its own. Objects and requests live in it, and
// die with it.

import { type Bundle, GLOBALS, type Globals } from "./bundle.ts";
import type { Chance } from "./chance.ts";
import { type Context, presentContext } from "./context.ts";
import type { Event, Timeline } from "./timeline.ts";
import { webCrypto } from "./web-crypto.ts";

/** What an isolate asks of the world around it. */
export interface Outside {
  readonly timeline: Timeline;
  fetch(context: Context, url: string, init: RequestInit): Promise<Response>;
  log(isolate: Isolate, line: string): void;
}

/** The exports of `src/index.ts`. */
export interface Worker {
  readonly default: {
    fetch(request: Request, env: unknown, context: unknown): Promise<Response>;
    queue(batch: unknown, env: unknown): Promise<void>;
    scheduled(event: unknown, env: unknown): Promise<void>;
  };
  readonly [className: string]: unknown;
}

/** The base class that objects extend. */
class DurableObject {
  readonly ctx: unknown;
  readonly env: unknown;
  constructor(ctx: unknown, env: unknown) {
    this.ctx = ctx;
    this.env = env;
  }
}

const MODULES: Record<string, unknown> = {
  "cloudflare:workers": { DurableObject, waitUntil: (work: Promise<unknown>) => presentContext().keep(work) },
};

export class Isolate {
  readonly name: string;
  readonly bundle: Bundle;
  readonly timeline: Timeline;
  /** By how much its clock is ahead of the world's. */
  skewMs = 0;
  isAlive = true;
  readonly contexts = new Set<Context>();
  readonly worker: Worker;
  /** Set by whoever makes it: the bindings as this isolate has them. */
  env: unknown = {};

  constructor(name: string, bundle: Bundle, outside: Outside, chance: Chance) {
    this.name = name;
    this.bundle = bundle;
    this.timeline = outside.timeline;
    const module = { exports: {} as Record<string, unknown> };
    const globals = this.#globals(outside, chance);
    bundle.script((wanted) => MODULES[wanted], module, module.exports, ...GLOBALS.map((global) => globals[global]));
    this.worker = module.exports as Worker;
  }

  /** Its process is gone, and all that ran in it. */
  die(): void {
    this.isAlive = false;
    for (const context of [...this.contexts]) context.die();
  }

  #globals(outside: Outside, chance: Chance): Globals {
    const { timeline } = this;
    const startedAt = timeline.now;
    const clock = () => Math.floor(timeline.now + this.skewMs);
    const timers = timersOf(timeline);
    return {
      Date: dateOf(clock),
      Math: Object.create(Math, { random: { value: () => chance.next() } }),
      performance: { now: () => timeline.now - startedAt, timeOrigin: startedAt },
      crypto: webCrypto(chance),
      fetch: (url: string, init: RequestInit = {}) => outside.fetch(presentContext(), url, init),
      console: { log: (line: string) => outside.log(this, line) },
      ...timers,
      queueMicrotask,
      AbortSignal,
      process: undefined,
      setImmediate: undefined,
      navigator: { userAgent: "Cloudflare-Workers" },
    };
  }
}

function dateOf(clock: () => number): DateConstructor {
  const VirtualDate = class extends Date {
    constructor(...given: unknown[]) {
      // biome-ignore lint/suspicious/noExplicitAny: whatever Date takes
      super(...((given.length === 0 ? [clock()] : given) as [any]));
    }
    static override now(): number {
      return clock();
    }
  };
  return VirtualDate as unknown as DateConstructor;
}

interface Timer {
  event: Event | null;
  context: Context;
}

/** Timers belong to the context that sets them: they keep an object in memory, and do not ring in one that is dead. */
function timersOf(timeline: Timeline) {
  const clear = (timer?: Timer): void => {
    if (!timer?.event) return;
    timer.event.run = null;
    timer.event = null;
    timer.context.release();
  };
  const setTimeout = (run: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): Timer => {
    const context = presentContext();
    const deliver = context.place();
    context.pending += 1;
    const timer: Timer = { event: null, context };
    timer.event = timeline.after(ms, () =>
      deliver(() => {
        if (timer.event === null) return;
        timer.event = null;
        run(...given);
        context.release();
      }, undefined),
    );
    return timer;
  };
  const setInterval = (run: (...given: unknown[]) => void, ms = 0, ...given: unknown[]): Timer => {
    const timer = setTimeout(tick, ms);
    function tick(): void {
      const next = setTimeout(tick, ms);
      timer.event = next.event;
      run(...given);
    }
    return timer;
  };
  const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(() => resolve(), ms));
  return { scheduler: { wait }, setTimeout, clearTimeout: clear, setInterval, clearInterval: clear };
}
