// `timeoutMs` and `signal` of single calls.

import { expect, it, vi } from "vitest";
import { type CallOptions, Chronos, ChronosConnectionError } from "../src/index.ts";
import { refuse } from "./answers.ts";
import { NOON, pass, setUp } from "./setup.ts";

const ID = "0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11";
const weekly = { name: "Weekly", handler: "a", cron: "0 9 * * MON" };
const CALLS: [string, (chronos: Chronos, options: CallOptions) => Promise<unknown>][] = [
  ["jobs.create", (c, o) => c.jobs.create({ name: "One", handler: "a", idempotencyKey: "k" }, o)],
  ["jobs.get", (c, o) => c.jobs.get(ID, o)],
  ["jobs.list", (c, o) => c.jobs.list({}, o).page()],
  ["iterating over jobs", (c, o) => c.jobs.list({}, o)[Symbol.asyncIterator]().next()],
  ["jobs.executions", (c, o) => c.jobs.executions(ID, o).page()],
  ["jobs.cancel", (c, o) => c.jobs.cancel(ID, o)],
  ["jobs.retry", (c, o) => c.jobs.retry(ID, o)],
  ["jobs.update", (c, o) => c.jobs.update(ID, { timeout: 5 }, o)],
  ["jobs.run", (c, o) => c.jobs.run(ID, o)],
  ["jobs.delete", (c, o) => c.jobs.delete(ID, o)],
  ["jobs.createMany", (c, o) => c.jobs.createMany([{ name: "One", handler: "a", idempotencyKey: "k" }], o)],
  ["jobs.bulk", (c, o) => c.jobs.bulk({ action: "cancel", all: true }, o)],
  ["bulk.get", (c, o) => c.bulk.get(ID, o)],
  ["bulk.list", (c, o) => c.bulk.list({}, o).page()],
  ["bulk.abort", (c, o) => c.bulk.abort(ID, o)],
  ["bulk.wait", (c, o) => c.bulk.wait(ID, o)],
  ["schedules.create", (c, o) => c.schedules.create(weekly, o)],
  ["schedules.ensure", (c, o) => c.schedules.ensure("k", weekly, o)],
  ["schedules.get", (c, o) => c.schedules.get(ID, o)],
  ["schedules.list", (c, o) => c.schedules.list({}, o).page()],
  ["schedules.update", (c, o) => c.schedules.update(ID, { runs: 2 }, o)],
  ["schedules.pause", (c, o) => c.schedules.pause(ID, o)],
  ["schedules.resume", (c, o) => c.schedules.resume(ID, o)],
  ["schedules.trigger", (c, o) => c.schedules.trigger(ID, o)],
  ["schedules.archive", (c, o) => c.schedules.archive(ID, o)],
  ["schedules.preview", (c, o) => c.schedules.preview(ID, 3, o)],
];

const ended = (call: Promise<unknown>) =>
  call.then(
    (value) => ({ value, at: Date.now() - NOON }),
    (error: unknown) => ({ error, at: Date.now() - NOON }),
  );

it.each(CALLS)("%s ends after its timeoutMs, to the millisecond", async (_, call) => {
  const { chronos, line } = setUp();
  line.breaks(/./, "hangs", 9);
  const end = ended(call(chronos, { timeoutMs: 2_500 }));
  await pass(60_000);
  const { error, at } = (await end) as { error: Error; at: number };
  expect(error).toBeInstanceOf(ChronosConnectionError);
  expect(error.message).toContain("No answer within 2.5 s");
  expect(at).toBe(2_500);
  expect(vi.getTimerCount()).toBe(0);
});

it.each(CALLS)("%s ends at once when its signal aborts, with the signal's reason", async (_, call) => {
  const { chronos, line } = setUp();
  line.breaks(/./, "hangs", 9);
  const leaving = new AbortController();
  const end = ended(call(chronos, { signal: leaving.signal }));
  await pass(1_000);
  leaving.abort(new Error("the client has left"));
  await pass(60_000);
  expect(await end).toEqual({ error: leaving.signal.reason, at: 1_000 });
  expect(line.sent).toHaveLength(1);
  expect(vi.getTimerCount()).toBe(0);
});

it.each(CALLS)("%s sends nothing when its signal has aborted before", async (_, call) => {
  const { chronos, line } = setUp();
  const { error } = (await ended(call(chronos, { signal: AbortSignal.abort() }))) as { error: unknown };
  expect(error).toMatchObject({ name: "AbortError" });
  expect(line.sent).toEqual([]);
});

it("counts all tries and pauses together, and does not pause when no time remains for another try", async () => {
  const { chronos, line } = setUp();
  line.breaks(/./, () => refuse(503, "unavailable", "Overloaded"), 9);
  const end = ended(chronos.jobs.get(ID, { timeoutMs: 1_500 }));
  await pass(60_000);
  // Tried at 0 and 0.5 s; the third try would begin at 1.5 s.
  expect(await end).toMatchObject({ error: { code: "unavailable" }, at: 500 });
  expect(line.sent).toHaveLength(2);
});

it("gives a later try only the time that is left", async () => {
  const { chronos, line } = setUp();
  line.breaks(/./, "lost");
  line.breaks(/./, "hangs", 9);
  const end = ended(chronos.jobs.get(ID, { timeoutMs: 1_000 }));
  await pass(60_000);
  expect(await end).toMatchObject({ error: { message: expect.stringContaining("within 0.5 s") }, at: 1_000 });
});

it("ends the pause before another try when the signal aborts", async () => {
  const { chronos, line } = setUp();
  line.breaks(/./, () => refuse(503, "unavailable", "Later", [], undefined, { "retry-after": "9" }), 9);
  const leaving = new AbortController();
  const end = ended(chronos.jobs.get(ID, { signal: leaving.signal }));
  await pass(2_000);
  leaving.abort();
  await pass(60_000);
  expect(await end).toMatchObject({ error: { name: "AbortError" }, at: 2_000 });
  expect(line.sent).toHaveLength(1);
});

it("counts the time anew for each page of a list", async () => {
  const { chronos, line } = setUp();
  for (let i = 0; i < 3; i++) await chronos.jobs.create({ name: `${i}`, handler: "a" });
  const seen: string[] = [];
  for await (const job of chronos.jobs.list({ size: 1 }, { timeoutMs: 1_000 })) {
    seen.push(job.name);
    await Promise.all([pass(900)]);
  }
  expect(seen).toEqual(["2", "1", "0"]);
  expect(line.sent.filter(({ method }) => method === "GET")).toHaveLength(3);
});

it("ends with a fetch that ignores its signal, and while a body trickles", async () => {
  const trickling = new ReadableStream({ pull: () => new Promise(() => {}) }, { highWaterMark: 0 });
  for (const fetch of [() => new Promise<Response>(() => {}), () => new Response(trickling)]) {
    const { app } = setUp();
    const chronos = new Chronos({ apiKey: app.apiKey, baseUrl: app.baseUrl, fetch });
    const leaving = new AbortController();
    const end = ended(chronos.jobs.get(ID, { signal: leaving.signal }));
    await pass(100);
    leaving.abort();
    await pass(0);
    expect(await end).toMatchObject({ error: { name: "AbortError" }, at: 100 });
  }
});

it("leaves no listener on a signal that lives on", async () => {
  const { chronos, line } = setUp();
  const { signal } = new AbortController();
  const added = vi.spyOn(signal, "addEventListener");
  const removed = vi.spyOn(signal, "removeEventListener");
  line.breaks(/./, "lost");
  const end = ended(chronos.jobs.list({}, { signal }).page());
  await pass(5_000);
  expect(await end).toMatchObject({ value: { items: [] } });
  const listeners = (calls: unknown[][]) => new Set(calls.map(([, listener]) => listener));
  expect(added.mock.calls.length).toBeGreaterThan(1);
  expect(listeners(removed.mock.calls)).toEqual(listeners(added.mock.calls));
});
