// The SDK inside of workerd, against the application in the same process: it runs on Workers, and says what the real
// routes understand.

import { createMessageBatch } from "cloudflare:test";
import { beforeEach, expect, it, vi } from "vitest";
import { type QueueBatch, queueConsumer, rawJson } from "../../../sdk/src/index.ts";
import { losing, newClient, refusal, silent } from "./client.ts";

/** Real time, real queues: nothing here is held back. */
/** For jobs that nobody works off: their alarms shall not ring in somebody else's test. */
const TOMORROW = new Date(Date.now() + 86_400_000);

beforeEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.spyOn(console, "log").mockImplementation(() => {});
});

it("creates a job, reads it, and gives back what was sent in the types it promises", async () => {
  const { jobs } = await newClient();
  const scheduledFor = new Date(Date.now() + 3_600_000);
  const created = await jobs.create({
    name: "Welcome mail",
    handler: "email",
    payload: { user_name: "Ada", nested: { createdAt: 1 } },
    scheduledFor,
    idempotencyKey: "welcome-ada",
    timeout: 5,
    maxRetries: 1,
  });
  expect(created).toEqual({
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    scheduleId: null,
    name: "Welcome mail",
    handler: "email",
    status: "pending",
    payload: { user_name: "Ada", nested: { createdAt: 1 } },
    payloadText: '{"user_name":"Ada","nested":{"createdAt":1}}',
    delivery: { type: "pull" },
    timeout: 5,
    maxRetries: 1,
    idempotencyKey: "welcome-ada",
    tags: [],
    flow: null,
    callbacks: null,
    backoff: null,
    scheduledFor,
    expiresAt: null,
    origin: "api",
    revision: expect.any(Number),
    runAt: scheduledFor,
    attempts: 0,
    lastError: null,
    result: null,
    resultText: null,
    createdAt: expect.any(Date),
    updatedAt: expect.any(Date),
    completedAt: null,
  });
  expect(await jobs.get(created.id)).toEqual({ ...created, waitingOn: expect.objectContaining({ reason: "not_due" }) });
});

it("cancels, retries and cancels again, and tells what is no longer possible", async () => {
  const { jobs } = await newClient();
  const { id } = await jobs.create({ name: "One", handler: "hello", delay: { value: 1, unit: "week" } });
  expect(await jobs.cancel(id)).toMatchObject({ id, status: "cancelled", completedAt: expect.any(Date) });
  expect(await refusal(jobs.cancel(id))).toMatchObject({ code: "job_not_cancellable", status: 409, errors: [] });
  expect((await jobs.retry(id)).status).toBe("pending");
  await vi.waitFor(async () => expect((await jobs.get(id)).status).toBe("queued"));
  expect(await refusal(jobs.retry(id))).toMatchObject({ code: "job_not_retryable", status: 409 });
  expect((await jobs.cancel(id)).status).toBe("cancelled");
  const { items } = await jobs.executions(id).page();
  expect(items).toMatchObject([{ jobId: id, attempt: 1, trigger: "manual_retry", status: "cancelled" }]);
});

it("walks a list of many pages, and reads one with its numbers", async () => {
  const { jobs } = await newClient();
  const names = Array.from({ length: 7 }, (_, i) => `${i}`);
  for (const name of names) await jobs.create({ name, handler: "hello", delay: { value: 1, unit: "day" } });
  await jobs.create({ name: "other", handler: "other", delay: { value: 1, unit: "day" } });
  const seen: string[] = [];
  for await (const job of jobs.list({ handler: "hello", status: ["pending", "queued"], size: 3 })) seen.push(job.name);
  expect(seen).toEqual(names.toReversed());
  const list = jobs.list({ handler: "hello", scheduleId: null, createdAfter: new Date(0), size: 3 });
  const { items, paging } = await list.page({ page: 3 });
  expect(items.map(({ name }) => name)).toEqual(["0"]);
  expect(paging).toMatchObject({ page: 3, pages: 3, size: 3, total: 7, nextCursor: null });
});

it("a handler has the trace of its job, and what it says last of its progress stays with the execution", async () => {
  const { jobs, worker } = await newClient();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  let seen: string | null = null;
  worker.handle("import", async (ctx) => {
    seen = ctx.traceparent;
    ctx.progress({ rows: 1 });
    await vi.waitFor(async () =>
      expect((await jobs.executions(ctx.jobId).page()).items[0]?.progress).toEqual({ rows: 1 }),
    );
    ctx.progress(rawJson('{"rows":9007199254740993}'));
  });
  const { id } = await jobs.create({ name: "One", handler: "import" }, { traceparent });
  void worker.start();
  await vi.waitFor(async () => expect((await jobs.get(id)).status).toBe("completed"), 5_000);
  await worker.stop();
  expect(seen).toBe(traceparent);
  const { items } = await jobs.executions(id).page();
  expect(items).toMatchObject([{ status: "completed", progressText: '{"rows":9007199254740993}' }]);
});

it("tells a refusal with its code, status, fields and request", async () => {
  const { jobs } = await newClient();
  const invalid = await refusal(jobs.create({ name: "", handler: "hello", timeout: 0 }));
  expect(invalid).toMatchObject({ name: "ChronosApiError", code: "validation_error", status: 422 });
  expect(invalid.errors.map(({ field }) => field).sort()).toEqual(["name", "timeout"]);
  expect(invalid.requestId).toMatch(/^[0-9a-f-]{36}$/);
  expect(await refusal(jobs.get(crypto.randomUUID()))).toMatchObject({ code: "job_not_found", status: 404 });
  const stranger = await newClient({ apiKey: `chrns_${"x".repeat(43)}` });
  expect(await refusal(stranger.jobs.list().page())).toMatchObject({ code: "unauthorized", status: 401 });
});

it("hands over the job that holds an idempotency key", async () => {
  const { jobs } = await newClient();
  const first = await jobs.create({ name: "One", handler: "hello", idempotencyKey: "k", scheduledFor: TOMORROW });
  const conflict = await refusal(jobs.create({ name: "Two", handler: "hello", idempotencyKey: "k" }));
  expect(conflict).toMatchObject({ name: "IdempotencyKeyConflictError", status: 409, data: { id: first.id } });
});

it("makes one job when the answer to a create with a key is lost, and returns it", async () => {
  const { jobs } = await newClient({ fetch: losing(/\/v1\/jobs$/) });
  const asked = { name: "One", handler: "hello", payload: { b: 1, a: 2 }, scheduledFor: TOMORROW };
  const job = await jobs.create({ ...asked, idempotencyKey: "k" });
  expect((await jobs.list().page()).items.map(({ id }) => id)).toEqual([job.id]);
});

it("returns the cancelled job when the answer to a cancel is lost", async () => {
  const { jobs } = await newClient({ fetch: losing(/\/cancel$/) });
  const { id } = await jobs.create({ name: "One", handler: "hello", delay: { value: 1, unit: "day" } });
  expect(await jobs.cancel(id)).toMatchObject({ id, status: "cancelled" });
});

it("runs a worker: results are kept, errors retried, hopeless ones not", async () => {
  const { jobs, worker } = await newClient();
  worker
    .handle<{ to: string }>("email", ({ payload, attempt }) => ({ sent: payload.to, attempt }))
    .handle("broken", () => {
      throw new RangeError("too far");
    })
    .handle("hopeless", () => {
      throw Object.assign(new Error("never"), { name: "NonRetryableError" });
    });
  const running = worker.start({ concurrency: 3, workerId: "w1" });
  const create = (handler: string) => jobs.create({ name: handler, handler, payload: { to: "ada" } });
  const [email, broken, hopeless] = await Promise.all(["email", "broken", "hopeless"].map(create));
  const shows = (id: string | undefined, job: object) =>
    vi.waitFor(async () => expect(await jobs.get(id ?? "")).toMatchObject(job), { timeout: 5_000, interval: 100 });
  await shows(email?.id, { status: "completed", result: { sent: "ada", attempt: 1 } });
  await shows(broken?.id, { status: "retrying", lastError: { code: "handler_error", message: "RangeError: too far" } });
  await shows(hopeless?.id, { status: "failed", attempts: 1 });
  await jobs.cancel(broken?.id ?? "");
  await worker.stop();
  await running;
  expect((await jobs.executions(email?.id ?? "").page()).items).toMatchObject([
    { status: "completed", workerId: "w1" },
  ]);
});

it("ends a worker whose key the service refuses, and tells why", async () => {
  const { worker } = await newClient({ apiKey: `chrns_${"x".repeat(43)}` });
  worker.handle("hello", () => {});
  expect(await refusal(worker.start())).toMatchObject({ code: "unauthorized", status: 401 });
});

it("reports again when the answer to a report is lost, and the job ends once", async () => {
  const told: string[] = [];
  const logger = { ...silent, debug: (message: string) => void told.push(message) };
  const { jobs, worker } = await newClient({ fetch: losing(/\/report$/), logger });
  let runs = 0;
  worker.handle("hello", () => ++runs);
  void worker.start();
  const { id } = await jobs.create({ name: "One", handler: "hello" });
  await vi.waitFor(() => expect(told).toContain("Reported: complete"), { timeout: 5_000, interval: 50 });
  await worker.stop();
  expect(runs).toBe(1);
  expect(await jobs.get(id)).toMatchObject({ status: "completed", result: 1 });
  expect((await jobs.executions(id).page()).items).toMatchObject([{ attempt: 1, status: "completed" }]);
});

it("consumes a queue's messages once each, and acknowledges the duplicates", async () => {
  const chronos = await newClient();
  const { id } = await chronos.jobs.create({ name: "One", handler: "hello", payload: { to: "ada" } });
  const queued = await vi.waitFor(async () => {
    const [execution] = (await chronos.jobs.executions(id).page()).items;
    if (execution?.status !== "queued") throw new Error("not queued yet");
    return execution;
  });
  let runs = 0;
  const consume = queueConsumer({ chronos, handlers: { hello: () => ++runs } });
  const body = { job_id: id, execution_id: queued.id, handler: "hello" };
  const messages = ["a", "b"].map((name) => ({ id: name, timestamp: new Date(), attempts: 1, body }));
  const batch = createMessageBatch("emails", messages);
  const acks = batch.messages.map((message) => vi.spyOn(message, "ack"));
  await consume(batch satisfies QueueBatch);
  expect(acks.map((ack) => ack.mock.calls.length)).toEqual([1, 1]);
  expect(runs).toBe(1);
  expect(await chronos.jobs.get(id)).toMatchObject({ status: "completed", attempts: 1, result: 1 });
});
