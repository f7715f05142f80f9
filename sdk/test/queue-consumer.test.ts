import { expect, it, vi } from "vitest";
import { type ChronosHandler, type QueueMessage, queueConsumer } from "../src/index.ts";
import { refuse } from "./answers.ts";
import { REPORT } from "./line.ts";
import { gate, pass, setUp } from "./setup.ts";

const START = /\/start$/;

class Message implements QueueMessage {
  readonly body: unknown;
  readonly attempts: number;
  readonly fate: unknown[] = [];
  constructor(body: unknown, attempts = 1) {
    this.body = body;
    this.attempts = attempts;
  }
  ack() {
    this.fate.push("ack");
  }
  retry(options?: { delaySeconds?: number }) {
    this.fate.push(options ?? "retry");
  }
}

/** A consumer with these handlers, and as many queued jobs for `hello` as asked for. */
async function consumer(handlers: Record<string, ChronosHandler>, jobs = 1, timeout = 30) {
  const kit = setUp();
  const messages: Message[] = [];
  for (let i = 0; i < jobs; i++) {
    const { id } = await kit.chronos.jobs.create({ name: `${i}`, handler: "hello", payload: { i }, timeout });
    messages.push(new Message(kit.app.enqueue(kit.app.job(id))));
  }
  const queue = queueConsumer({ chronos: kit.chronos, handlers });
  const deliver = async (ms = 100) => {
    const done = queue({ messages });
    await pass(ms);
    return done;
  };
  return { ...kit, messages, deliver, queue };
}

it("starts, runs, completes and acks each message, all of a batch in parallel", async () => {
  const work = gate();
  let now = 0;
  const hello: ChronosHandler = async (ctx) => {
    now++;
    await work.promise;
    return ctx.payload;
  };
  const { app, messages, queue } = await consumer({ hello }, 5);
  const done = queue({ messages });
  await pass(10);
  expect(now).toBe(5);
  expect(messages.flatMap((one) => one.fate)).toEqual([]);
  work.open();
  await pass(10);
  await done;
  expect(app.jobs.map((job) => [job.status, job.result])).toEqual([0, 1, 2, 3, 4].map((i) => ["completed", { i }]));
  expect(messages.flatMap((one) => one.fate)).toEqual(Array(5).fill("ack"));
  expect(vi.getTimerCount()).toBe(0);
});

it("runs a message that is delivered twice once, at the same time or later", async () => {
  let runs = 0;
  const kit = await consumer({ hello: () => ++runs });
  kit.messages.push(new Message(kit.messages[0]?.body));
  await kit.deliver();
  await kit.deliver();
  expect(runs).toBe(1);
  expect(kit.app.jobs[0]).toMatchObject({ status: "completed", attempts: 1 });
  expect(kit.messages.flatMap((one) => one.fate)).toEqual(Array(4).fill("ack"));
});

it("keeps the lease of a handler that runs longer than it", async () => {
  const work = gate();
  const { app, messages, queue } = await consumer({ hello: () => work.promise }, 1, 3);
  const done = queue({ messages });
  await pass(10_000);
  work.open();
  await pass(10);
  await done;
  expect(app.jobs[0]).toMatchObject({ status: "completed", attempts: 1 });
});

it("reports a handler that throws and acks: the retry is the service's to send", async () => {
  const hello = () => {
    throw new Error("no");
  };
  const { app, messages, deliver } = await consumer({ hello });
  await deliver();
  expect(app.jobs[0]).toMatchObject({ status: "retrying", last_error: { message: "no" } });
  expect(messages[0]?.fate).toEqual(["ack"]);
});

it.each(["other", "constructor"])("fails a job nobody handles for good and acks (handlers: %s)", async (name) => {
  const { app, messages, deliver } = await consumer({ [name]: () => {} });
  await deliver();
  expect(app.jobs[0]).toMatchObject({
    status: "failed",
    last_error: { message: 'No handler is registered for "hello"' },
  });
  expect(messages[0]?.fate).toEqual(["ack"]);
});

it.each([
  ["the lease is another's", () => refuse(409, "lease_lost", "Lost")],
  ["the job is gone", () => refuse(404, "job_not_found", "Gone")],
])("acks without running when %s", async (_, answer) => {
  const hello = vi.fn();
  const { messages, deliver, line } = await consumer({ hello });
  line.breaks(START, answer);
  await deliver();
  expect(hello).not.toHaveBeenCalled();
  expect(messages[0]?.fate).toEqual(["ack"]);
});

it("acks without running a job that was cancelled while queued", async () => {
  const hello = vi.fn();
  const { app, chronos, messages, deliver } = await consumer({ hello });
  await chronos.jobs.cancel(String(app.jobs[0]?.id));
  await deliver();
  expect(hello).not.toHaveBeenCalled();
  expect(messages[0]?.fate).toEqual(["ack"]);
});

it.each([
  ["the network fails", "lost" as const],
  ["it is overloaded", () => refuse(503, "unavailable", "Later")],
  ["it breaks", () => refuse(500, "internal_error", "Oh")],
  ["a proxy answers", () => new Response("<h1>", { status: 404 })],
  ["the key is refused", () => refuse(401, "unauthorized", "No")],
])("leaves the message to be delivered again, later and later, when %s", async (_, fault) => {
  const { messages, queue, line } = await consumer({ hello: vi.fn() });
  line.breaks(START, fault, 3);
  const batch = [1, 3, 50].map((attempts) => new Message(messages[0]?.body, attempts));
  const done = queue({ messages: batch });
  await pass(100);
  await done;
  expect(batch.map((one) => one.fate)).toEqual([
    [{ delaySeconds: 10 }],
    [{ delaySeconds: 40 }],
    [{ delaySeconds: 300 }],
  ]);
});

it("asks for no redelivery before Retry-After", async () => {
  const { messages, deliver, line } = await consumer({ hello: vi.fn() });
  line.breaks(START, () => refuse(429, "rate_limit_exceeded", "Later", [], undefined, { "retry-after": "120" }));
  await deliver();
  expect(messages[0]?.fate).toEqual([{ delaySeconds: 130 }]);
});

it("acks when the report cannot get through: the lease's end brings the next attempt", async () => {
  const { messages, deliver, line } = await consumer({ hello: () => 1 });
  line.breaks(REPORT, "lost", 100);
  await deliver(60_000);
  expect(messages[0]?.fate).toEqual(["ack"]);
});

it.each([null, "text", {}, { job_id: 1, execution_id: 2 }])(
  "leaves what is no message of Chronos to the dead letters: %j",
  async (body) => {
    const { queue, line } = await consumer({ hello: vi.fn() }, 0);
    const message = new Message(body);
    await queue({ messages: [message] });
    expect(message.fate).toEqual(["retry"]);
    expect(line.sent).toEqual([]);
  },
);

it("refuses handlers that are no functions when it is made", () => {
  const { chronos } = setUp();
  const handlers = { hello: 1 as unknown as ChronosHandler };
  expect(() => queueConsumer({ chronos, handlers })).toThrow('Handler "hello" must be a function');
});
