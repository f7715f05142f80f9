// The trace a job belongs to: given when it is created, there again at every attempt.

import { expect, it } from "vitest";
import { ChronosConfigError, type ChronosContext, queueConsumer } from "../src/index.ts";
import { pass, setUp } from "./setup.ts";

const TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const hello = { name: "One", handler: "hello" };

it("goes out as the header of create(), createMany() and trigger(), and of no other call", async () => {
  const { chronos, line } = setUp();
  const { id } = await chronos.jobs.create(hello, { traceparent: TRACE });
  const more = Array.from({ length: 101 }, () => hello);
  await chronos.jobs.createMany(more, { traceparent: TRACE });
  const schedule = await chronos.schedules.create({ ...hello, cron: "0 9 * * *" });
  await chronos.schedules.trigger(schedule.id, { traceparent: TRACE });
  await chronos.jobs.create(hello);
  await chronos.jobs.get(id);
  expect(
    line.sent.map(({ path, traceparent }) => [path.replace(schedule.id, ":id").replace(id, ":id"), traceparent]),
  ).toEqual([
    ["/v1/jobs", TRACE],
    ["/v1/jobs/batch", TRACE],
    ["/v1/jobs/batch", TRACE],
    ["/v1/schedules", undefined],
    ["/v1/schedules/:id/trigger", TRACE],
    ["/v1/jobs", undefined],
    ["/v1/jobs/:id", undefined],
  ]);
});

it("is sent again with each try", async () => {
  const { chronos, line } = setUp();
  line.breaks(/jobs$/, "lost");
  const created = chronos.jobs.create({ ...hello, idempotencyKey: "k" }, { traceparent: TRACE });
  await pass(10_000);
  await created;
  expect(line.sent.map(({ traceparent }) => traceparent)).toEqual([TRACE, TRACE]);
});

it.each([[TRACE], [null]])(
  "is there in the context of a worker, and of a queue's consumer: %s",
  async (traceparent) => {
    const { app, chronos } = setUp();
    const seen: ChronosContext["traceparent"][] = [];
    const handler = (ctx: ChronosContext) => void seen.push(ctx.traceparent);
    const options = { traceparent: traceparent ?? undefined };
    await chronos.jobs.create({ name: "polled", handler: "polled" }, options);
    chronos.worker.handle("polled", handler);
    void chronos.worker.start();
    await pass(100);
    const { id } = await chronos.jobs.create(hello, options);
    const message = { body: app.enqueue(app.job(id)), attempts: 1, ack: () => {}, retry: () => {} };
    void queueConsumer({ chronos, handlers: { hello: handler } })({ messages: [message] });
    await pass(100);
    expect(seen).toEqual([traceparent, traceparent]);
  },
);

it.each(["", "a\nb", "ä", "two, of them"])("is left out where no header can say it: %j", async (traceparent) => {
  const { chronos, line } = setUp();
  await chronos.jobs.create(hello, { traceparent });
  expect(line.sent.map((request) => request.traceparent)).toEqual([undefined]);
});

it.each([1, null])("must be a text: %j", async (wrong) => {
  const { chronos, line } = setUp();
  await expect(chronos.jobs.create(hello, { traceparent: wrong as never })).rejects.toThrow(ChronosConfigError);
  expect(line.sent).toEqual([]);
});
