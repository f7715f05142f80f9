// The SDK against the running service, in real time: what a user sees who starts from the quick start.

import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Chronos,
  type ChronosContext,
  ExecutionAbortedError,
  type FetchLike,
  rawJson,
  verifySignature,
} from "@chronos-edge/sdk";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { clientOf } from "./harness/client.ts";
import { line } from "./harness/line.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const executionsOf = async (chronos: Chronos, jobId: string) => (await chronos.jobs.executions(jobId).page()).items;

const eventually = <T>(holds: () => T | Promise<T>, interval = 20) => vi.waitFor(holds, { timeout: 30_000, interval });

/** By then the service knows of any client that it has gone (http/long-answer.ts). */
const NEWS_MS = 1_500;

/** Asked five times a second: a key may ask a hundred times in ten. */
const statusIs = (chronos: Chronos, jobId: string, status: string) =>
  eventually(async () => expect((await chronos.jobs.get(jobId)).status).toBe(status), 200);

it.concurrent("runs the quick start: a job created over HTTP goes at its time to the poll that waits for it", async () => {
  const tenant = await service.newTenant();
  const { sent, fetch } = line();
  const chronos = clientOf(tenant, { fetch });
  const begun = new Map<string, { at: number; ctx: ChronosContext }>();
  chronos.worker.handle("hello", async (ctx) => {
    begun.set(ctx.jobId, { at: Date.now(), ctx });
    return { ok: true };
  });
  const running = chronos.worker.start();

  const create = (i: number) => {
    const scheduled_for = new Date(Date.now() + 4_000 + i * 250).toISOString();
    const body = { name: "Hello", handler: "hello", payload: { to: "world" }, scheduled_for };
    return tenant.create(body);
  };
  const jobs = await Promise.all([0, 1, 2, 3, 4].map(create));
  await eventually(() => expect(begun.size).toBe(jobs.length));
  for (const { id, scheduled_for } of jobs) {
    expect(begun.get(id)?.at).toBeGreaterThanOrEqual(Date.parse(scheduled_for));
  }

  const [job] = jobs;
  const ctx = begun.get(job?.id ?? "")?.ctx;
  expect(ctx).toMatchObject({ jobId: job?.id, handler: "hello", attempt: 1, payload: { to: "world" } });
  expect(ctx?.scheduledFor).toEqual(new Date(job?.scheduled_for ?? 0));
  await statusIs(chronos, job?.id ?? "", "completed");
  expect((await chronos.jobs.get(job?.id ?? "")).result).toEqual({ ok: true });
  expect(sent.filter((path) => path.endsWith("/claim")).length).toBeLessThanOrEqual(jobs.length + 1);
  await chronos.worker.stop();
  await running;
});

/** A fetch whose answers have a Node.js stream as body, as those of node-fetch do. */
const overNodeHttp: FetchLike = async (url, { method, headers, body, signal }) => {
  const sent = request(url, { method, headers, signal }).end(body);
  const [answer] = (await once(sent, "response")) as [IncomingMessage];
  return { status: answer.statusCode ?? 0, headers: answer.headers, body: answer };
};

it.concurrent("creates, polls, runs and stops over a fetch whose bodies are Node.js streams", async () => {
  const tenant = await service.newTenant();
  const chronos = clientOf(tenant, { fetch: overNodeHttp });
  chronos.worker.handle("hello", ({ payload }) => payload);
  const running = chronos.worker.start();
  await sleep(1_500); // the poll waits: its answer has begun, and is spaces so far
  const { id } = await chronos.jobs.create({ name: "Hello", handler: "hello", payload: { to: "Ünal" } });
  await statusIs(chronos, id, "completed");
  expect(await chronos.jobs.get(id)).toMatchObject({ result: { to: "Ünal" }, attempts: 1 });
  const askedAt = performance.now();
  await chronos.worker.stop();
  await running;
  expect(performance.now() - askedAt).toBeLessThan(5_000); // the poll would have waited 20 s
});

it.concurrent("completes a handler that runs three times longer than its timeout, thanks to heartbeats", async () => {
  const tenant = await service.newTenant();
  const { sent, fetch } = line();
  const chronos = clientOf(tenant, { fetch });
  const deadlines: Date[] = [];
  chronos.worker.handle("long", async (ctx) => {
    deadlines.push(ctx.deadline);
    await sleep(12_000);
    deadlines.push(ctx.deadline);
    return { aborted: ctx.signal.aborted };
  });
  void chronos.worker.start({ workerId: "w1" });
  const { id } = await chronos.jobs.create({ name: "Long", handler: "long", timeout: 4, maxRetries: 0 });
  await statusIs(chronos, id, "completed");
  await chronos.worker.stop();

  expect((await chronos.jobs.get(id)).result).toEqual({ aborted: false });
  expect(await executionsOf(chronos, id)).toMatchObject([{ status: "completed", workerId: "w1" }]);
  expect(sent.filter((path) => path.endsWith("/heartbeat")).length).toBeGreaterThanOrEqual(6);
  expect(Number(deadlines[1]) - Number(deadlines[0])).toBeGreaterThan(8_000);
});

it.concurrent("times the same handler out without heartbeats, tries again, and drops what it says too late", async () => {
  const tenant = await service.newTenant();
  const logged: string[] = [];
  const warn = (message: string) => void logged.push(message);
  const logger = { debug() {}, info() {}, warn, error: warn };
  const { fetch } = line((path) => path.endsWith("/heartbeat"));
  const chronos = clientOf(tenant, { fetch, logger });
  const causes: string[] = [];
  chronos.worker.handle("long", async ({ attempt, signal }) => {
    signal.addEventListener("abort", () => {
      if (signal.reason instanceof ExecutionAbortedError) causes.push(signal.reason.abortCause);
    });
    if (attempt === 1) await sleep(7_000);
    return { attempt };
  });
  void chronos.worker.start({ concurrency: 2 });
  const { id } = await chronos.jobs.create({ name: "Long", handler: "long", timeout: 2, maxRetries: 1 });
  await statusIs(chronos, id, "completed");
  await eventually(() => expect(logged).toContain("Dropped a report: lease_lost"));
  await chronos.worker.stop();

  expect(causes).toEqual(["deadline"]);
  expect(await executionsOf(chronos, id)).toMatchObject([
    { attempt: 1, trigger: "scheduled", status: "timed_out", error: { code: "lease_expired" } },
    { attempt: 2, trigger: "system_retry", status: "completed" },
  ]);
  expect((await chronos.jobs.get(id)).result).toEqual({ attempt: 2 });
});

it.concurrent("learns from a heartbeat that its job was cancelled", async () => {
  const tenant = await service.newTenant();
  const chronos = clientOf(tenant);
  let reason: unknown;
  chronos.worker.handle("endless", async ({ signal }) => {
    await sleep(30_000, undefined, { signal }).catch(() => {});
    reason = signal.reason;
  });
  void chronos.worker.start();
  const { id } = await chronos.jobs.create({ name: "Endless", handler: "endless", timeout: 5 });
  await statusIs(chronos, id, "running");
  expect((await chronos.jobs.cancel(id)).status).toBe("cancelled");
  await eventually(() => expect(reason).toMatchObject({ name: "ExecutionAbortedError", abortCause: "cancelled" }));
  await chronos.worker.stop();
  expect(await executionsOf(chronos, id)).toMatchObject([{ status: "cancelled" }]);
});

it.concurrent("stops at once during a poll, and the next job is the next worker's", async () => {
  const tenant = await service.newTenant();
  const attempts: number[] = [];
  for (let round = 0; round < 3; round++) {
    const { sent, fetch } = line();
    const leaving = clientOf(tenant, { fetch });
    leaving.worker.handle("hello", () => "the wrong one");
    const running = leaving.worker.start();
    await eventually(() => expect(sent).toHaveLength(1));
    await sleep(200);
    const askedAt = performance.now();
    await leaving.worker.stop();
    await running;
    expect(performance.now() - askedAt).toBeLessThan(5_000); // the poll would have waited 20 s
    await sleep(NEWS_MS);

    const staying = clientOf(tenant);
    staying.worker.handle("hello", ({ attempt }) => attempts.push(attempt) && "the right one");
    const { id } = await staying.jobs.create({ name: "Hello", handler: "hello", timeout: 10 });
    void staying.worker.start();
    await statusIs(staying, id, "completed");
    await staying.worker.stop();
    expect((await staying.jobs.get(id)).result).toBe("the right one");
  }
  expect(attempts).toEqual([1, 1, 1]);
});

it.concurrent("loses no job to a worker that stops in the moment it comes", async () => {
  const tenant = await service.newTenant();
  const ids: string[] = [];
  for (let round = 0; round < 30; round++) {
    const leaving = clientOf(tenant);
    leaving.worker.handle("hello", () => "early");
    void leaving.worker.start();
    ids.push((await leaving.jobs.create({ name: `${round}`, handler: "hello", timeout: 1 })).id);
    await sleep(round % 15);
    await leaving.worker.stop();
  }
  const last = clientOf(tenant);
  last.worker.handle("hello", () => "late");
  void last.worker.start({ concurrency: 10 });
  const reader = clientOf(await tenant.anotherKey());
  for (const id of ids) await statusIs(reader, id, "completed");
  await last.worker.stop();
});

it.concurrent("waits at a stop for the handler and its report", async () => {
  const tenant = await service.newTenant();
  const chronos = clientOf(tenant);
  const said: string[] = [];
  chronos.worker.handle("work", async () => {
    said.push("begun");
    await sleep(700);
    said.push("ended");
    return "done";
  });
  const running = chronos.worker.start({ concurrency: 2 });
  const { id } = await chronos.jobs.create({ name: "Work", handler: "work" });
  await eventually(() => expect(said).toEqual(["begun"]));
  await chronos.worker.stop();
  expect(said).toEqual(["begun", "ended"]);
  expect(await chronos.jobs.get(id)).toMatchObject({ status: "completed", result: "done", attempts: 1 });
  await running;
});

it.concurrent("verifies what the service signs: with a body, without one, and while the secret rotates", async () => {
  const tenant = await service.newTenant();
  const { signingSecret } = tenant;
  const { jobs } = clientOf(tenant);
  const deliver = async (method: "POST" | "GET") => {
    const target = receiver.target(204);
    const { id } = await jobs.create({
      name: "Push",
      handler: "notify",
      payload: { to: "ada@example.com", é: 1 },
      delivery: { type: "push", http: { url: target.url, method } },
    });
    const delivery = await target.receives();
    expect(delivery.headers["webhook-id"]).toBe(id);
    return delivery;
  };

  const posted = await deliver("POST");
  expect(await verifySignature(posted, signingSecret)).toMatchObject({
    handler: "notify",
    attempt: 1,
    payload: { to: "ada@example.com", é: 1 },
  });
  await expect(verifySignature({ ...posted, body: `${posted.body} ` }, signingSecret)).rejects.toMatchObject({
    reason: "no_match",
  });

  const got = await deliver("GET");
  expect(got.body).toBe("");
  expect(await verifySignature(got, signingSecret)).toMatchObject({ handler: null, attempt: 1, payload: null });

  const rotated = await tenant.post<{ signing_secret: string }>("/v1/signing-secret/rotate", {});
  expect(rotated.signing_secret).not.toBe(signingSecret);
  const during = await deliver("POST");
  expect(await verifySignature(during, [signingSecret, rotated.signing_secret])).toMatchObject({ attempt: 1 });
  expect(await verifySignature(during, signingSecret)).toMatchObject({ attempt: 1 });
  await expect(verifySignature(during, rotated.signing_secret)).rejects.toMatchObject({ reason: "no_match" });
});

it.concurrent("carries a payload as text to a handler and its result back, with numbers that JavaScript cannot hold", async () => {
  const chronos = clientOf(await service.newTenant());
  const text = '{"id":12345678901234567890,"price":1.0,"10":1,"9":2,"id":-1e400}';
  chronos.worker.handle("echo", ({ payloadText }) => rawJson(payloadText ?? ""));
  const running = chronos.worker.start();
  const { id } = await chronos.jobs.create({ name: "Echo", handler: "echo", payload: rawJson(text) });
  await statusIs(chronos, id, "completed");
  expect(await chronos.jobs.get(id)).toMatchObject({
    payload: JSON.parse(text),
    payloadText: text,
    result: JSON.parse(text),
    resultText: text,
  });
  expect((await chronos.jobs.executions(id).page()).items).toMatchObject([{ resultText: text }]);
  await chronos.worker.stop();
  await running;
});

it.concurrent("says why a job waits, and names the worker that then asks for it", async () => {
  const chronos = clientOf(await service.newTenant());
  const { id } = await chronos.jobs.create({ name: "Hello", handler: "hello" });
  await statusIs(chronos, id, "queued");
  const { waitingOn, createdAt } = await chronos.jobs.get(id);
  expect(waitingOn).toMatchObject({ reason: "no_worker", until: null });
  expect(waitingOn?.since.getTime()).toBeGreaterThanOrEqual(createdAt.getTime());
  chronos.worker.handle("hello", () => ({ ok: true }));
  const running = chronos.worker.start({ workerId: "worker-1" });
  await statusIs(chronos, id, "completed");
  expect((await chronos.jobs.get(id)).waitingOn).toBeNull();
  const listed = { handler: "hello", unavailable: false, waiting: 0, workers: [{ workerId: "worker-1" }] };
  const list = async () => expect((await chronos.handlers.list().page()).items).toMatchObject([listed]);
  await eventually(list, 200);
  await chronos.worker.stop();
  await running;
});
