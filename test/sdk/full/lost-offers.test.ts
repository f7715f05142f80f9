// workerd dies in the moment in which many jobs become due: what was in the queue is gone, since locally it lives in
// memory. Their own alarms offer them again after a minute, which is why this takes minutes and has its own command.

import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Batch } from "../harness/batch.ts";
import { Service } from "../harness/service.ts";

const JOBS = 200;

let service: Service;
beforeAll(async () => {
  service = await Service.start();
});
afterAll(() => service?.stop());

it("offers again what the queue lost, as the same execution", { timeout: 300_000 }, async () => {
  const account = await service.newAccount();
  const [key = ""] = await service.moreKeys(account, 1);
  const dueAt = Date.now() + 20_000;
  const batch = new Batch(service, account);
  await batch.create(JOBS, (i) => ({ name: `${i}`, handler: "hello", scheduledFor: new Date(dueAt) }));
  expect(Date.now()).toBeLessThan(dueAt);
  await sleep(dueAt + 100 - Date.now());
  await service.killRuntime();

  const { worker } = service.client(key);
  worker.handle("hello", () => {});
  void worker.start({ concurrency: 10 });
  await batch.untilEnded(200_000);
  await worker.stop();
  const histories = await batch.histories();
  for (const { job, executions } of histories) {
    expect(job).toMatchObject({ status: "completed", attempts: 1 });
    expect(executions).toMatchObject([{ status: "completed", attempt: 1 }]);
  }
  const late = histories.filter(({ executions }) => (executions[0]?.latenessMs ?? 0) > 50_000);
  console.info(`${late.length} of ${JOBS} were offered again after a minute`);
  expect(late.length).toBeGreaterThan(0);
});
