// workerd dies in the moment in which many jobs become due: what was in the queue is gone, since locally it lives in
// memory. Their own alarms offer them again after a minute, which is why this takes minutes and has its own command.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { quietPort } from "../../harness/quiet-port.ts";
import { OwnService } from "../../harness/service.ts";
import { Batch } from "../harness/batch.ts";
import { clientOf } from "../harness/client.ts";

const JOBS = 100;
const MOST_ROUNDS = 10;

const service = new OwnService({ port: await quietPort() });
beforeAll(() => service.ready());
afterAll(() => service.stop());

it("offers again what the queue lost, as the same execution", { timeout: 600_000 }, async () => {
  const tenant = await service.newTenant();
  const { worker } = clientOf(await tenant.anotherKey());
  worker.handle("hello", () => {});
  const batches: Batch[] = [];
  const histories = async () => (await Promise.all(batches.map((batch) => batch.histories()))).flat();

  // No crash loses something for sure: rounds, until one did.
  let lost = 0;
  for (let round = 0; lost === 0 && round < MOST_ROUNDS; round++) {
    const batch = new Batch(tenant);
    batches.push(batch);
    const dueAt = new Date(Date.now() + 10_000);
    await batch.create(JOBS, (i) => ({ name: `${i}`, handler: "hello", scheduledFor: dueAt }));
    await sleep(dueAt.getTime() + round * 15 - Date.now());
    await service.crash();
    void worker.start({ concurrency: 10 });
    await sleep(10_000);
    lost = (await batch.histories()).filter(({ job }) => job.status === "queued").length;
    if (lost === 0) await worker.stop();
  }
  expect(lost, "something was lost").toBeGreaterThan(0);
  console.info(`The queue lost ${lost} of ${JOBS} in round ${batches.length}`);

  for (const batch of batches) await batch.untilEnded(120_000);
  await worker.stop();
  for (const { job, executions } of await histories()) {
    expect(job).toMatchObject({ status: "completed", attempts: 1 });
    expect(executions).toMatchObject([{ status: "completed", attempt: 1 }]);
  }
});
