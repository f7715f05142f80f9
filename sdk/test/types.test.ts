// Checked by tsc (`tsc -p sdk`); running it proves nothing more than that it loads.

import { expectTypeOf, it } from "vitest";
import {
  Chronos,
  type ChronosContext,
  type ChronosHandler,
  type ChronosOptions,
  type Delivery,
  type Execution,
  type FetchLike,
  type Job,
  queueConsumer,
  rawJson,
  verifySignature,
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
