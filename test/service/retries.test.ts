// What becomes of a push whose target misbehaves (contract §3), seen in real time at a real target.

import { afterAll, beforeAll, expect, it } from "vitest";
import { freePort } from "../../local/port.ts";
import { hang, Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Execution } from "../harness/tenant.ts";

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

/** How long after the end of each attempt the next was due. */
function backoffs(executions: readonly Execution[]): number[] {
  const ends = executions.map(({ completed_at }) => Date.parse(completed_at ?? ""));
  return executions.slice(1).map(({ due_at }, i) => Date.parse(due_at) - (ends[i] ?? 0));
}

const durationMs = (execution: Execution | undefined): number =>
  Date.parse(execution?.completed_at ?? "") - Date.parse(execution?.started_at ?? "");

function expectBetween(value: number | undefined, min: number, max: number): void {
  expect(value).toBeGreaterThanOrEqual(min);
  expect(value).toBeLessThanOrEqual(max);
}

it.concurrent("makes three executions of 500, 500, 200, with the documented backoff between them", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(500, 500, 200);
  const job = await tenant.create(target.delivery());
  await target.receives(3);
  expect(await tenant.whenIt("completed", job.id)).toMatchObject({ attempts: 3, last_error: { code: "http_status" } });
  const executions = await tenant.executions(job.id);
  expect(executions).toMatchObject([
    { attempt: 1, trigger: "scheduled", status: "failed", error: { code: "http_status" }, response: { status: 500 } },
    { attempt: 2, trigger: "system_retry", status: "failed", response: { status: 500 } },
    { attempt: 3, trigger: "system_retry", status: "completed", response: { status: 200 }, error: null },
  ]);
  const [first, second] = backoffs(executions);
  expectBetween(first, 1_000, 2_000);
  expectBetween(second, 2_000, 4_000);
  const arrivals = target.deliveries.map(({ at }) => at);
  executions.forEach(({ due_at }, i) => {
    expect(arrivals[i]).toBeGreaterThanOrEqual(Date.parse(due_at));
  });
  expect(new Set(executions.map(({ id }) => id)).size).toBe(3);
});

it.concurrent("fails for good when the retries are used up", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(503);
  const job = await tenant.create({ ...target.delivery(), max_retries: 1 });
  const failed = await tenant.whenIt("failed", job.id);
  expect(failed).toMatchObject({ attempts: 2, run_at: null, last_error: { code: "http_status" } });
  expect(target.deliveries).toHaveLength(2);
});

it.concurrent("ends at once at a 404", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(404, 200);
  const job = await tenant.create(target.delivery());
  expect(await tenant.whenIt("failed", job.id)).toMatchObject({ attempts: 1, last_error: { code: "http_status" } });
  expect(target.deliveries).toHaveLength(1);
});

it.concurrent("cuts a target that hangs at the timeout, and tries again", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(hang, 200);
  const job = await tenant.create({ ...target.delivery(), timeout: 1 });
  await target.receives(2);
  expect(target.deliveries[0]?.cutAt).not.toBeNull();
  const executions = await tenant.executions(job.id);
  expect(executions[0]).toMatchObject({ status: "timed_out", error: { code: "timeout" }, response: null });
  expectBetween(durationMs(executions[0]), 1_000, 5_000); // the upper one for a machine that is busy
  expectBetween(backoffs(executions)[0], 1_000, 2_000);
});

it.concurrent("completes when the target said 200 and then hangs in its body", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target((response) => void response.writeHead(200).write("so far "));
  const job = await tenant.create(target.delivery());
  await tenant.whenIt("completed", job.id);
  const executions = await tenant.executions(job.id);
  expect(executions).toMatchObject([
    { status: "completed", response: { status: 200, body: "so far ", truncated: true } },
  ]);
  expectBetween(durationMs(executions[0]), 0, 15_000); // a body has five seconds, not the timeout's thirty
  expect(target.deliveries).toHaveLength(1);
});

it.concurrent("does not follow a redirect and does not try it again", async () => {
  const tenant = await service.newTenant();
  const elsewhere = receiver.target();
  const target = receiver.target((response) => response.writeHead(302, { Location: elsewhere.url }).end());
  const job = await tenant.create(target.delivery());
  await tenant.whenIt("failed", job.id);
  expect(await tenant.executions(job.id)).toMatchObject([
    { status: "failed", error: { code: "redirect" }, response: { status: 302, headers: { location: elsewhere.url } } },
  ]);
  expect([target.deliveries.length, elsewhere.deliveries.length]).toEqual([1, 0]);
});

it.concurrent("waits at least as long as Retry-After says", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target((response) => response.writeHead(429, { "Retry-After": "3" }).end(), 200);
  const job = await tenant.create(target.delivery());
  await target.receives(2);
  const [first, second] = target.deliveries;
  expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(3_000);
  await tenant.whenIt("completed", job.id);
  expect(backoffs(await tenant.executions(job.id))).toEqual([3_000]);
});

it.concurrent("keeps the first 4 KB of a big answer and lets go of the rest", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target((response) => response.writeHead(200).end("x".repeat(1_000_000)));
  const job = await tenant.create(target.delivery());
  await tenant.whenIt("completed", job.id);
  const [execution] = await tenant.executions(job.id);
  expect(execution?.response).toMatchObject({ status: 200, body: "x".repeat(4_096), truncated: true });
});

it.concurrent("calls a refused connection a network failure", async () => {
  const tenant = await service.newTenant();
  const url = `http://127.0.0.1:${await freePort(0)}/`;
  const delivery = { type: "push", http: { url, method: "POST" } };
  const job = await tenant.create({ delivery, max_retries: 1 });
  expect(await tenant.whenIt("failed", job.id)).toMatchObject({ attempts: 2, last_error: { code: "network" } });
  expect(await tenant.executions(job.id)).toMatchObject([
    { status: "failed", error: { code: "network" }, response: null },
    { status: "failed", error: { code: "network" } },
  ]);
});
