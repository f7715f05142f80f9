// workerd dies with pending, queued and claimed jobs, and is started again: none is lost, and no retry is burned.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { quietPort } from "../harness/quiet-port.ts";
import { OwnService } from "../harness/service.ts";
import { Batch } from "./harness/batch.ts";
import { clientOf } from "./harness/client.ts";

const service = new OwnService({ port: await quietPort() });
beforeAll(() => service.ready());
afterAll(() => service.stop());

it("loses no job when workerd is killed with pending, queued and claimed jobs", async () => {
  const tenant = await service.newTenant();
  const slow = clientOf(await tenant.anotherKey());
  const quick = clientOf(await tenant.anotherKey());
  let claimed = 0;
  let runs = 0;
  slow.worker.handle("slow", async () => {
    claimed++;
    await sleep(5_000);
  });
  quick.worker.handle("quick", () => {
    runs++;
  });

  const queued = new Batch(tenant);
  await queued.create(20, (i) => ({ name: `queued ${i}`, handler: "quick" }));
  const running = new Batch(tenant);
  await running.create(5, (i) => ({ name: `claimed ${i}`, handler: "slow", timeout: 15 }));
  const pending = new Batch(tenant);
  await pending.create(10, (i) => ({ name: `due ${i}`, handler: "quick", delay: { value: 8, unit: "second" } }));
  void slow.worker.start({ concurrency: 5 });
  await expect.poll(() => claimed, { timeout: 10_000 }).toBe(5);
  const batches = [queued, running, pending];
  const everything = async () => (await Promise.all(batches.map((batch) => batch.histories()))).flat();
  const statuses = new Set((await everything()).map(({ job }) => job.status));
  expect(statuses).toEqual(new Set(["queued", "running", "pending"]));

  await service.crash();

  void quick.worker.start({ concurrency: 5 });
  for (const batch of batches) await batch.untilEnded(30_000);
  await Promise.all([slow.worker.stop(), quick.worker.stop()]);
  const after = await everything();
  expect(after).toHaveLength(35);
  for (const { job, executions } of after) {
    expect(job, job.name).toMatchObject({ status: "completed", attempts: 1 });
    expect(executions).toMatchObject([{ status: "completed", attempt: 1 }]);
  }
  expect({ claimed, runs }).toEqual({ claimed: 5, runs: 30 });
});
