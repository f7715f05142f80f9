import { expect, it, vi } from "vitest";
import {
  ChronosApiError,
  ChronosConfigError,
  ChronosConnectionError,
  ChronosError,
  IdempotencyKeyConflictError,
  type NewJob,
} from "../src/index.ts";
import { refuse } from "./answers.ts";
import { NOON, outcomeOf, pass, setUp } from "./setup.ts";

const JOBS = /\/v1\/jobs$/;
const unavailable = () => refuse(503, "unavailable", "Overloaded");
const broken = () => refuse(500, "internal_error", "Something broke");

it("sends a new job in the API's names and never renames what is the user's", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs.create({
    name: "One",
    handler: "hello",
    payload: { userName: "Ada", nested: { createdAt: 1 } },
    scheduledFor: new Date(NOON + 60_000),
    idempotencyKey: "k",
    delivery: { type: "push", http: { url: "https://a.example", method: "POST", headers: { "X-My-Header": "v" } } },
    timeout: 5,
    maxRetries: 0,
    tags: ["import-17"],
    flow: "mail",
    callbacks: { failed: { url: "https://a.example/failed", headers: { "X-My-Header": "v" } } },
    backoff: { type: "fixed", initial: 60, jitter: false },
    expiresAfter: { value: 1, unit: "day" },
    onConflict: "reject",
  });
  expect(line.sent[0]?.body).toEqual({
    name: "One",
    handler: "hello",
    payload: { userName: "Ada", nested: { createdAt: 1 } },
    scheduled_for: "2030-01-01T12:01:00.000Z",
    idempotency_key: "k",
    delivery: { type: "push", http: { url: "https://a.example", method: "POST", headers: { "X-My-Header": "v" } } },
    timeout: 5,
    max_retries: 0,
    tags: ["import-17"],
    flow: "mail",
    callbacks: { failed: { url: "https://a.example/failed", headers: { "X-My-Header": "v" } } },
    backoff: { type: "fixed", initial: 60, jitter: false },
    expires_after: { value: 1, unit: "day" },
    on_conflict: "reject",
  });
});

it("leaves out what was not given, so that the service's defaults apply", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs.create({ name: "One", handler: "hello" });
  expect(line.sent[0]?.body).toEqual({ name: "One", handler: "hello" });
});

it("gives jobs back in camelCase with Dates, their payload untouched", async () => {
  const { chronos } = setUp();
  const job = await chronos.jobs.create({
    name: "One",
    handler: "hello",
    payload: { user_name: "Ada" },
    delay: { value: 2, unit: "minute" },
    expiresAfter: { value: 1, unit: "hour" },
    tags: ["t"],
    flow: "mail",
  });
  expect(await chronos.jobs.get(job.id)).toEqual({
    id: job.id,
    scheduleId: null,
    name: "One",
    handler: "hello",
    status: "pending",
    payload: { user_name: "Ada" },
    payloadText: '{"user_name":"Ada"}',
    delivery: { type: "pull" },
    timeout: 30,
    maxRetries: 3,
    idempotencyKey: null,
    tags: ["t"],
    flow: "mail",
    callbacks: null,
    backoff: null,
    scheduledFor: new Date(NOON + 120_000),
    expiresAt: new Date(NOON + 120_000 + 3_600_000),
    runAt: new Date(NOON + 120_000),
    attempts: 0,
    lastError: null,
    result: null,
    resultText: null,
    origin: "api",
    revision: 1,
    createdAt: new Date(NOON),
    updatedAt: new Date(NOON),
    completedAt: null,
  });
});

it("passes a time given as text on as it stands, and refuses a Date that is none", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs.create({ name: "One", handler: "a", scheduledFor: "2030-01-01T14:00:00+01:00" });
  expect(line.sent[0]?.body.scheduled_for).toBe("2030-01-01T14:00:00+01:00");
  const invalid = chronos.jobs.create({ name: "One", handler: "a", scheduledFor: new Date("soon") });
  await expect(invalid).rejects.toThrow("scheduledFor is not a valid date");
});

it("refuses a payload that is no JSON and an empty id without asking the service", async () => {
  const { chronos, line } = setUp();
  await expect(chronos.jobs.create({ name: "One", handler: "a", payload: { n: 1n } })).rejects.toThrow(
    ChronosConfigError,
  );
  await expect(chronos.jobs.get("")).rejects.toThrow(ChronosConfigError);
  await expect(chronos.jobs.cancel("")).rejects.toThrow(ChronosConfigError);
  expect(line.sent).toHaveLength(0);
});

it("keeps an odd id inside its place in the path", async () => {
  const { chronos, line } = setUp();
  await expect(chronos.jobs.get("../admin?x")).rejects.toThrow();
  expect(line.sent[0]?.path).toBe("/v1/jobs/..%2Fadmin%3Fx");
});

it("throws refusals with code, status, fields and request id, and a message that names the fields", async () => {
  const { chronos } = setUp();
  const error = await outcomeOf(chronos.jobs.create({ name: "", handler: "a" }));
  expect(error).toBeInstanceOf(ChronosApiError);
  expect(error).toBeInstanceOf(ChronosError);
  expect(error).toMatchObject({
    code: "validation_error",
    status: 422,
    errors: [{ field: "name", message: "is required" }],
    requestId: "req-refused",
    retryAfterMs: null,
    message: "The job is not valid (name: is required)",
  });
});

it("says unexpected_response for an answer that is not the service's own", async () => {
  const { chronos, line } = setUp();
  line.breaks(/./, () => new Response("<h1>Not found</h1>", { status: 404 }));
  const error = await outcomeOf(chronos.jobs.get("a"));
  expect(error).toMatchObject({
    code: "unexpected_response",
    status: 404,
    message: expect.stringContaining("baseUrl"),
  });
  expect(line.sent).toHaveLength(1);
});

it("does not follow redirects: the key must not travel", async () => {
  const { chronos, line } = setUp();
  line.breaks(/./, () => new Response(null, { status: 301, headers: { location: "https://evil.example" } }));
  expect(await outcomeOf(chronos.jobs.get("a"))).toMatchObject({ code: "unexpected_response", status: 301 });
  expect(line.sent[0]?.redirect).toBe("manual");
});

it("gives a request up after 30 s and says so", async () => {
  const { chronos, line } = setUp();
  line.breaks(/./, "hangs", 9);
  const error = await outcomeOf(chronos.jobs.create({ name: "One", handler: "a" }));
  expect(error).toBeInstanceOf(ChronosConnectionError);
  expect(error).toMatchObject({ message: expect.stringContaining("No answer within 30 s") });
});

it("repeats create() after 429 even without a key: nothing was created", async () => {
  const { chronos, line, app } = setUp();
  line.breaks(JOBS, () => refuse(429, "rate_limit_exceeded", "Too many"), 2);
  expect(await outcomeOf(chronos.jobs.create({ name: "One", handler: "a" }))).toMatchObject({ name: "One" });
  expect(app.jobs).toHaveLength(1);
});

it.each([
  ["a network fault", "unanswered" as const],
  ["a 500", broken],
  ["a 503 of a store that did it all the same", "unsure" as const],
  ["a proxy's 503", () => new Response("Bad gateway", { status: 503 })],
])("does not repeat create() without a key after %s: it may exist", async (_, fault) => {
  const { chronos, line } = setUp();
  line.breaks(JOBS, fault);
  expect(await outcomeOf(chronos.jobs.create({ name: "One", handler: "a" }))).toBeInstanceOf(ChronosError);
  expect(line.sentTo(JOBS)).toHaveLength(1);
});

it("repeats create() with a key after a network fault, byte for byte", async () => {
  const { chronos, line, app } = setUp();
  line.breaks(JOBS, "lost", 3);
  const job = await outcomeOf(chronos.jobs.create({ name: "One", handler: "a", idempotencyKey: "k" }));
  expect(job).toMatchObject({ idempotencyKey: "k" });
  expect(new Set(line.sentTo(JOBS).map((one) => JSON.stringify(one.body))).size).toBe(1);
  expect(app.jobs).toHaveLength(1);
});

it("asks for answers that no cache has kept, where the platform knows the word", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs.create({ name: "One", handler: "a" });
  await chronos.jobs.list().page();
  expect(line.sent.map((one) => one.cache)).toEqual(["no-store", "no-store"]);
  class Strict extends Request {
    constructor(input: string, init?: RequestInit) {
      if (init?.cache !== undefined) throw new TypeError("The 'cache' field is not implemented");
      super(input, init);
    }
  }
  vi.stubGlobal("Request", Strict);
  const old = setUp();
  vi.unstubAllGlobals();
  await old.chronos.jobs.list().page();
  expect(old.line.sent.map((one) => one.cache)).toEqual([undefined]);
});

it("says why a request got no answer, down to the cause", async () => {
  const { chronos, line } = setUp();
  const cause = Object.assign(new AggregateError([new Error("connect ECONNREFUSED ::1:8787")]), {
    code: "ECONNREFUSED",
  });
  line.breaks(
    /./,
    () => {
      throw new TypeError("fetch failed", { cause });
    },
    9,
  );
  const error = await outcomeOf(chronos.jobs.create({ name: "One", handler: "a" }));
  expect(error).toMatchObject({
    message: "POST /v1/jobs got no answer: fetch failed: ECONNREFUSED: connect ECONNREFUSED ::1:8787",
  });
});

it("gives up after four tries", async () => {
  const { chronos, line } = setUp();
  line.breaks(JOBS, unavailable, 9);
  const call = chronos.jobs.create({ name: "One", handler: "a", idempotencyKey: "k" });
  expect(await outcomeOf(call)).toMatchObject({ code: "unavailable" });
  expect(line.sentTo(JOBS)).toHaveLength(4);
});

it.each(["unanswered", "unsure"] as const)("returns the job its own %s try created, and no conflict", async (fault) => {
  const { chronos, line, app } = setUp();
  line.breaks(JOBS, fault);
  const input = { name: "One", handler: "a", payload: { b: 1, a: [2] }, idempotencyKey: "k" };
  const job = await outcomeOf(chronos.jobs.create(input));
  expect(job).toMatchObject({ id: app.jobs[0]?.id, idempotencyKey: "k" });
  expect(app.jobs).toHaveLength(1);
});

it.each([10_000, -10_000, 31_536_000_000])(
  "knows its own job though the service's clock is %i ms ahead",
  async (aheadMs) => {
    const { chronos, line, app } = setUp({}, { aheadMs });
    line.breaks(JOBS, "unanswered");
    const push = { type: "push", http: { url: "https://a.example", method: "POST" } } as const;
    const input = { name: "One", delivery: push, delay: { value: 2, unit: "day" }, idempotencyKey: "k" } as const;
    expect(await outcomeOf(chronos.jobs.create(input))).toMatchObject({ id: app.jobs[0]?.id });
    expect(app.jobs).toHaveLength(1);
  },
);

const ASKED = { name: "One", handler: "a", payload: { amount: 1 }, idempotencyKey: "k" };
const AT = new Date(NOON + 60_000);
it.each<[string, Partial<NewJob>, Partial<NewJob>]>([
  ["another name", {}, { name: "Two" }],
  ["another handler", {}, { handler: "b" }],
  ["another payload", {}, { payload: { amount: 2 } }],
  ["another timeout", {}, { timeout: 5 }],
  ["other retries", { maxRetries: 1 }, { maxRetries: 2 }],
  ["another time", { scheduledFor: AT }, { scheduledFor: new Date(NOON + 61_000) }],
  ["a time in place of none", {}, { scheduledFor: AT }],
  ["another delay", { delay: { value: 1, unit: "minute" } }, { delay: { value: 61, unit: "second" } }],
  ["other tags", { tags: ["a"] }, { tags: ["a", "b"] }],
  ["another flow", {}, { flow: "mail" }],
  ["another callback", {}, { callbacks: { failed: { url: "https://a.example" } } }],
  ["another backoff", {}, { backoff: { type: "fixed" } }],
  ["another end", { expiresAfter: { value: 1, unit: "hour" } }, { expiresAfter: { value: 61, unit: "minute" } }],
  ["no end", { expiresAfter: { value: 1, unit: "hour" } }, {}],
  ["another queue", {}, { delivery: { type: "pull", queue: "q" } }],
  ["another target", {}, { delivery: { type: "push", http: { url: "https://a.example", method: "GET" } } }],
])("still throws the conflict after a lost try if the job has %s", async (_, held, asked) => {
  const { chronos, line } = setUp();
  await chronos.jobs.create({ ...ASKED, ...held } as NewJob);
  line.breaks(JOBS, "lost");
  const error = await outcomeOf(chronos.jobs.create({ ...ASKED, ...asked } as NewJob));
  expect(error).toBeInstanceOf(IdempotencyKeyConflictError);
});

it("still throws the conflict after a lost try if the job has lived longer than the call", async () => {
  const { chronos, line, app } = setUp();
  const { id } = await chronos.jobs.create({ ...ASKED, delay: { value: 1, unit: "minute" } });
  const later = (ms: number) => Object.assign(app.job(id), { updated_at: new Date(NOON + ms).toISOString() });
  const create = () => {
    line.breaks(JOBS, "lost");
    return outcomeOf(chronos.jobs.create({ ...ASKED, delay: { value: 1, unit: "minute" } }));
  };
  // The call lasts for the half second between its two tries; two clocks may differ by two more.
  later(2_500);
  expect(await create()).toMatchObject({ id });
  later(2_501);
  expect(await create()).toBeInstanceOf(IdempotencyKeyConflictError);
});

it("shows the job that holds the key in a conflict", async () => {
  const { chronos } = setUp();
  const held = await chronos.jobs.create({ name: "One", handler: "a", idempotencyKey: "k" });
  const error = await outcomeOf(chronos.jobs.create({ name: "Two", handler: "a", idempotencyKey: "k" }));
  expect(error).toBeInstanceOf(IdempotencyKeyConflictError);
  expect(error).toMatchObject({
    code: "idempotency_key_conflict",
    status: 409,
    data: { id: held.id, createdAt: held.createdAt },
  });
});

it("waits as long as Retry-After says, but leaves more than a minute to the caller", async () => {
  const { chronos, line } = setUp();
  line.breaks(JOBS, () => refuse(429, "rate_limit_exceeded", "Later", [], undefined, { "retry-after": "60" }));
  await outcomeOf(chronos.jobs.create({ name: "One", handler: "a" }));
  expect(line.sentTo(JOBS).map((one) => one.at - NOON)).toEqual([0, 60_500]);
  line.breaks(JOBS, () => refuse(429, "rate_limit_exceeded", "Later", [], undefined, { "retry-after": "61" }));
  const error = await outcomeOf(chronos.jobs.create({ name: "Two", handler: "a" }));
  expect(error).toMatchObject({ code: "rate_limit_exceeded", retryAfterMs: 61_000 });
});

it("repeats reads after any passing fault", async () => {
  const { chronos, line } = setUp();
  const job = await chronos.jobs.create({ name: "One", handler: "a" });
  line.breaks(/./, "lost");
  line.breaks(/./, broken);
  expect(await outcomeOf(chronos.jobs.get(job.id))).toMatchObject({ id: job.id });
});

it("cancels; an ended job is a conflict", async () => {
  const { chronos } = setUp();
  const { id } = await chronos.jobs.create({ name: "One", handler: "a" });
  expect(await chronos.jobs.cancel(id)).toMatchObject({ status: "cancelled" });
  await expect(chronos.jobs.cancel(id)).rejects.toMatchObject({ code: "job_not_cancellable" });
});

it("returns the cancelled job when the answer to an earlier try was lost", async () => {
  const { chronos, line } = setUp();
  const { id } = await chronos.jobs.create({ name: "One", handler: "a" });
  line.breaks(/cancel$/, "unanswered");
  expect(await outcomeOf(chronos.jobs.cancel(id))).toMatchObject({ id, status: "cancelled" });
});

it("says that a job ended otherwise when the answer to an earlier cancel was lost", async () => {
  const { chronos, line, app } = setUp();
  const { id } = await chronos.jobs.create({ name: "One", handler: "a" });
  app.job(id).status = "completed";
  line.breaks(/cancel$/, "lost");
  expect(await outcomeOf(chronos.jobs.cancel(id))).toMatchObject({ code: "job_not_cancellable" });
});

it("retries a failed job, and never repeats that after a lost answer", async () => {
  const { chronos, line, app } = setUp();
  const { id } = await chronos.jobs.create({ name: "One", handler: "a" });
  await expect(chronos.jobs.retry(id)).rejects.toMatchObject({ code: "job_not_retryable" });
  app.job(id).status = "failed";
  expect(await chronos.jobs.retry(id)).toMatchObject({ status: "pending" });
  line.breaks(/retry$/, "lost", 2);
  expect(await outcomeOf(chronos.jobs.retry(id))).toBeInstanceOf(ChronosConnectionError);
  expect(line.sentTo(/retry$/)).toHaveLength(3);
});

it("iterates over all pages by cursor, a hundred at a time, and reads no page nobody asks for", async () => {
  const { chronos, line } = setUp();
  for (let i = 0; i < 250; i++) await chronos.jobs.create({ name: `${i}`, handler: "a" });
  line.sent.length = 0;
  const names: string[] = [];
  for await (const job of chronos.jobs.list()) names.push(job.name);
  expect(names).toEqual(Array.from({ length: 250 }, (_, i) => `${249 - i}`));
  expect(line.sent.map((one) => one.query.toString())).toEqual([
    "size=100",
    "cursor=100&size=100",
    "cursor=200&size=100",
  ]);
  line.sent.length = 0;
  for await (const _ of chronos.jobs.list()) break;
  expect(line.sent).toHaveLength(1);
});

it("iterates by page number where the service gives no cursor", async () => {
  const { chronos, line } = setUp();
  const job = await chronos.jobs.create({ name: "One", handler: "a" });
  const numbered = (page: number) => () =>
    Response.json({
      success: true,
      message: "OK",
      data: [{ ...job, created_at: "2030-01-01T12:00:00.000Z" }],
      meta: { paging: { page, pages: 2, size: 1, total: 2 } },
    });
  line.breaks(JOBS, numbered(1));
  line.breaks(JOBS, numbered(2));
  let count = 0;
  for await (const _ of chronos.jobs.list({ size: 1 })) count++;
  expect(count).toBe(2);
});

it("gives one page with its numbers", async () => {
  const { chronos, line } = setUp();
  for (let i = 0; i < 5; i++) await chronos.jobs.create({ name: `${i}`, handler: "a" });
  const second = await chronos.jobs.list({ size: 2 }).page({ page: 2 });
  expect(second.items.map((job) => job.name)).toEqual(["2", "1"]);
  expect(second.paging).toEqual({ page: 2, pages: 3, size: 2, total: 5, nextCursor: "4" });
  await chronos.jobs.list().page();
  expect(line.sent.at(-1)?.query.toString()).toBe("");
});

it("writes filters as the API reads them", async () => {
  const { chronos, line } = setUp();
  await chronos.jobs
    .list({
      status: ["failed", "cancelled"],
      handler: "a b",
      scheduleId: null,
      idempotencyKey: "k",
      createdAfter: new Date(NOON),
      createdBefore: "2030-02-01T00:00:00+01:00",
      scheduledAfter: "2030-03-01T00:00:00Z",
      scheduledBefore: new Date(NOON),
      errorCode: "timeout",
      host: "example.com",
      tag: ["a", "b"],
      flow: "mail",
      name: "One",
      origin: ["api", "event"],
    })
    .page();
  expect([...(line.sent[0]?.query ?? [])]).toEqual([
    ["status", "failed"],
    ["status", "cancelled"],
    ["handler", "a b"],
    ["schedule_id", "null"],
    ["idempotency_key", "k"],
    ["tag", "a"],
    ["tag", "b"],
    ["flow", "mail"],
    ["name", "One"],
    ["origin", "api"],
    ["origin", "event"],
    ["created_after", "2030-01-01T12:00:00.000Z"],
    ["created_before", "2030-02-01T00:00:00+01:00"],
    ["scheduled_after", "2030-03-01T00:00:00Z"],
    ["scheduled_before", "2030-01-01T12:00:00.000Z"],
    ["error_code", "timeout"],
    ["host", "example.com"],
  ]);
});

it("lists a job's executions", async () => {
  const { chronos } = setUp();
  chronos.worker.handle("a", () => {
    throw new Error("no");
  });
  const { id } = await chronos.jobs.create({ name: "One", handler: "a", maxRetries: 1 });
  void chronos.worker.start({ workerId: "w" });
  await pass(30_000);
  const seen = [];
  for await (const execution of chronos.jobs.executions(id)) seen.push(execution);
  expect(seen).toMatchObject([
    { jobId: id, attempt: 1, trigger: "scheduled", status: "failed", workerId: "w", startedAt: new Date(NOON) },
    { jobId: id, attempt: 2, trigger: "system_retry", status: "failed", error: { message: "no" } },
  ]);
  await chronos.worker.stop();
});
