// Why a job waits, and who asks for its handler (contract §10), in real time at the running service.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { showWaitingJob } from "../../src/domain/show-job.ts";
import type { showHandler } from "../../src/routes/handlers.ts";
import { Receiver } from "../harness/receiver.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Tenant } from "../harness/tenant.ts";
import { until } from "../harness/until.ts";

type Shown = ReturnType<typeof showWaitingJob>;
type HandlerJson = ReturnType<typeof showHandler>;

let service: Service;
let receiver: Receiver;
beforeAll(async () => {
  [service, receiver] = await Promise.all([sharedService(), Receiver.listen()]);
});
afterAll(() => receiver?.close());

const waitingOn = async (tenant: Tenant, id: string) => (await tenant.get<Shown>(`/v1/jobs/${id}`)).waiting_on;
const reasonOf = async (tenant: Tenant, id: string) => (await waitingOn(tenant, id))?.reason ?? null;

it.concurrent("a job for which no worker asks says so, until one takes it; the next one then waits for a worker", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "h" });
  await tenant.whenIt("queued", id);
  expect(await waitingOn(tenant, id)).toMatchObject({ reason: "no_worker", until: null });
  await tenant.mustClaim("h");
  expect(await waitingOn(tenant, id)).toBeNull();
  const next = await tenant.create({ handler: "h" });
  await tenant.whenIt("queued", next.id);
  expect(await waitingOn(tenant, next.id)).toMatchObject({
    reason: "waiting_for_worker",
    message: expect.stringMatching(/^A worker asked for `h` last at .* UTC; 1 job waits\./),
  });
});

it.concurrent("a job that is not due says when it is, and runs when it is told to", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(200);
  const far = await tenant.create({ ...target.delivery(), delay: { value: 2, unit: "day" } });
  expect(await waitingOn(tenant, far.id)).toMatchObject({
    reason: "not_due",
    since: far.created_at,
    until: far.scheduled_for,
  });
  await tenant.post(`/v1/jobs/${far.id}/run`);
  await tenant.whenIt("completed", far.id);
  expect(await waitingOn(tenant, far.id)).toBeNull();
});

it.concurrent("a job that failed says what failed, and when it goes on", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(503, 200);
  const { id } = await tenant.create({ ...target.delivery(), backoff: { type: "fixed", initial: 3_600 } });
  const job = await tenant.whenIt("retrying", id);
  expect(await waitingOn(tenant, id)).toMatchObject({
    reason: "backoff",
    message: expect.stringMatching(/^Attempt 1 failed \(http_status: .*503.*\)\. Attempt 2 starts at .* UTC\.$/),
    until: job.run_at,
  });
  await tenant.post(`/v1/jobs/${id}/run`);
  await tenant.whenIt("completed", id);
});

it.concurrent("a job that was due while its account was suspended says when it looks again, and may be run at once", async () => {
  const tenant = await service.newTenant();
  const target = receiver.target(200);
  const { id } = await tenant.create({ ...target.delivery(), delay: { value: 2, unit: "second" } });
  await service.operator.post(`/v1/admin/accounts/${tenant.id}/suspend`);
  await sleep(4_000);
  await service.operator.post(`/v1/admin/accounts/${tenant.id}/resume`);
  expect(await reasonOf(tenant, id)).toBe("account_suspended");
  await tenant.post(`/v1/jobs/${id}/run`);
  await tenant.whenIt("completed", id);
});

it.concurrent("the handlers of an account are listed, with what waits and who asks", async () => {
  const tenant = await service.newTenant();
  const { id } = await tenant.create({ handler: "offered" });
  await tenant.whenIt("queued", id);
  await tenant.post("/v1/worker/jobs/claim", { handlers: ["polled"], wait_time_seconds: 0, worker_id: "worker-1" });
  let listed: HandlerJson[] = [];
  const both = async () => {
    listed = await tenant.get<HandlerJson[]>("/v1/handlers");
    return listed.length === 2;
  };
  await until(both, 10_000, () => JSON.stringify(listed), 250);
  expect(listed).toMatchObject([
    { handler: "offered", unavailable: false, waiting: 1, last_poll_at: null, workers: [] },
    { handler: "polled", unavailable: false, waiting: 0, oldest_due_at: null, workers: [{ worker_id: "worker-1" }] },
  ]);
});
