import { expect, it, vi } from "vitest";
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

const { proxy: revoked, revoke } = Proxy.revocable({}, {});
revoke();
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

class InvoiceGone extends NonRetryableError {
  override name = "InvoiceGone";
}
/** As a bundler leaves it. */
class t extends InvoiceGone {
  constructor(message: string) {
    super(message);
    this.name = new.target.name;
  }
}
const copy = (await import("../src/errors.ts?copy" as string)) as { NonRetryableError: typeof NonRetryableError };
it.each([
  ["itself", new NonRetryableError("never")],
  ["a subclass", new InvoiceGone("never")],
  ["a minified subclass of a subclass", new t("never")],
  ["one of another copy of this package", new copy.NonRetryableError("never")],
  ["a subclass of another copy's", new (class Gone extends copy.NonRetryableError {})("never")],
  ["one of another package", Object.assign(new Error("never"), { name: "NonRetryableError" })],
])("reports NonRetryableError as final: %s", async (_, error) => {
  const { job, report } = await runOne(thrown(error));
  expect(job.status).toBe("failed");
  expect(report?.body).toMatchObject({ error: { message: "never", name: error.name }, retryable: false });
});

it("knows another copy of the package when it meets one", () => {
  expect(new copy.NonRetryableError("never")).not.toBeInstanceOf(NonRetryableError);
});

it("retries what only resembles NonRetryableError", async () => {
  const error = Object.assign(new Error("again"), { name: "MyNonRetryableErrors", NonRetryableError: true });
  expect((await runOne(thrown(error))).job.status).toBe("retrying");
});

it("says what caused the error, as far as it is not said already", async () => {
  const refused = Object.assign(new AggregateError([new Error("connect ECONNREFUSED ::1:1")]), {
    code: "ECONNREFUSED",
  });
  const fetchFailed = new TypeError("fetch failed", { cause: refused });
  const circular = new Error("round");
  circular.cause = circular;
  const cases: [unknown, string][] = [
    [fetchFailed, "fetch failed: ECONNREFUSED: connect ECONNREFUSED ::1:1"],
    [new Error("No mail", { cause: fetchFailed }), "No mail: fetch failed: ECONNREFUSED: connect ECONNREFUSED ::1:1"],
    [new Error("No mail: timed out", { cause: new Error("timed out") }), "No mail: timed out"],
    [new Error("No mail", { cause: "the server is busy" }), "No mail: the server is busy"],
    [new Error("No mail", { cause: { status: 503 } }), 'No mail: {"status":503}'],
    [new AggregateError([new Error("a"), "b"], "All failed"), "All failed: a; b"],
    [circular, "round"],
  ];
  for (const [error, message] of cases) {
    expect((await runOne(thrown(error))).report?.body.error).toMatchObject({ message });
  }
});

it("replaces halves of characters, which the service refuses", async () => {
  const error = Object.assign(new Error("cut \ud83d here 😀"), { name: "Half\udc00" });
  const { report, job } = await runOne(thrown(error));
  expect(report?.body.error).toEqual({ message: "cut \ufffd here 😀", name: "Half\ufffd" });
  expect(job.status).toBe("retrying");
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
  ["a plain object", { code: 42, reason: "full" }, '{"code":42,"reason":"full"}'],
  ["a plain object with a message", { message: "full", code: 42 }, "full"],
  ["a plain object with a message that is none", { message: { text: "full" } }, '{"message":{"text":"full"}}'],
  ["a list of objects", [{ message: "full" }], '[{"message":"full"}]'],
  ["an object with a BigInt", { n: 1n }, '{"n":"1"}'],
  ["an object that cannot be JSON", cycle, "an object with self"],
  ["an object with a text of its own", { toString: () => "full" }, "full"],
  ["an empty object", {}, "The handler failed"],
  ["what throws whatever is asked of it", revoked, "The handler failed"],
  ["an error whose cause throws", Object.defineProperty(new Error("x"), "cause", { get: thrown(1) }), "x"],
  ["an answer", new Response("", { status: 503 }), "[object Response]"],
  ["an error with a code alone", Object.assign(new Error(""), { code: "EPIPE" }), "EPIPE"],
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

it("repeats a report while the account is suspended, until it is resumed", async () => {
  const { job, reports } = await runOne(
    () => 1,
    ({ line }) => line.breaks(REPORT, () => refuse(403, "account_suspended", "Suspended"), 4),
    20_000,
  );
  expect(reports).toHaveLength(5);
  expect(job).toMatchObject({ status: "completed", attempts: 1 });
});

it("gives a report up at the end of its lease, though the clock on the wall was set meanwhile", async () => {
  const kit = await runOne(
    () => 1,
    ({ line }) => line.breaks(REPORT, "lost", 1_000),
  );
  vi.setSystemTime(Date.now() - 3_600_000);
  await pass(36_000);
  expect(kit.logged("error")[0]).toContain("Gave up reporting");
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
