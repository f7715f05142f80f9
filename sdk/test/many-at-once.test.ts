// A worker claims as many jobs as it has free slots.

import { expect, it, vi } from "vitest";
import { gate, pass, setUp } from "./setup.ts";

const CLAIM = /\/claim$/;

/** A worker whose handlers end when the test says so, in the order of their jobs. */
async function working(jobs: number, concurrency: number) {
  const kit = setUp();
  const gates: ReturnType<typeof gate<void>>[] = [];
  kit.chronos.worker.handle("hello", () => {
    const work = gate<void>();
    gates.push(work);
    return work.promise;
  });
  const create = async (count: number) => {
    for (let i = 0; i < count; i++) await kit.chronos.jobs.create({ name: `${i}`, handler: "hello" });
  };
  await create(jobs);
  void kit.chronos.worker.start({ concurrency });
  await pass(10);
  const asked = () => kit.line.sentTo(CLAIM).map(({ body }) => body.max_jobs);
  const running = () => kit.app.executions.filter(({ status }) => status === "running").length;
  return { ...kit, gates, create, asked, running };
}

it("asks for as many jobs as it has free slots, and leases no more than it runs", async () => {
  const { gates, asked, running } = await working(12, 5);
  expect([asked(), running(), gates.length]).toEqual([[5], 5, 5]);
  for (const one of gates.slice(1, 4)) one.open();
  await pass(10);
  expect([asked(), running(), gates.length]).toEqual([[5, 3], 5, 8]);
});

it("asks for a hundred at most", async () => {
  const { asked, running } = await working(160, 150);
  expect([asked(), running()]).toEqual([[100, 50], 150]);
});

it("asks at once for the slots that a claim left free", async () => {
  const { asked, create, running } = await working(2, 5);
  expect(asked()).toEqual([5, 3]);
  await create(1);
  await pass(100);
  expect([asked(), running()]).toEqual([[5, 3, 2], 3]);
});

it("keeps each lease from the moment of the answer, though handlers before it block the event loop", async () => {
  const { chronos, app, log } = setUp();
  vi.useRealTimers();
  const block = (ms: number) => {
    for (const until = performance.now() + ms; performance.now() < until; );
  };
  chronos.worker.handle("hello", () => block(400));
  for (let i = 0; i < 4; i++) {
    await chronos.jobs.create({ name: `${i}`, handler: "hello", timeout: 1, maxRetries: 0 });
  }
  void chronos.worker.start({ concurrency: 4 });
  await vi.waitFor(() => expect(app.jobs.map(({ completed_at }) => completed_at)).not.toContain(null), 5_000);
  await chronos.worker.stop();
  expect(app.jobs.map(({ status }) => status)).toEqual(Array(4).fill("completed"));
  expect(log.filter(({ level }) => level === "warn")).toEqual([]);
});

it("does not start the handler of a job that was cancelled while others blocked", async () => {
  const { chronos, app, line } = setUp();
  vi.useRealTimers();
  const ran: number[] = [];
  chronos.worker.handle<{ i: number }>("hello", ({ payload: { i } }) => {
    ran.push(i);
    const last = app.jobs.at(-1);
    if (i === 0 && last) void chronos.jobs.cancel(last.id);
    for (const until = performance.now() + 400; performance.now() < until; );
  });
  for (let i = 0; i < 4; i++) {
    await chronos.jobs.create({ name: `${i}`, handler: "hello", payload: { i }, timeout: 1, maxRetries: 0 });
  }
  void chronos.worker.start({ concurrency: 4 });
  await vi.waitFor(() => expect(app.jobs.filter(({ status }) => status === "completed")).toHaveLength(3), 5_000);
  await chronos.worker.stop();
  expect(ran).toEqual([0, 1, 2]);
  expect(line.reports).toHaveLength(3);
});
