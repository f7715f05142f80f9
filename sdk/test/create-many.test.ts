// createMany(): batches within the service's limits, an entry for each input, and what is known when one fails.

import { describe, expect, it } from "vitest";
import { type BatchEntry, ChronosApiError, ChronosConnectionError, CreateManyError, rawJson } from "../src/index.ts";
import { refuse } from "./answers.ts";
import { outcomeOf, setUp } from "./setup.ts";

const BATCH = /\/v1\/jobs\/batch$/;
const many = (count: number, more: (i: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, i) => ({ name: `${i}`, handler: "a", ...more(i) }));
const keyed = (count: number) => many(count, (i) => ({ idempotencyKey: `k${i}` }));
const sizes = (line: ReturnType<typeof setUp>["line"]) =>
  line.sentTo(BATCH).map(({ body }) => (body.jobs as unknown[]).length);

it.each([
  [1, [1]],
  [100, [100]],
  [101, [100, 1]],
  [250, [100, 100, 50]],
])("sends %i jobs in batches of %j, and gives an entry for each in order", async (count, expected) => {
  const { chronos, line } = setUp();
  const entries = await chronos.jobs.createMany(many(count));
  expect(sizes(line)).toEqual(expected);
  expect(entries.map(({ created, job }) => [created, job.name])).toEqual(many(count).map(({ name }) => [true, name]));
});

it("sends nothing for no jobs", async () => {
  const { chronos, line } = setUp();
  expect(await chronos.jobs.createMany([])).toEqual([]);
  expect(line.sent).toEqual([]);
});

it("writes jobs as create() does, and gives their payloads as they were sent", async () => {
  const { chronos, line } = setUp();
  const payload = rawJson('{"account":12345678901234567890}');
  const [entry] = await chronos.jobs.createMany([
    { name: "One", handler: "a", payload, maxRetries: 0, tags: ["x"] },
    { name: "Two", delivery: { type: "push", http: { url: "https://a.example", method: "POST" } } },
  ]);
  expect(line.sent[0]?.body.jobs).toMatchObject([
    { name: "One", max_retries: 0, tags: ["x"] },
    { name: "Two", delivery: { type: "push" } },
  ]);
  // The service in memory parses; the real one keeps the text.
  expect(entry?.job.payloadText).toBe(JSON.stringify({ account: Number("12345678901234567890") }));
});

it("keeps each batch below the service's limit of bytes", async () => {
  const { chronos, line, app } = setUp();
  const text = "é".repeat(15_000);
  await chronos.jobs.createMany(many(80, () => ({ payload: { text } })));
  expect(app.jobs).toHaveLength(80);
  // 30 KB each: 34 fill 1,048,576 bytes.
  expect(sizes(line)).toEqual([34, 34, 12]);
});

it("says of a key in use that nothing was created, and shows its job", async () => {
  const { chronos } = setUp();
  const held = await chronos.jobs.create({ name: "Held", handler: "a", idempotencyKey: "k1" });
  const entries = await chronos.jobs.createMany(keyed(3));
  expect(entries.map(({ created }) => created)).toEqual([true, false, true]);
  expect(entries[1]?.job).toEqual(held);
});

it("refuses a mistake in any of them before anything is sent", async () => {
  const { chronos, line } = setUp();
  const inputs = many(150, (i) => (i === 149 ? { payload: { n: 1n } } : {}));
  await expect(chronos.jobs.createMany(inputs)).rejects.toThrow("The job 149 cannot be written as JSON");
  expect(line.sent).toEqual([]);
});

describe("when a batch fails", () => {
  it("throws the first one's own error: nothing came before", async () => {
    const { chronos } = setUp();
    const error = await outcomeOf(chronos.jobs.createMany(many(150, (i) => (i === 3 ? { name: "" } : {}))));
    expect(error).toBeInstanceOf(ChronosApiError);
    expect(error).toMatchObject({ code: "validation_error", errors: [{ field: "jobs.3.name" }] });
  });

  it("tells what became of the inputs before a later one, and sends none after it", async () => {
    const { chronos, line, app } = setUp();
    const held = await chronos.jobs.create({ name: "Held", handler: "a", idempotencyKey: "k7" });
    const inputs = many(350, (i) => (i === 203 ? { name: "" } : { idempotencyKey: `k${i}` }));
    const error = (await outcomeOf(chronos.jobs.createMany(inputs))) as CreateManyError;
    expect(error).toBeInstanceOf(CreateManyError);
    expect(error.cause).toMatchObject({ code: "validation_error", errors: [{ field: "jobs.3.name" }] });
    expect(error.message).toContain("inputs 200 to 299");
    expect(error.entries).toHaveLength(200);
    expect(error.entries[7]).toMatchObject({ created: false, job: { id: held.id } });
    expect(sizes(line)).toEqual([100, 100, 100]);
    expect(app.jobs).toHaveLength(200);
  });

  it("rejects with the signal's reason when the caller leaves between two batches", async () => {
    const { chronos, line } = setUp();
    const leaving = new AbortController();
    const call = chronos.jobs.createMany(many(150), { signal: leaving.signal });
    line.breaks(BATCH, () => {
      leaving.abort(new Error("left"));
      throw new TypeError("fetch failed");
    });
    expect(await outcomeOf(call)).toBe(leaving.signal.reason);
  });
});

describe("after a fault", () => {
  const made = (entries: unknown) => (entries as BatchEntry[]).map(({ created }) => created);

  it("repeats a batch after 429, keys or not", async () => {
    const { chronos, line, app } = setUp();
    line.breaks(BATCH, () => refuse(429, "rate_limit_exceeded", "Later"), 3);
    expect(await outcomeOf(chronos.jobs.createMany(many(2)))).toHaveLength(2);
    expect(app.jobs).toHaveLength(2);
  });

  it.each(["lost", "unanswered", "unsure"] as const)(
    "does not repeat a batch in which one job has no key: %s",
    async (fault) => {
      const { chronos, line } = setUp();
      line.breaks(BATCH, fault);
      const error = await outcomeOf(chronos.jobs.createMany([...keyed(2), ...many(1)]));
      expect(error).toBeInstanceOf(fault === "unsure" ? ChronosApiError : ChronosConnectionError);
      expect(sizes(line)).toEqual([3]);
    },
  );

  it.each(["lost", "unanswered", "unsure"] as const)(
    "repeats a batch of which each job has a key, and counts its own jobs as created: %s",
    async (fault) => {
      const { chronos, line, app } = setUp();
      await chronos.jobs.create({ name: "Held", handler: "a", idempotencyKey: "k1" });
      line.breaks(BATCH, fault);
      expect(made(await outcomeOf(chronos.jobs.createMany(keyed(3))))).toEqual([true, false, true]);
      expect(sizes(line)).toEqual([3, 3]);
      expect(app.jobs).toHaveLength(3);
    },
  );

  it("counts one job once, though two inputs say the same under one key", async () => {
    const { chronos, line } = setUp();
    line.breaks(BATCH, "unanswered");
    const same = { name: "One", handler: "a", idempotencyKey: "k" };
    expect(made(await outcomeOf(chronos.jobs.createMany([same, same])))).toEqual([true, false]);
  });

  it("does not count a job as its own when no try was lost", async () => {
    const { chronos } = setUp();
    await chronos.jobs.createMany(keyed(2));
    expect(made(await chronos.jobs.createMany(keyed(2)))).toEqual([false, false]);
  });
});
