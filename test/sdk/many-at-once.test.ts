// A worker of the SDK against the running service: it claims and reports many jobs at a time.

import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, vi } from "vitest";
import { sharedService } from "../harness/shared.ts";
import { Batch } from "./harness/batch.ts";
import { clientOf } from "./harness/client.ts";
import { line } from "./harness/line.ts";

it("runs a hundred jobs with a claim and a report for many at a time, each once", async () => {
  const JOBS = 100;
  const tenant = await (await sharedService()).newTenant();
  const jobs = new Batch(tenant);
  await jobs.create(JOBS, (i) => ({ name: `${i}`, handler: "work", payload: { i } }));
  const { sent, fetch } = line();
  const chronos = clientOf(tenant, { fetch });
  const ran: number[] = [];
  let now = 0;
  let most = 0;
  chronos.worker.handle<{ i: number }>("work", async ({ payload: { i } }) => {
    ran.push(i);
    most = Math.max(most, ++now);
    await sleep(20);
    now -= 1;
    return i;
  });
  void chronos.worker.start({ concurrency: 25 });
  await vi.waitFor(() => expect(ran.length).toBeGreaterThanOrEqual(JOBS), { timeout: 30_000, interval: 20 });
  await chronos.worker.stop();

  const histories = await jobs.histories();
  expect(histories.map(({ job }) => [job.status, job.result, job.attempts])).toEqual(
    histories.map(({ job }) => ["completed", (job.payload as { i: number }).i, 1]),
  );
  expect(new Set(ran).size).toBe(JOBS);
  expect(ran).toHaveLength(JOBS);
  expect(most).toBeLessThanOrEqual(25);
  const called = (call: string) => sent.filter((path) => path.endsWith(call)).length;
  console.info(`${JOBS} jobs: ${called("/claim")} claims, ${called("/report")} calls with reports`);
  expect(sent.length).toBeLessThan(JOBS);
});
