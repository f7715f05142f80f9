// Cloudflare in one process and in virtual time: isolates, objects, D1, a queue, the cron, rate limits, and the way to targets.

import type { Bundle } from "./bundle.ts";
import { Chance } from "./chance.ts";
import { Context } from "./context.ts";
import { D1, type QueryFate } from "./database.ts";
import { Isolate, type Outside } from "./isolate.ts";
import type { ObjectFates } from "./object-fates.ts";
import { Objects } from "./objects.ts";
import { type Delivered, type MessageFate, Queues } from "./queues.ts";
import { Timeline } from "./timeline.ts";

const MINUTE = 60_000;

/** What a Worker may still do when its answer has been read. */
const AFTER_ANSWER_MS = 30_000;

export const ORIGIN = "https://chronos.test";
export const ADMIN_TOKEN = "adm_world_that_is_as_long_as_an_operator_makes_it";

/** What becomes of a request of a client. */
export interface RequestFate {
  readonly there: number;
  readonly back: number;
  readonly lost: "request" | "answer" | null;
}

/** Everything that may go wrong, asked for at the moment it would happen. */
export interface Fates extends ObjectFates {
  query(from: string, sql: string, database: string): QueryFate;
  message(): MessageFate;
  request(): RequestFate;
  /** How late the cron rings this minute, once or more often. */
  cron(): readonly number[];
  /** By how much the clock of a new isolate is wrong. */
  skewMs(): number;
}

/** A push as it arrives at its target. */
export interface Arrival {
  readonly at: number;
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What the target does with it. */
export interface TargetAnswer {
  readonly afterMs: number;
  readonly status: number | "refused" | "never";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** What a client is answered; null: the connection broke, and nobody knows what was done. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Of a JSON answer. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON says
  readonly body: any;
  /** The isolate that has answered. */
  readonly by: string;
}

export interface Call {
  readonly key?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
  /** Aborts when the client leaves. */
  readonly leavesAfterMs?: number;
}

export interface Surroundings {
  readonly seed: number;
  readonly startsAt: number;
  readonly fates: (timeline: Timeline) => Fates;
  /** The code that isolates run, the first usually. */
  readonly bundles: readonly Bundle[];
  /** Classes of objects, by their bindings. */
  readonly classes?: Readonly<Record<string, string>>;
  /** How many databases are bound: `DB`, `DB_1` … */
  readonly databases?: number;
  /** How many isolates answer at a time, and how many calls outside a request may have open. */
  readonly isolates?: number;
  readonly connections?: number;
  /** Requests that an API key or an account may make in ten seconds, where they are other than in `wrangler.toml`. */
  readonly rateLimit?: number;
  readonly arrives: (push: Arrival) => TargetAnswer;
  /** The consumer of the named queue, if there is one: a Worker of somebody else's. */
  readonly consumes?: (batch: Delivered) => Promise<void>;
  readonly note: (kind: string, about: string, more?: string) => void;
  readonly log: (line: string) => void;
}

const LIMITS = {
  API_RATE_LIMIT: 100,
  WORKER_RATE_LIMIT: 1_000,
  ACCOUNT_RATE_LIMIT: 1_000,
  ACCOUNT_WORKER_RATE_LIMIT: 10_000,
  GUESS_RATE_LIMIT: 30,
} as const;

const CLASSES = {
  JOBS: "JobObject",
  PULL_QUEUES: "PullQueue",
  SCHEDULES: "ScheduleObject",
  BULK_ACTIONS: "BulkActionObject",
  FLOWS: "FlowObject",
  ACCOUNT_MOVES: "AccountMoveObject",
  PROJECTORS: "Projector",
} as const;

/** The queue that a user's own Worker consumes. */
export const NAMED_QUEUE = "named";

/** How many isolates answer at a time. */
const ISOLATES = 2;

export class Platform {
  readonly timeline: Timeline;
  readonly chance: Chance;
  readonly fates: Fates;
  readonly d1: D1;
  readonly databases: readonly D1[];
  readonly objects: Objects;
  readonly queues: Queues;
  /** How often the cron has rung. */
  rings = 0;
  readonly #around: Surroundings;
  readonly #outside: Outside;
  readonly #env: Record<string, unknown>;
  #isolates: Isolate[] = [];
  #made = 0;
  /** Which bundle the next isolate runs. */
  #bundle = 0;

  constructor(around: Surroundings) {
    this.#around = around;
    this.timeline = new Timeline(around.startsAt);
    this.chance = new Chance(around.seed).stream("platform");
    this.fates = around.fates(this.timeline);
    const { timeline, chance, fates } = this;
    this.#outside = {
      timeline,
      fetch: (context, url, init) => this.#fetch(context, url, init),
      log: (_isolate, line) => around.log(line),
    };
    const databaseNames = Array.from({ length: around.databases ?? 1 }, (_, n) => (n === 0 ? "DB" : `DB_${n}`));
    this.databases = databaseNames.map((name) => new D1(timeline, (from, sql) => fates.query(from, sql, name)));
    [this.d1] = this.databases as [D1];
    this.objects = new Objects({
      timeline,
      chance: chance.stream("objects"),
      fates,
      home: () => chance.pick(this.#present()),
      note: (kind, name) => around.note(kind, name),
    });
    this.queues = new Queues(
      "chronos-executions",
      timeline,
      chance.stream("queues"),
      () => fates.message(),
      (batch) => this.#consume(batch),
    );
    const { consumes } = around;
    const named = new Queues(
      NAMED_QUEUE,
      timeline,
      chance.stream(NAMED_QUEUE),
      () => fates.message(),
      async (batch) => {
        await consumes?.(batch);
        return "done";
      },
    );
    this.#env = {
      RETENTION_DAYS: "30",
      PUBLIC_HOSTS: "",
      LOCATION_HINT: "",
      SUBREQUESTS: "10000",
      MASTER_KEY: "a master key for the simulated world, and for that only",
      ADMIN_TOKEN,
      ...Object.fromEntries(databaseNames.map((name, n) => [name, this.databases[n]?.binding()])),
      ...mapValues(around.classes ?? CLASSES, (className) => this.objects.namespace(className)),
      EXECUTIONS: this.queues.binding(),
      ...(consumes && { QUEUE_NAMED: named.binding() }),
      ...mapValues(LIMITS, (limit) => this.#limiter(around.rateLimit ?? limit)),
    };
    this.#planCron();
  }

  /** Some isolate's process dies, and all that ran in it. */
  killIsolate(): void {
    const [victim] = this.#isolates.splice(this.chance.int(0, this.#present().length - 1), 1);
    if (!victim) return;
    this.#around.note("isolate-died", victim.name);
    victim.die();
  }

  /**
   * Isolates that are made from now on run this code. Those there are, and the objects in memory, are replaced one by one within
   * `spreadMs`; an object that begins again meanwhile may do so in an old one.
   */
  deploy(bundle: number, spreadMs: number): void {
    const { timeline, chance, objects } = this;
    const old = [...this.#present()];
    this.#bundle = Math.min(bundle, this.#around.bundles.length - 1);
    this.#around.note("deployed", this.#around.bundles[this.#bundle]?.name ?? "");
    for (const name of objects.liveNames()) timeline.after(chance.between(0, spreadMs), () => objects.kill(name));
    for (const isolate of old) timeline.after(chance.between(0, spreadMs), () => this.#retire(isolate));
  }

  /** Requests that are under way come to their end; objects do not wait for theirs. */
  #retire(isolate: Isolate): void {
    this.#isolates = this.#isolates.filter((one) => one !== isolate);
    for (const instance of [...this.objects.live()]) if (instance.isolate === isolate) instance.die();
  }

  /** A request as a client makes it. */
  call(
    method: string,
    path: string,
    { key, body, headers, address, leavesAfterMs }: Call = {},
  ): Promise<Answer | null> {
    const { timeline } = this;
    const fate = this.fates.request();
    const sent = body === undefined ? null : JSON.stringify(body);
    const all: Record<string, string> = { "CF-Connecting-IP": address ?? "198.51.100.1", ...headers };
    if (key !== undefined) all.Authorization = `Bearer ${key}`;
    if (sent !== null) {
      all["Content-Type"] = "application/json";
      all["Content-Length"] = String(Buffer.byteLength(sent));
    }
    return new Promise((resolve) => {
      const gone = () => resolve(null);
      if (fate.lost === "request") {
        timeline.after(fate.there + fate.back, gone);
        return;
      }
      timeline.after(fate.there, () => {
        const isolate = this.chance.pick(this.#present());
        const context = new Context(isolate, `${method} ${path}`, this.#around.connections);
        const leaving = leavesAfterMs === undefined ? null : new AbortController();
        const request = new Request(ORIGIN + path, {
          method,
          headers: all,
          body: sent,
          signal: leaving?.signal ?? null,
        });
        const forgetDeath = context.whenDead(() => timeline.after(fate.back, gone));
        if (leaving)
          timeline.after(leavesAfterMs ?? 0, () => {
            gone();
            context.enter(() => leaving.abort());
          });
        const finish = (answer: Answer | null) => {
          forgetDeath();
          timeline.after(AFTER_ANSWER_MS, () => context.die());
          timeline.after(fate.back, () => resolve(fate.lost === "answer" ? null : answer));
        };
        context.enter(() => {
          const handled = async () => isolate.worker.default.fetch(request, this.#env, executionOf(context));
          handled().then(
            (response) => this.#read(response, isolate.name, leaving?.signal).then(finish, () => finish(null)),
            (thrown) => {
              this.#around.note("worker-threw", `${method} ${path}`, String(thrown?.stack ?? thrown));
              finish({ status: 500, headers: new Headers(), body: null, by: isolate.name });
            },
          );
        });
      });
    });
  }

  /** As the client reads it, until it leaves. */
  async #read(response: Response, by: string, leaves: AbortSignal | undefined): Promise<Answer> {
    const { status, headers } = response;
    if (!leaves) return { status, headers, body: jsonOf(await response.text()), by };
    const reader = response.body?.getReader();
    if (!reader) return { status, headers, body: null, by };
    leaves.addEventListener("abort", () => void reader.cancel().catch(() => {}));
    const chunks: Uint8Array[] = [];
    for (;;) {
      const next = await reader.read();
      if (next.done) break;
      chunks.push(next.value);
    }
    return { status, headers, body: jsonOf(Buffer.concat(chunks).toString("utf8")), by };
  }

  /** Isolates there are; one that died is replaced by one of the present code. */
  #present(): Isolate[] {
    while (this.#isolates.length < (this.#around.isolates ?? ISOLATES)) {
      const bundle = this.#around.bundles[this.#bundle];
      if (!bundle) throw new Error("no such bundle");
      const name = `isolate ${++this.#made}`;
      const isolate = new Isolate(name, bundle, this.#outside, this.chance.stream(name));
      isolate.env = this.#env;
      isolate.skewMs = this.fates.skewMs();
      this.#isolates.push(isolate);
    }
    return this.#isolates;
  }

  #planCron(): void {
    const minute = Math.floor(this.timeline.now / MINUTE + 1) * MINUTE;
    for (const late of this.fates.cron()) this.timeline.at(minute + late, () => void this.#ringCron(minute));
    this.timeline.at(minute, () => this.#planCron());
  }

  async #ringCron(scheduledTime: number): Promise<void> {
    this.rings += 1;
    const event = { scheduledTime, cron: "* * * * *", noRetry: () => {} };
    await this.#handle("cron", (isolate) => isolate.worker.default.scheduled(event, this.#env));
  }

  #consume(batch: Delivered): Promise<"done" | "died" | "threw"> {
    return this.#handle("queue", (isolate) => isolate.worker.default.queue(batch, this.#env));
  }

  #handle(name: string, run: (isolate: Isolate) => Promise<void>): Promise<"done" | "died" | "threw"> {
    const isolate = this.chance.pick(this.#present());
    const context = new Context(isolate, name, this.#around.connections);
    return new Promise((resolve) => {
      context.whenDead(() => resolve("died"));
      context.enter(() => {
        const handled = async () => run(isolate);
        handled().then(
          () => {
            resolve("done");
            this.timeline.after(AFTER_ANSWER_MS, () => context.die());
          },
          (thrown) => {
            this.#around.note(`${name}-threw`, String(thrown));
            resolve("threw");
            context.die();
          },
        );
      });
    });
  }

  #fetch(context: Context, url: string, init: RequestInit): Promise<Response> {
    const { timeline } = this;
    const { signal } = init;
    return context.ask((answer, fail) => {
      if (signal?.aborted) return fail(signal.reason);
      let isOpen = true;
      const close = (give: () => void) => {
        if (!isOpen) return;
        isOpen = false;
        signal?.removeEventListener("abort", abort);
        give();
      };
      const abort = () => close(() => fail(signal?.reason));
      signal?.addEventListener("abort", abort);
      timeline.after(this.chance.latency(3), () => {
        const headers = init.headers as Record<string, string>;
        const push = { at: timeline.now, url, method: init.method ?? "GET", headers, body: String(init.body ?? "") };
        const told = this.#around.arrives(push);
        if (told.status === "never") return;
        timeline.after(told.afterMs, () =>
          close(() => {
            if (told.status === "refused") fail(new TypeError("Network connection lost."));
            else if (typeof told.status === "number")
              answer(new Response(told.body ?? null, { status: told.status, headers: told.headers ?? {} }));
          }),
        );
      });
    });
  }

  #limiter(most: number) {
    const periods = new Map<string, number>();
    let period = 0;
    return {
      limit: ({ key }: { key: string }): Promise<{ success: boolean }> =>
        Promise.resolve().then(() => {
          const present = Math.floor(this.timeline.now / 10_000);
          if (present !== period) periods.clear();
          period = present;
          const count = (periods.get(key) ?? 0) + 1;
          periods.set(key, count);
          return { success: count <= most };
        }),
    };
  }
}

const mapValues = <V, R>(from: Readonly<Record<string, V>>, to: (value: V) => R): Record<string, R> =>
  Object.fromEntries(Object.entries(from).map(([name, value]) => [name, to(value)]));

const executionOf = (context: Context) => ({
  waitUntil: (work: Promise<unknown>) => context.keep(work),
  passThroughOnException: () => {},
});

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
