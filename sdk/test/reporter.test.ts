// Reports that are ready together go out in one call, and each keeps its own fate.

import { expect, it, vi } from "vitest";
import { refuse } from "./answers.ts";
import { REPORT } from "./line.ts";
import { gate, NOON, pass, setUp } from "./setup.ts";

/** So many jobs in a worker that runs them all; each handler ends when its gate opens, with that as its result. */
async function running(jobs: number, timeout = 30) {
  const kit = setUp();
  const gates: ReturnType<typeof gate<unknown>>[] = [];
  kit.chronos.worker.handle("hello", () => {
    const work = gate<unknown>();
    gates.push(work);
    return work.promise;
  });
  for (let i = 0; i < jobs; i++) {
    await kit.chronos.jobs.create({ name: `${i}`, handler: "hello", timeout, maxRetries: 0 });
  }
  void kit.chronos.worker.start({ concurrency: jobs });
  await pass(0);
  const endAll = () => gates.forEach((one, i) => void one.open(i));
  const calls = () =>
    kit.line.sentTo(REPORT).map(({ at, body }) => ({ at: at - NOON, count: (body.reports as unknown[]).length }));
  const statuses = () => kit.app.jobs.map(({ status }) => status);
  return { ...kit, gates, endAll, calls, statuses };
}

it("sends what is ready in the same turn in one call, at once", async () => {
  const { app, endAll, calls } = await running(25);
  endAll();
  await pass(0);
  expect(calls()).toEqual([{ at: 0, count: 25 }]);
  expect(app.jobs.map(({ status, result }) => [status, result])).toEqual(
    Array.from({ length: 25 }, (_, i) => ["completed", i]),
  );
});

it("sends a single report at once, and what gets ready meanwhile when that has been answered", async () => {
  const { gates, line, calls, statuses } = await running(4);
  line.latencyMs = 100;
  gates[0]?.open(0);
  await pass(10);
  gates[1]?.open(1);
  await pass(10);
  gates[2]?.open(2);
  await pass(200);
  gates[3]?.open(3);
  await pass(100);
  expect(calls()).toEqual([
    { at: 0, count: 1 },
    { at: 100, count: 2 },
    { at: 220, count: 1 },
  ]);
  expect(statuses()).toEqual(Array(4).fill("completed"));
});

it("holds no report back for longer than a quarter of a second, though a call hangs", async () => {
  const { gates, line, calls, statuses } = await running(3, 1);
  line.breaks(REPORT, "hangs");
  gates[0]?.open(0);
  await pass(100);
  gates[1]?.open(1);
  await pass(200);
  gates[2]?.open(2);
  await pass(10);
  expect(calls()).toEqual([
    { at: 0, count: 1 },
    { at: 250, count: 1 },
    { at: 300, count: 1 },
  ]);
  expect(statuses()).toEqual(["running", "completed", "completed"]);
});

it("splits what is ready into calls of a hundred reports", async () => {
  const { endAll, calls, statuses } = await running(150);
  endAll();
  await pass(0);
  expect(calls().map(({ count }) => count)).toEqual([100, 50]);
  expect(statuses()).toEqual(Array(150).fill("completed"));
});

it("splits what is ready into calls of a megabyte, counted in bytes of UTF-8", async () => {
  const { gates, line, calls, statuses } = await running(25);
  for (const one of gates) one.open("é".repeat(32_767));
  await pass(0);
  expect(calls().map(({ count }) => count)).toEqual([15, 10]);
  expect(statuses()).toEqual(Array(25).fill("completed"));
  const bytes = line.sentTo(REPORT).map(({ body }) => new TextEncoder().encode(JSON.stringify(body)).byteLength);
  expect(Math.max(...bytes)).toBeLessThanOrEqual(1_048_576);
});

it("gives each report of a call its own fate: accepted, lost, gone, or sent again", async () => {
  const { app, chronos, endAll, calls, line, logged } = await running(5);
  app.answers.push(
    undefined,
    { status: 409, code: "lease_lost" },
    { status: 404, code: "job_not_found" },
    { status: 503, code: "unavailable" },
    undefined,
  );
  endAll();
  await pass(400);
  expect(app.jobs.map(({ status }) => status)).toEqual(["completed", "running", "running", "running", "completed"]);
  await pass(100);
  expect(calls()).toEqual([
    { at: 0, count: 5 },
    { at: 500, count: 1 },
  ]);
  expect(line.reports.at(-1)?.body).toEqual(line.reports[3]?.body);
  expect(app.jobs[3]).toMatchObject({ status: "completed", result: 3 });
  expect(logged("warn")).toEqual([
    "Dropped a report: lease_lost",
    "Dropped a report: job_not_found",
    expect.stringContaining("A report failed, trying again"),
  ]);
  await chronos.worker.stop();
});

it("frees the slots of the reports that are through, while another of their call is sent again", async () => {
  const { app, chronos, endAll, gates } = await running(3);
  app.answers.push(undefined, { status: 503, code: "unavailable" });
  endAll();
  await pass(10);
  for (let i = 0; i < 5; i++) await chronos.jobs.create({ name: `${i}`, handler: "hello" });
  await pass(100);
  expect(gates).toHaveLength(5);
});

it.each(["lost", "unanswered", "unsure"] as const)(
  "repeats a call that is %s, and each job ends once with its own result",
  async (fault) => {
    const { app, line, endAll, calls } = await running(5);
    line.breaks(REPORT, fault, 2);
    endAll();
    await pass(10_000);
    expect(calls().map(({ count }) => count)).toEqual([5, 5, 5]);
    expect(new Set(line.sentTo(REPORT).map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect(app.jobs.map(({ status, result }) => [status, result])).toEqual(
      [0, 1, 2, 3, 4].map((i) => ["completed", i]),
    );
    expect(app.executions).toHaveLength(5);
  },
);

it("repeats all of a call that was half done when its answer was lost", async () => {
  const { app, line, endAll, calls } = await running(4);
  const down = { status: 503, code: "unavailable" };
  app.answers.push(undefined, down, undefined, down);
  line.breaks(REPORT, "unanswered");
  endAll();
  await pass(10);
  expect(app.jobs.map(({ status }) => status)).toEqual(["completed", "running", "completed", "running"]);
  await pass(1_000);
  expect(calls().map(({ count }) => count)).toEqual([4, 4]);
  expect(app.jobs.map(({ status, result }) => [status, result])).toEqual([0, 1, 2, 3].map((i) => ["completed", i]));
});

it("fails only the job whose result the service refuses, though it refuses the whole call", async () => {
  const { app, gates } = await running(9);
  gates.forEach((one, i) => void one.open(i === 5 ? "refused" : i));
  await pass(0);
  expect(app.jobs.map(({ status }) => status)).toEqual(
    Array.from({ length: 9 }, (_, i) => (i === 5 ? "failed" : "completed")),
  );
  expect(app.jobs[5]).toMatchObject({ last_error: { message: expect.stringMatching(/refused the handler's result/) } });
});

it("keeps reports together while the account is suspended, until it is resumed", async () => {
  const { app, chronos, endAll, calls, statuses } = await running(5);
  app.suspended = true;
  endAll();
  await pass(4_000);
  expect(calls()).toEqual([0, 500, 1_500, 3_500].map((at) => ({ at, count: 5 })));
  app.suspended = false;
  await pass(5_000);
  expect(statuses()).toEqual(Array(5).fill("completed"));
  await chronos.worker.stop();
});

it("repeats a report soon after its first failure, though one that has failed often is in the same call", async () => {
  const { gates, line, calls, statuses } = await running(3);
  line.breaks(REPORT, "lost", 3);
  gates[0]?.open(0);
  await pass(3_400);
  line.latencyMs = 200;
  gates[2]?.open(2);
  await pass(50);
  gates[1]?.open(1);
  await pass(200);
  line.breaks(REPORT, "lost");
  await pass(1_000);
  expect(calls().slice(3)).toEqual([
    { at: 3_400, count: 1 },
    { at: 3_600, count: 2 },
    { at: 4_300, count: 2 },
  ]);
  expect(statuses()).toEqual(Array(3).fill("completed"));
});

it("gives up each report with its own lease, and sends the others on", async () => {
  const kit = setUp();
  kit.chronos.worker.handle("hello", () => 1);
  for (const timeout of [1, 30]) await kit.chronos.jobs.create({ name: "One", handler: "hello", timeout });
  kit.line.breaks(REPORT, "lost", 5);
  void kit.chronos.worker.start({ concurrency: 2 });
  await pass(20_000);
  const counts = kit.line.sentTo(REPORT).map(({ body }) => (body.reports as unknown[]).length);
  expect(counts.slice(0, 6)).toEqual([2, 2, 2, 2, 1, 1]);
  expect(kit.logged("error")).toEqual([expect.stringContaining("Gave up reporting")]);
  expect(kit.app.jobs[1]).toMatchObject({ status: "completed", attempts: 1 });
});

it("asks a service that refuses the key once for all reports that are ready", async () => {
  const { line, endAll, calls, logged } = await running(20);
  line.breaks(REPORT, () => refuse(401, "unauthorized", "No such key"), 100);
  endAll();
  await pass(5_000);
  expect(calls()).toHaveLength(1);
  expect(logged("error").filter((message) => message.includes("No such key"))).toHaveLength(20);
});

it("waits on stop() for every report, also those that wait for a call or repeat it", async () => {
  const { chronos, line, gates, app } = await running(3);
  line.latencyMs = 100;
  line.breaks(REPORT, "unanswered");
  const stopped = chronos.worker.stop();
  gates[0]?.open(0);
  await pass(10);
  gates[1]?.open(1);
  await pass(2_000);
  gates[2]?.open(2);
  await pass(100);
  await stopped;
  expect(app.jobs.map(({ status, result }) => [status, result])).toEqual([0, 1, 2].map((i) => ["completed", i]));
  expect(vi.getTimerCount()).toBe(0);
});
