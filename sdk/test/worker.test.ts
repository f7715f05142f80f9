import { expect, it, vi } from "vitest";
import {
  Chronos,
  ChronosApiError,
  ChronosConfigError,
  ChronosError,
  type FetchLike,
  type FetchResponse,
} from "../src/index.ts";
import { refuse } from "./answers.ts";
import { gate, NOON, pass, settled, setUp } from "./setup.ts";

const CLAIM = /\/claim$/;

it("runs a job with everything a handler needs to know, and reports what it returns", async () => {
  const { chronos, app } = setUp();
  const job = await chronos.jobs.create({ name: "One", handler: "hello", payload: { user_name: "Ada" } });
  const contexts: unknown[] = [];
  chronos.worker.handle("hello", (ctx) => {
    contexts.push({ ...ctx });
    return { ok: true };
  });
  const running = chronos.worker.start({ workerId: "w1" });
  await pass(10);
  expect(contexts).toEqual([
    {
      jobId: job.id,
      executionId: app.executionOf(job).id,
      handler: "hello",
      attempt: 1,
      scheduledFor: new Date(NOON),
      payload: { user_name: "Ada" },
      payloadText: '{"user_name":"Ada"}',
      traceparent: null,
      deadline: new Date(NOON + 30_000),
      progress: expect.any(Function),
      signal: expect.any(AbortSignal),
    },
  ]);
  expect(app.job(job.id)).toMatchObject({ status: "completed", result: { ok: true } });
  expect(app.executionOf(job).worker_id).toBe("w1");
  await chronos.worker.stop();
  await running;
});

it("refuses names that are empty, too long or taken, and handlers that are no functions", () => {
  const { worker } = setUp().chronos;
  worker.handle("a".repeat(255), () => {}).handle("email", () => {});
  const refusals: [string, unknown, string][] = [
    ["", () => {}, "Handler name is required"],
    ["  ", () => {}, "Handler name is required"],
    ["a".repeat(256), () => {}, "Handler name must be 255 characters or fewer"],
    ["email", () => {}, 'Handler "email" is already registered'],
    ["other", "text", 'Handler "other" must be a function'],
  ];
  for (const [name, handler, message] of refusals) {
    const register = () => worker.handle(name, handler as () => void);
    expect(register).toThrow(ChronosError);
    expect(register).toThrow(message);
  }
});

it("refuses to start without handlers, twice, or with nonsense", async () => {
  const { worker } = setUp().chronos;
  expect(() => worker.start()).toThrow("Register at least one handler before starting Chronos");
  worker.handle("hello", () => {});
  expect(() => worker.start({ concurrency: 0 })).toThrow(ChronosConfigError);
  expect(() => worker.start({ workerId: "" })).toThrow(ChronosConfigError);
  const running = worker.start();
  expect(() => worker.start()).toThrow("Chronos worker is already started");
  await worker.stop();
  await running;
});

it("can be started again once it has stopped", async () => {
  const { chronos, app } = setUp();
  chronos.worker.handle("hello", () => {});
  void chronos.worker.start();
  await chronos.worker.stop();
  const job = await chronos.jobs.create({ name: "One", handler: "hello" });
  void chronos.worker.start();
  await pass(10);
  await chronos.worker.stop();
  expect(app.job(job.id).status).toBe("completed");
});

it("asks for the registered names and for the time it was told to wait", async () => {
  const { chronos, line } = setUp({ pollWaitTimeSeconds: 7 });
  chronos.worker.handle("b", () => {}).handle("a", () => {});
  void chronos.worker.start({ workerId: "w1" });
  await pass(15_000);
  await chronos.worker.stop();
  const polls = line.sentTo(CLAIM);
  expect(polls.map((one) => one.at - NOON)).toEqual([0, 7_000, 14_000]);
  expect(polls[0]?.body).toEqual({ handlers: ["b", "a"], max_jobs: 1, wait_time_seconds: 7, worker_id: "w1" });
});

it("does not spin when polls come back empty at once", async () => {
  const { chronos, line } = setUp({ pollWaitTimeSeconds: 0, retryDelayMs: 500 });
  chronos.worker.handle("hello", () => {});
  void chronos.worker.start();
  await pass(2_400);
  await chronos.worker.stop();
  expect(line.sentTo(CLAIM)).toHaveLength(5);
});

it("ends a waiting poll at once on stop(), and leaves no timer behind", async () => {
  const { chronos } = setUp();
  chronos.worker.handle("hello", () => {});
  const running = chronos.worker.start();
  await pass(5_000);
  const before = Date.now();
  await chronos.worker.stop();
  await running;
  expect(Date.now()).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
});

it("ends at once on stop() even with a fetch that ignores its signal", async () => {
  const { chronos } = setUp({ fetch: () => new Promise(() => {}) });
  chronos.worker.handle("hello", () => {});
  const running = chronos.worker.start();
  await pass(1_000);
  await chronos.worker.stop();
  await running;
  expect(vi.getTimerCount()).toBe(0);
});

it("waits on stop() for the running handler and its report, and takes nothing new meanwhile", async () => {
  const { chronos, app } = setUp();
  const work = gate();
  chronos.worker.handle("hello", () => work.promise);
  const first = await chronos.jobs.create({ name: "One", handler: "hello" });
  const running = chronos.worker.start();
  await pass(10);
  const second = await chronos.jobs.create({ name: "Two", handler: "hello" });
  const stopped = chronos.worker.stop();
  await pass(5_000);
  expect(await settled(stopped)).toBe(false);
  work.open();
  await stopped;
  await running;
  expect(app.job(first.id).status).toBe("completed");
  expect(app.job(second.id).status).toBe("pending");
  expect(vi.getTimerCount()).toBe(0);
});

type Answered = (response: Response, text: string, rest: Promise<void>) => FetchResponse;

const halfOfTheBody: Answered = ({ status, headers }, text, rest) => {
  const [half, other] = [text.slice(0, 20), text.slice(20)].map((part) => new TextEncoder().encode(part));
  const body = new ReadableStream({
    async start(out) {
      out.enqueue(half);
      await rest;
      out.enqueue(other);
      out.close();
    },
  });
  return new Response(body, { status, headers });
};

const onlyTheHeaders: Answered = ({ status, headers }, text, rest) => {
  return { status, headers, text: () => rest.then(() => text) };
};

it.each([
  ["half of the body has come", halfOfTheBody],
  ["the headers have come, of a fetch whose answers have no stream", onlyTheHeaders],
])("runs the jobs whose claim is being answered when stop() is called: %s", async (_, answered) => {
  const { chronos, app, line } = setUp();
  const rest = gate();
  for (let i = 0; i < 3; i++) await chronos.jobs.create({ name: `${i}`, handler: "hello" });
  const slow: FetchLike = async (url, init) => {
    const response = (await line.fetch(url, init)) as Response;
    return CLAIM.test(url) ? answered(response, await response.text(), rest.promise) : response;
  };
  const slowly = new Chronos({ apiKey: app.apiKey, baseUrl: app.baseUrl, fetch: slow });
  slowly.worker.handle("hello", () => {});
  void slowly.worker.start({ concurrency: 3 });
  await pass(10);
  const stopped = slowly.worker.stop();
  await pass(10);
  rest.open();
  await stopped;
  expect(app.jobs.map(({ status }) => status)).toEqual(Array(3).fill("completed"));
});

it("gives the answer to a claim time to arrive, however late in the poll it began", async () => {
  const { chronos, app, line } = setUp();
  const rest = gate();
  const job = await chronos.jobs.create({ name: "One", handler: "hello", timeout: 60, maxRetries: 0 });
  const slow: FetchLike = async (url, init) => {
    const response = (await line.fetch(url, init)) as Response;
    return CLAIM.test(url) ? halfOfTheBody(response, await response.text(), rest.promise) : response;
  };
  const slowly = new Chronos({ apiKey: app.apiKey, baseUrl: app.baseUrl, fetch: slow });
  slowly.worker.handle("hello", () => {});
  line.latencyMs = 20_000;
  void slowly.worker.start();
  await pass(45_000);
  line.latencyMs = 0;
  rest.open();
  await pass(10);
  expect(app.job(job.id).status).toBe("completed");
  expect(line.sentTo(CLAIM)[1]?.at).toBeGreaterThanOrEqual(NOON + 45_000);
});

it("reads an answer that comes in pieces, after spaces and with letters cut in two", async () => {
  const { app } = setUp();
  const text = `   ${JSON.stringify({ success: true, message: "One", data: [{ name: "é" }] })}`;
  const pieces = new ReadableStream({
    start(out) {
      for (const byte of new TextEncoder().encode(text)) out.enqueue(Uint8Array.of(byte));
      out.close();
    },
  });
  const piecemeal = new Chronos({ apiKey: app.apiKey, baseUrl: app.baseUrl, fetch: () => new Response(pieces) });
  expect((await piecemeal.jobs.list().page()).items[0]?.name).toBe("é");
});

it("resolves stop() without a running worker, and twice", async () => {
  const { worker } = setUp().chronos;
  await worker.stop();
  worker.handle("hello", () => {});
  void worker.start();
  await Promise.all([worker.stop(), worker.stop()]);
  await worker.stop();
});

it("runs as many handlers at once as concurrency says and no more, with one poll beside them", async () => {
  const { chronos, app, line } = setUp();
  const work = gate();
  let now = 0;
  let most = 0;
  chronos.worker.handle("hello", async () => {
    most = Math.max(most, ++now);
    await work.promise;
    now--;
  });
  for (let i = 0; i < 5; i++) await chronos.jobs.create({ name: `${i}`, handler: "hello" });
  const running = chronos.worker.start({ concurrency: 3 });
  await pass(100);
  expect(now).toBe(3);
  expect(line.sentTo(CLAIM)).toHaveLength(1);
  work.open();
  await pass(100);
  expect(most).toBe(3);
  expect(app.jobs.map((job) => job.status)).toEqual(Array(5).fill("completed"));
  await chronos.worker.stop();
  await running;
});

it("runs one handler at a time unless told otherwise", async () => {
  const { chronos } = setUp();
  let now = 0;
  chronos.worker.handle("hello", async () => {
    now++;
    await new Promise(() => {});
  });
  for (let i = 0; i < 3; i++) await chronos.jobs.create({ name: `${i}`, handler: "hello" });
  void chronos.worker.start();
  await pass(100);
  expect(now).toBe(1);
});

it("outlasts network faults with growing pauses, and starts small again afterwards", async () => {
  const { chronos, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, "lost", 4);
  void chronos.worker.start();
  await pass(7_500);
  // Half of 1, 2, 4 and 8 seconds, since chance is fixed at the half.
  expect(line.sentTo(CLAIM).map((one) => one.at - NOON)).toEqual([0, 500, 1_500, 3_500, 7_500]);
  await pass(20_000);
  line.breaks(CLAIM, "lost", 1);
  await pass(20_000 + 500);
  const [failed, next] = line.sentTo(CLAIM).slice(-2);
  expect((next?.at ?? 0) - (failed?.at ?? 0)).toBe(500);
  await chronos.worker.stop();
});

it.each([
  [429, "rate_limit_exceeded"],
  [503, "unavailable"],
])("waits out a %i as long as Retry-After says", async (status, code) => {
  const { chronos, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, () => refuse(status, code, "Later", [], undefined, { "retry-after": "9" }));
  void chronos.worker.start();
  await pass(9_499);
  expect(line.sentTo(CLAIM)).toHaveLength(1);
  await pass(1);
  expect(line.sentTo(CLAIM)).toHaveLength(2);
  await chronos.worker.stop();
});

it("outlasts a proxy's page in the service's place", async () => {
  const { chronos, app, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, () => new Response("<h1>Deploying</h1>", { status: 404 }), 2);
  line.breaks(CLAIM, () => new Response("<h1>Hi</h1>", { status: 200 }), 1);
  const job = await chronos.jobs.create({ name: "One", handler: "hello" });
  void chronos.worker.start();
  await pass(10_000);
  expect(app.job(job.id).status).toBe("completed");
  await chronos.worker.stop();
});

it("gives up a poll that hangs and polls again", async () => {
  const { chronos, app, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, "hangs");
  const job = await chronos.jobs.create({ name: "One", handler: "hello" });
  void chronos.worker.start();
  await pass(31_000);
  expect(app.job(job.id).status).toBe("completed");
  await chronos.worker.stop();
});

it("waits while its account is suspended, ever longer, and goes on after the resume", async () => {
  const { chronos, app, line, logged } = setUp();
  chronos.worker.handle("hello", () => {});
  const job = await chronos.jobs.create({ name: "One", handler: "hello" });
  app.suspended = true;
  const running = chronos.worker.start();
  await pass(3_600_000);
  const polls = line.sentTo(CLAIM).map((one) => one.at - NOON);
  expect(polls.slice(0, 7)).toEqual([0, 500, 1_500, 3_500, 7_500, 15_500, 30_500]);
  expect(polls.length).toBeLessThan(250);
  expect(logged("warn").at(-1)).toContain("The account is suspended");
  expect(await settled(running)).toBe(false);
  app.suspended = false;
  await pass(15_000);
  expect(app.job(job.id).status).toBe("completed");
  await chronos.worker.stop();
  await running;
});

it.each([
  [403, "forbidden"],
  [401, "unauthorized"],
])("does not take a %i %s for a suspension", async (status, code) => {
  const { chronos, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, () => refuse(status, code, "No"));
  const running = chronos.worker.start();
  running.catch(() => {});
  await pass(10);
  await expect(running).rejects.toMatchObject({ status, code });
});

it("asks for one job at a time, whatever the clock on the wall is set to", async () => {
  const { chronos, line } = setUp({ pollWaitTimeSeconds: 0, retryDelayMs: 500 });
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, () => {
    vi.setSystemTime(Date.now() + 60_000);
    return Response.json({ success: true, message: "OK", data: [] });
  });
  void chronos.worker.start();
  await pass(499);
  expect(line.sentTo(CLAIM)).toHaveLength(1);
  await pass(1);
  expect(line.sentTo(CLAIM)).toHaveLength(2);
  await chronos.worker.stop();
});

it("hangs nothing on a handler that takes for ever, however many others end beside it", async () => {
  const { chronos } = setUp();
  const race = vi.spyOn(Promise, "race");
  const all = vi.spyOn(Promise, "all");
  chronos.worker.handle("hangs", () => new Promise(() => {})).handle("hello", () => {});
  await chronos.jobs.create({ name: "Hangs", handler: "hangs" });
  void chronos.worker.start({ concurrency: 2 });
  for (let i = 0; i < 20; i++) {
    await chronos.jobs.create({ name: `${i}`, handler: "hello" });
    await pass(100);
  }
  // Those that remain are of single requests, and end with them.
  const raced = [...race.mock.calls, ...all.mock.calls].flatMap(([promises]) => [...(promises as Iterable<unknown>)]);
  const times = new Map<unknown, number>();
  for (const one of raced) times.set(one, (times.get(one) ?? 0) + 1);
  expect(Math.max(...times.values())).toBe(1);
});

it("keeps the process alive while start() is open, though a handler hangs and its lease is over", async () => {
  const { chronos, app, line } = setUp();
  const work = gate();
  chronos.worker.handle("hello", () => work.promise);
  const job = await chronos.jobs.create({ name: "One", handler: "hello", maxRetries: 0 });
  line.breaks(/heartbeat$/, "lost", 1_000);
  void chronos.worker.start();
  await pass(60_000);
  expect(app.executionOf(job).status).toBe("running");
  expect(vi.getTimerCount()).toBe(1);
  work.open();
  await chronos.worker.stop();
  expect(vi.getTimerCount()).toBe(0);
});

it("rejects start() on 401, says so in the log, and lets the handler in flight end first", async () => {
  const { chronos, app, line, logged } = setUp();
  const work = gate();
  chronos.worker.handle("hello", () => work.promise);
  const job = await chronos.jobs.create({ name: "One", handler: "hello" });
  const running = chronos.worker.start({ concurrency: 2 });
  await pass(10);
  line.breaks(CLAIM, () => refuse(401, "unauthorized", "The API key is not valid"));
  await pass(20_000);
  expect(await settled(running)).toBe(false);
  expect(logged("error")[0]).toContain("The API key is not valid");
  work.open();
  await pass(10);
  await expect(running).rejects.toBeInstanceOf(ChronosApiError);
  await expect(running).rejects.toMatchObject({ code: "unauthorized", status: 401 });
  expect(app.job(job.id).status).toBe("completed");
  await chronos.worker.stop();
  // One that brought the job, one that came back empty, the refused one: none after it.
  expect(line.sentTo(CLAIM)).toHaveLength(3);
});

it("rejects start() on a 401 that is not even the service's own", async () => {
  const { chronos, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, () => new Response("Log in", { status: 401 }));
  const running = chronos.worker.start();
  running.catch(() => {});
  await pass(10);
  await expect(running).rejects.toMatchObject({ status: 401, code: "unexpected_response" });
});

it("ends a pause between polls at once on stop(), and leaves no timer behind", async () => {
  const { chronos, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, "lost", 9);
  void chronos.worker.start();
  await pass(4_000);
  const before = Date.now();
  await chronos.worker.stop();
  expect(Date.now()).toBe(before);
  expect(vi.getTimerCount()).toBe(0);
});

it("makes no unhandled rejection of a 401 nobody awaits", async () => {
  const unhandled = vi.fn();
  process.on("unhandledRejection", unhandled);
  const { chronos, line } = setUp();
  chronos.worker.handle("hello", () => {});
  line.breaks(CLAIM, () => refuse(401, "unauthorized", "No"));
  void chronos.worker.start();
  await pass(1_000);
  vi.useRealTimers();
  await new Promise((resolve) => setImmediate(resolve));
  process.off("unhandledRejection", unhandled);
  expect(unhandled).not.toHaveBeenCalled();
});

it("keeps payloads, results and the key out of the log", async () => {
  const { chronos, app, log } = setUp();
  chronos.worker.handle("hello", () => ({ secret: "result-secret" }));
  await chronos.jobs.create({ name: "One", handler: "hello", payload: { secret: "payload-secret" } });
  void chronos.worker.start();
  await pass(100);
  await chronos.worker.stop();
  expect(log.length).toBeGreaterThan(0);
  expect(JSON.stringify(log)).not.toMatch(new RegExp(`result-secret|payload-secret|${app.apiKey}`));
});
