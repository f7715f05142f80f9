import { expect, it, vi } from "vitest";
import { Chronos, ChronosConfigError, type ChronosOptions } from "../src/index.ts";
import { setUp } from "./setup.ts";

const GOOD = { apiKey: "chrns_example", baseUrl: "https://chronos.example.com" };

const REFUSED: [string, Partial<Record<keyof ChronosOptions, unknown>>, RegExp][] = [
  ["a missing key", { apiKey: undefined }, /apiKey is required.*chrns_/],
  ["an empty key", { apiKey: "  " }, /apiKey is required/],
  ["a signing secret as key", { apiKey: "whsec_abc" }, /must start with chrns_/],
  ["a key with a line break", { apiKey: "chrns_a\nb" }, /no spaces/],
  ["a missing address", { baseUrl: undefined }, /baseUrl is required/],
  ["an address without a scheme", { baseUrl: "chronos.example.com" }, /not a URL/],
  ["another scheme than HTTP", { baseUrl: "ftp://chronos.example.com" }, /https:\/\//],
  ["an address with a query", { baseUrl: "https://chronos.example.com?x=1" }, /query/],
  ["an address that ends in /v1", { baseUrl: "https://chronos.example.com/v1/" }, /must not end in \/v1/],
  ["a poll longer than the service allows", { pollWaitTimeSeconds: 21 }, /0 to 20/],
  ["half a second of polling", { pollWaitTimeSeconds: 0.5 }, /integer/],
  ["a negative delay", { retryDelayMs: -1 }, /retryDelayMs/],
  ["a fetch that is no function", { fetch: {} }, /fetch must be a function/],
  ["a logger without methods", { logger: {} }, /debug\(\)/],
];

it.each(REFUSED)("refuses %s with a message to act on", (_, options, message) => {
  const make = () => new Chronos({ ...GOOD, ...options } as ChronosOptions);
  expect(make).toThrow(ChronosConfigError);
  expect(make).toThrow(message);
});

it("never repeats a refused key in its message", () => {
  expect(() => new Chronos({ ...GOOD, apiKey: "sk_live_secret" })).toThrow(/^(?!.*sk_live_secret)/);
});

it("drops trailing slashes of the address and keeps its path", async () => {
  const asked: string[] = [];
  const fetch = async (url: string) => {
    asked.push(url);
    return Response.json({ success: false, message: "No", code: "job_not_found", errors: [] }, { status: 404 });
  };
  const chronos = new Chronos({ ...GOOD, baseUrl: "https://example.com/chronos//", fetch });
  await expect(chronos.jobs.get("a")).rejects.toThrow("No");
  expect(asked).toEqual(["https://example.com/chronos/v1/jobs/a"]);
});

it("calls the global fetch as it is at the time of the call, without a receiver", async () => {
  const chronos = new Chronos(GOOD);
  const { app } = setUp();
  let receiver: unknown;
  vi.stubGlobal("fetch", function (this: unknown, ...args: Parameters<typeof fetch>) {
    receiver = this;
    return app.fetch(...args);
  });
  await expect(chronos.jobs.get("a")).rejects.toMatchObject({ code: "unauthorized" });
  vi.unstubAllGlobals();
  expect([undefined, globalThis]).toContain(receiver);
});

it("loses no job to a logger that throws", async () => {
  const broken = () => {
    throw new Error("disk full");
  };
  const { chronos, app } = setUp({ logger: { debug: broken, info: broken, warn: broken, error: broken } });
  const job = await chronos.jobs.create({ name: "One", handler: "hello" });
  chronos.worker.handle("hello", () => 1);
  const running = chronos.worker.start();
  await vi.advanceTimersByTimeAsync(100);
  await chronos.worker.stop();
  await running;
  expect(app.job(job.id).status).toBe("completed");
});
