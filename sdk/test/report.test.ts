import { expect, it } from "vitest";
import { NonRetryableError } from "../src/index.ts";
import { refuse } from "./fake-chronos.ts";
import type { Line } from "./line.ts";
import { NOON, pass, setUp } from "./setup.ts";

const REPORT = /\/(complete|fail)$/;

/** Runs one job of 30 s through this handler and lets `ms` pass. */
async function runOne(handler: () => unknown, prepare: (kit: { line: Line }) => void = () => {}, ms = 100) {
  const kit = setUp();
  prepare(kit);
  kit.chronos.worker.handle("hello", handler);
  const created = await kit.chronos.jobs.create({ name: "One", handler: "hello", timeout: 30 });
  void kit.chronos.worker.start();
  await pass(ms);
  const reports = kit.line.sentTo(REPORT);
  return { ...kit, job: kit.app.job(created.id), reports, report: reports[0] };
}

const thrown = (error: unknown) => () => {
  throw error;
};

it("leaves the result out when the handler returns nothing, and keeps null apart from it", async () => {
  expect((await runOne(() => {})).report?.body).not.toHaveProperty("result");
  expect((await runOne(() => null)).report?.body).toHaveProperty("result", null);
});

it("takes results up to 64 KB as UTF-8 and fails those a byte longer for good", async () => {
  // Each é is two bytes, the quotes are two.
  const fits = await runOne(() => "é".repeat(32_767));
  expect(fits.job.status).toBe("completed");
  const over = await runOne(() => `${"é".repeat(32_767)}x`);
  expect(over.job).toMatchObject({ status: "failed", last_error: { message: expect.stringContaining("65537 bytes") } });
});

const cycle: Record<string, unknown> = {};
cycle.self = cycle;
it.each([
  ["a BigInt", 1n],
  ["a cycle", cycle],
  ["a function", () => {}],
  ["a toJSON that throws", { toJSON: thrown(new Error("no")) }],
])("fails %s as a result for good, with a clear message", async (_, value) => {
  const { job, report } = await runOne(() => value);
  expect(job.status).toBe("failed");
  expect(report?.body).toMatchObject({
    error: { message: expect.stringMatching(/^The handler's result cannot be written as JSON: ./) },
    retryable: false,
  });
});

it("reports a thrown error with its message and name, to be retried", async () => {
  const { job, report } = await runOne(thrown(new RangeError("too far")));
  expect(report?.body).toMatchObject({ error: { message: "too far", name: "RangeError" }, retryable: true });
  expect(job.status).toBe("retrying");
});

it("reports NonRetryableError as final, also one of another package's making", async () => {
  expect((await runOne(thrown(new NonRetryableError("never")))).job.status).toBe("failed");
  const foreign = Object.assign(new Error("never"), { name: "NonRetryableError" });
  expect((await runOne(thrown(foreign))).job.status).toBe("failed");
});

it("cuts messages and names to what the service takes, and no character in half", async () => {
  const error = Object.assign(new Error(`${"m".repeat(4_095)}😀`), { name: "n".repeat(300) });
  const { report, job } = await runOne(thrown(error));
  expect(report?.body.error).toEqual({ message: "m".repeat(4_095), name: "n".repeat(255) });
  expect(job.status).toBe("retrying");
});

it.each([
  ["a string", "broken", "broken"],
  ["undefined", undefined, "The handler failed"],
  ["null", null, "The handler failed"],
  ["an object without a prototype", Object.create(null), "The handler failed"],
  ["an error without a message", new TypeError(""), "TypeError"],
  ["an error whose message throws", Object.defineProperty(new Error("x"), "message", { get: thrown(1) }), "Error"],
])("reports %s thrown as an error", async (_, value, message) => {
  const { report } = await runOne(thrown(value));
  expect(report?.body.error).toMatchObject({ message });
});

it.each(["lost", "unanswered"] as const)(
  "repeats a report that is %s until it is through, and the handler runs once",
  async (fault) => {
    let runs = 0;
    const { job, reports } = await runOne(
      () => ++runs,
      ({ line }) => line.breaks(REPORT, fault, 3),
      10_000,
    );
    expect(reports).toHaveLength(4);
    expect(new Set(reports.map((one) => JSON.stringify(one.body))).size).toBe(1);
    expect(job).toMatchObject({ status: "completed", result: 1, attempts: 1 });
  },
);

it("repeats a report after 429 and 503, honouring Retry-After", async () => {
  const later = () => refuse(503, "unavailable", "Later", [], undefined, { "retry-after": "4" });
  const { job, reports } = await runOne(
    () => 1,
    ({ line }) => line.breaks(REPORT, later),
    5_000,
  );
  expect(reports.map((one) => one.at - NOON)).toEqual([0, 4_500]);
  expect(job.status).toBe("completed");
});

it("gives up a report once the lease is surely gone, and goes on working", async () => {
  const { job, reports, app, logged } = await runOne(
    () => 1,
    ({ line }) => line.breaks(REPORT, "lost", 7),
    120_000,
  );
  expect(Math.max(...reports.slice(0, 6).map((one) => one.at - NOON))).toBeLessThanOrEqual(35_000);
  expect(logged("error")[0]).toContain("Gave up reporting");
  expect(app.executions.map((one) => one.status)).toEqual(["timed_out", "completed"]);
  expect(job.status).toBe("completed");
});

it("logs and drops a report whose lease was lost", async () => {
  const { reports, logged } = await runOne(
    () => 1,
    ({ line }) => line.breaks(REPORT, () => refuse(409, "lease_lost", "Too late")),
    10_000,
  );
  expect(reports).toHaveLength(1);
  expect(logged("warn")).toContain("Dropped a report: lease_lost");
});

it("fails the job for good when the service refuses a result we thought fit", async () => {
  const { job, reports } = await runOne(
    () => 1,
    ({ line }) => line.breaks(/\/complete$/, () => refuse(422, "validation_error", "Too deep")),
  );
  expect(reports.map((one) => one.path.split("/").pop())).toEqual(["complete", "fail"]);
  expect(job).toMatchObject({ status: "failed", last_error: { message: expect.stringContaining("Too deep") } });
});

it("does not repeat a report that a revoked key makes hopeless", async () => {
  const { reports, logged } = await runOne(
    () => 1,
    ({ line }) => line.breaks(REPORT, () => refuse(401, "unauthorized", "No such key"), 10),
    5_000,
  );
  expect(reports).toHaveLength(1);
  expect(logged("error")[0]).toContain("No such key");
});
