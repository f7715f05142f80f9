// The SDK's overview, against the application in the same process.

import { beforeEach, expect, it, vi } from "vitest";
import { flush } from "../../workerd/overview/counts.ts";
import { newClient } from "./client.ts";

beforeEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  vi.spyOn(console, "log").mockImplementation(() => {});
});

it("shows what a worker has failed, and the job that is due", async () => {
  const chronos = await newClient();
  chronos.worker.handle("breaks", () => {
    throw new Error("out of stamps");
  });
  const job = await chronos.jobs.create({ name: "One", handler: "breaks", maxRetries: 0 });
  await chronos.jobs.create({ name: "Two", handler: "breaks", delay: { value: 5, unit: "minute" } });
  const work = chronos.worker.start();
  await vi.waitFor(async () => expect((await chronos.jobs.get(job.id)).status).toBe("failed"), 10_000);
  await chronos.worker.stop();
  await work;
  await flush();
  const { buckets, failing, due, overdue, dueCompleteUntil } = await chronos.overview({ window: "15m" });
  expect(buckets).toHaveLength(15);
  expect(buckets.reduce((sum, { failed }) => sum + failed, 0)).toBe(1);
  expect(failing).toMatchObject([
    { errorCode: "handler_error", handler: "breaks", host: null, count: 1, jobId: job.id },
  ]);
  expect(due.reduce((sum, { count }) => sum + count, 0)).toBe(1);
  expect(overdue).toEqual({ count: 0, complete: true, oldestRunAt: null });
  expect(dueCompleteUntil.getTime()).toBeGreaterThan(Date.now() + 3_500_000);
});

it("refuses a window that there is not", async () => {
  const chronos = await newClient();
  await expect(chronos.overview({ window: "2h" as "1h" })).rejects.toMatchObject({ status: 422 });
});
