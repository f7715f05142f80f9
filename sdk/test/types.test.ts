// Checked by tsc (`tsc -p sdk`); running it proves nothing more than that it loads.

import { expectTypeOf, it } from "vitest";
import {
  type BatchEntry,
  type BulkAction,
  type BulkCount,
  Chronos,
  type ChronosContext,
  type ChronosHandler,
  type ChronosOptions,
  type Delivery,
  type Execution,
  type FetchLike,
  type HandlerName,
  type Job,
  type ManyJob,
  type NewJob,
  type PayloadOf,
  queueConsumer,
  type ResultOf,
  rawJson,
  type Schedule,
  verifySignature,
  type When,
} from "../src/index.ts";

interface Handlers {
  // biome-ignore lint/suspicious/noConfusingVoidType: a handler that returns nothing is what is tested
  email: { payload: { to: string }; result: void };
  add: { payload: { a: number; b: number }; result: { sum: number } };
  ping: { result: string };
  report: { payload: { day: string } | null };
}

declare const options: ChronosOptions;
const never = () => false;

it("types a mapped client's handlers by their name", () => {
  if (never()) {
    const { worker } = new Chronos<Handlers>(options);
    worker
      .handle("email", (ctx) => {
        expectTypeOf(ctx).toEqualTypeOf<ChronosContext<{ to: string }>>();
        expectTypeOf(ctx.signal).toEqualTypeOf<AbortSignal>();
        expectTypeOf(ctx.deadline).toEqualTypeOf<Date>();
      })
      .handle("add", async ({ payload }) => ({ sum: payload.a + payload.b }))
      .handle("ping", (ctx) => {
        expectTypeOf(ctx.payload).toBeUnknown();
        return "pong";
      });
    // @ts-expect-error: no such name in the map
    worker.handle("other", () => {});
    // @ts-expect-error: the result of add is an object with a sum
    worker.handle("add", () => ({ total: 1 }));
    // @ts-expect-error: the payload of email has no subject
    worker.handle("email", (ctx) => void ctx.payload.subject);
    // @ts-expect-error: a map and types of one's own do not go together
    worker.handle<{ to: number }>("email", () => {});
  }
});

it("types an unmapped client's handlers by what the call says, unknown otherwise", () => {
  if (never()) {
    const { worker } = new Chronos(options);
    worker.handle("a", (ctx) => expectTypeOf(ctx.payload).toBeUnknown());
    worker.handle<{ to: string }>("b", (ctx) => expectTypeOf(ctx.payload.to).toBeString());
    worker.handle<{ to: string }, { sent: boolean }>("c", async () => ({ sent: true }));
    worker.handle("d", (ctx: ChronosContext<{ n: number }>) => ctx.payload.n);
    const typed: ChronosHandler<{ to: string }, number> = (ctx) => ctx.payload.to.length;
    worker.handle("e", typed);
    worker.handle<{ to: string }, { sent: boolean }>("g", () => rawJson('{"sent":true}'));
    // @ts-expect-error: an object with a text is no raw JSON
    worker.handle<{ to: string }, { sent: boolean }>("h", () => ({ text: "true" }));
    // @ts-expect-error: sent is a boolean
    worker.handle<{ to: string }, { sent: boolean }>("f", () => ({ sent: "yes" }));
  }
});

it("types new jobs and what comes back by the handler's name", () => {
  if (never()) {
    const { jobs } = new Chronos<Handlers>(options);
    const name = "One";
    expectTypeOf(jobs.create({ name, handler: "add", payload: { a: 1, b: 2 } })).resolves.toEqualTypeOf<
      Job<{ a: number; b: number }, { sum: number }>
    >();
    void jobs.create({ name, handler: "ping" });
    void jobs.create({ name, handler: "report" });
    void jobs.create({ name, handler: "report", payload: { day: "2030-01-01" } });
    void jobs.create({
      name,
      payload: { any: 1 },
      delivery: { type: "push", http: { url: "https://a", method: "PUT" } },
    });
    // @ts-expect-error: no such handler
    void jobs.create({ name, handler: "other" });
    // @ts-expect-error: the payload is required
    void jobs.create({ name, handler: "email" });
    // @ts-expect-error: to is a string
    void jobs.create({ name, handler: "email", payload: { to: 1 } });
    // @ts-expect-error: a pull job needs a handler
    void jobs.create({ name });
    // @ts-expect-error: a delay or a time, not both
    void jobs.create({ name, handler: "ping", delay: { value: 1, unit: "hour" }, scheduledFor: new Date() });
    // @ts-expect-error: the SDK's names are camelCase
    void jobs.create({ name, handler: "ping", max_retries: 1 });
    expectTypeOf(jobs.get<"add">("id")).resolves.toEqualTypeOf<Job<{ a: number; b: number }, { sum: number }>>();
    expectTypeOf(jobs.executions("id")).toExtend<AsyncIterable<Execution>>();
  }
});

it("types times, backoffs and keys so that what excludes each other does not compile", () => {
  if (never()) {
    const { jobs } = new Chronos(options);
    const one = { name: "One", handler: "a" };
    const hour = { value: 1, unit: "hour" } as const;
    void jobs.create({ ...one, scheduledFor: "2030-03-31T09:00", timezone: "Europe/London" });
    void jobs.create({ ...one, idempotencyKey: "k", onConflict: "replace" });
    void jobs.create({ ...one, backoff: { type: "fixed", initial: 5 }, tags: ["a"] as const, expiresAfter: hour });
    void jobs.create({ ...one, backoff: { type: "list", delays: [1, 2] } });
    // @ts-expect-error: a Date is a moment already
    void jobs.create({ ...one, scheduledFor: new Date(), timezone: "Europe/London" });
    // @ts-expect-error: a zone without a time
    void jobs.create({ ...one, timezone: "Europe/London" });
    // @ts-expect-error: a delay counts everywhere alike
    void jobs.create({ ...one, delay: hour, timezone: "Europe/London" });
    // @ts-expect-error: nothing to conflict with
    void jobs.create({ ...one, onConflict: "replace" });
    // @ts-expect-error: no such answer to a conflict
    void jobs.create({ ...one, idempotencyKey: "k", onConflict: "ignore" });
    // @ts-expect-error: a list has its delays only
    void jobs.create({ ...one, backoff: { type: "list", delays: [1], initial: 5 } });
    // @ts-expect-error: a list needs its delays
    void jobs.create({ ...one, backoff: { type: "list" } });
  }
});

it("types a schedule's changes: null for what a null resets, and for nothing else", () => {
  if (never()) {
    const { schedules } = new Chronos<Handlers>(options);
    void schedules.update("id", { tags: null, flow: null, backoff: null, expiresAfter: null, overlap: null });
    void schedules.update<"report">("id", { payload: { day: "mon" } });
    // @ts-expect-error: a name has no default
    void schedules.update("id", { name: null });
    // @ts-expect-error: a description is not taken away by null
    void schedules.update("id", { description: null });
    // @ts-expect-error: nor is a handler
    void schedules.update("id", { handler: null });
    // @ts-expect-error: nor a bound
    void schedules.update("id", { runs: null });
    // @ts-expect-error: nor an end
    void schedules.update("id", { stopAt: null });
    // @ts-expect-error: nor a payload
    void schedules.update("id", { payload: null });
    // @ts-expect-error: nor one whose type has a null
    void schedules.update<"report">("id", { payload: null });
    // @ts-expect-error: the default zone is UTC
    void schedules.update("id", { timezone: null });
    // @ts-expect-error: the default delivery is pull
    void schedules.update("id", { delivery: null });
    // @ts-expect-error: the default is 30
    void schedules.update("id", { timeout: null });
    // @ts-expect-error: the default is 3
    void schedules.update("id", { maxRetries: null });
    // @ts-expect-error: a null is no timing
    void schedules.update("id", { cron: null });
    // @ts-expect-error: neither here
    void schedules.update("id", { interval: null });
  }
});

it("types changes by the handler's name, null for what has a default", () => {
  if (never()) {
    const { jobs } = new Chronos<Handlers>(options);
    expectTypeOf(jobs.update<"add">("id", { payload: { a: 1, b: 2 } })).resolves.toEqualTypeOf<
      Job<{ a: number; b: number }, { sum: number }>
    >();
    void jobs.update("id", { payload: null, handler: null, flow: null, timeout: null }, { ifMatch: 3, timeoutMs: 5 });
    void jobs.update("id", { delay: { value: 1, unit: "hour" } });
    void new Chronos(options).jobs.update("id", { payload: { any: 1 } });
    // @ts-expect-error: b is missing
    void jobs.update<"add">("id", { payload: { a: 1 } });
    // @ts-expect-error: a name has no default
    void jobs.update("id", { name: null });
    // @ts-expect-error: a null is no time
    void jobs.update("id", { scheduledFor: null });
    // @ts-expect-error: both times
    void jobs.update("id", { delay: { value: 1, unit: "hour" }, scheduledFor: new Date() });
    // @ts-expect-error: a key is for life
    void jobs.update("id", { idempotencyKey: "k" });
    // @ts-expect-error: a revision is a number
    void jobs.update("id", {}, { ifMatch: '"3"' });
    // @ts-expect-error: run() knows no revision
    void jobs.run("id", { ifMatch: 3 });
    expectTypeOf(jobs.delete("id")).resolves.toBeVoid();
  }
});

it("types many jobs by their handlers' names", () => {
  if (never()) {
    const { jobs } = new Chronos<Handlers>(options);
    const name = "One";
    const push = { type: "push", http: { url: "https://a", method: "PUT" } } as const;
    void jobs.createMany([
      { name, handler: "add", payload: { a: 1, b: 2 } },
      { name, handler: "email", payload: { to: "ada" }, idempotencyKey: "k" },
      { name, delivery: push },
    ]);
    const inputs: ManyJob<Handlers>[] = [{ name, handler: "ping" }];
    expectTypeOf(jobs.createMany(inputs)).resolves.toExtend<BatchEntry[]>();
    // @ts-expect-error: the payload of another handler
    void jobs.createMany([{ name, handler: "add", payload: { to: "ada" } }]);
    // @ts-expect-error: no such handler
    void jobs.createMany([{ name, handler: "other" }]);
    // @ts-expect-error: a batch replaces nothing
    void jobs.createMany([{ name, handler: "ping", idempotencyKey: "k", onConflict: "replace" }]);
  }
});

it("types a bulk action by what it selects, and by whether it is a dry run", () => {
  if (never()) {
    const { jobs, bulk } = new Chronos<Handlers>(options);
    const dryRun = Math.random() < 0.5;
    expectTypeOf(jobs.bulk({ action: "cancel", all: true })).resolves.toEqualTypeOf<BulkAction>();
    expectTypeOf(jobs.bulk({ action: "run", jobIds: ["a"], dryRun: true })).resolves.toEqualTypeOf<BulkCount>();
    expectTypeOf(jobs.bulk({ action: "run", jobIds: ["a"], dryRun })).resolves.toEqualTypeOf<BulkAction | BulkCount>();
    expectTypeOf(bulk.list()).toExtend<AsyncIterable<BulkAction>>();
    // @ts-expect-error: nothing is selected
    void jobs.bulk({ action: "cancel" });
    // @ts-expect-error: two selections
    void jobs.bulk({ action: "cancel", all: true, filter: { tag: "a" } });
    // @ts-expect-error: all is true or left out
    void jobs.bulk({ action: "cancel", all: false });
    // @ts-expect-error: no such handler
    void jobs.bulk({ action: "cancel", filter: { handler: "other" } });
    // @ts-expect-error: no such action
    void jobs.bulk({ action: "archive", all: true });
  }
});

interface Full {
  email: { payload: { to: string }; result: { sent: boolean } };
  add: { payload: { a: number; b: number }; result: { sum: number } };
}

it("lets functions that are generic over the name wrap create() and handle()", () => {
  if (never()) {
    const full = new Chronos<Full>(options);
    const some = new Chronos<Handlers>(options);

    function enqueue<Name extends keyof Full>(handler: Name, payload: Full[Name]["payload"], when: When = {}) {
      return full.jobs.create({ name: handler, handler, payload, ...when }, { timeoutMs: 5_000 });
    }
    expectTypeOf(enqueue("add", { a: 1, b: 2 })).resolves.toEqualTypeOf<
      Job<{ a: number; b: number }, { sum: number }>
    >();
    // @ts-expect-error: the payload of another name
    void enqueue("email", { a: 1, b: 2 });

    function weekly<Name extends keyof Full>(handler: Name, payload: Full[Name]["payload"]) {
      return full.schedules.create({ name: handler, handler, payload, cron: "0 9 * * MON" });
    }
    expectTypeOf(weekly("email", { to: "ada" })).resolves.toEqualTypeOf<Schedule<{ to: string }>>();

    function pass<Name extends HandlerName<Handlers>>(job: NewJob<Name, PayloadOf<Handlers, Name>>) {
      return some.jobs.create(job, { timeoutMs: 5_000 });
    }
    expectTypeOf(pass({ name: "One", handler: "ping" })).resolves.toEqualTypeOf<Job<unknown, string>>();

    function named<Name extends HandlerName<Handlers>>(handler: Name, payload: PayloadOf<Handlers, Name>) {
      return some.jobs.create({ name: handler, handler, payload });
    }
    expectTypeOf(named("add", { a: 1, b: 2 })).resolves.toEqualTypeOf<Job<{ a: number; b: number }, { sum: number }>>();
    // @ts-expect-error: the payload of another name
    void named("email", { a: 1, b: 2 });

    function inAnyMap<M extends Record<keyof M, { payload: object; result: unknown }>, Name extends HandlerName<M>>(
      chronos: Chronos<M>,
      handler: Name,
      payload: M[Name]["payload"],
    ) {
      return chronos.jobs.create({ name: handler, handler, payload });
    }
    void inAnyMap(full, "add", { a: 1, b: 2 });

    function unmapped<Payload extends object>(handler: string, payload: Payload) {
      return new Chronos(options).jobs.create({ name: handler, handler, payload });
    }
    expectTypeOf(unmapped("a", { n: 1 })).resolves.toEqualTypeOf<Job>();
    // @ts-expect-error: a payload is an object
    void new Chronos(options).jobs.create({ name: "One", handler: "a", payload: 5 });

    function register<Name extends HandlerName<Handlers>>(
      name: Name,
      handler: ChronosHandler<PayloadOf<Handlers, Name>, ResultOf<Handlers, Name>>,
    ) {
      some.worker.handle(name, handler);
    }
    register("add", ({ payload }) => ({ sum: payload.a + payload.b }));

    function withoutPayload<Name extends keyof Full>(handler: Name) {
      // @ts-expect-error: the payload may be required
      void full.jobs.create({ name: handler, handler });
    }
    withoutPayload("add");
  }
});

it("types lists by their handler filter", async () => {
  if (never()) {
    const { jobs } = new Chronos<Handlers>(options);
    for await (const job of jobs.list({ handler: "email" })) {
      expectTypeOf(job.payload).toEqualTypeOf<{ to: string } | null>();
    }
    for await (const job of new Chronos(options).jobs.list()) expectTypeOf(job).toEqualTypeOf<Job>();
    // @ts-expect-error: no such status
    jobs.list({ status: "done" });
  }
});

it("types a queue consumer's handlers by the client's map", () => {
  if (never()) {
    const chronos = new Chronos<Handlers>(options);
    queueConsumer({ chronos, handlers: { add: ({ payload }) => ({ sum: payload.a + payload.b }) } });
    // @ts-expect-error: no such handler
    queueConsumer({ chronos, handlers: { other: () => {} } });
    // @ts-expect-error: the result of add is an object with a sum
    queueConsumer({ chronos, handlers: { add: () => 3 } });
    queueConsumer({ chronos: new Chronos(options), handlers: { anything: () => 3 } });
  }
});

it("types a verified delivery's payload by what the call says", () => {
  if (never()) {
    const request = new Request("https://a.example");
    expectTypeOf(verifySignature<{ to: string }>(request, "s")).resolves.toEqualTypeOf<Delivery<{ to: string }>>();
    expectTypeOf(verifySignature(request, "s")).resolves.toEqualTypeOf<Delivery>();
    const headers: Record<string, string | string[] | undefined> = {};
    void verifySignature({ headers, body: new Uint8Array() }, ["old", "new"]);
    // @ts-expect-error: a parsed body cannot be verified
    void verifySignature({ headers, body: { job_id: "" } }, "s");
  }
});

it("takes the global fetch as its fetch", () => {
  expectTypeOf(fetch).toExtend<FetchLike>();
});
