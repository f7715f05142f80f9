// A due push (contract §3 and §4): what goes out, what each answer means, and when the next attempt follows.

import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Job } from "../../src/domain/job.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { api } from "./harness/api.ts";
import { advance, DAY, HOUR, hurry, iso, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { JobUnderTest, newJob, PUSH, postJob } from "./harness/job.ts";
import { post } from "./harness/post.ts";
import { receiver, TARGET } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
});

/** The middle of the jitter: a backoff of 1.5 times its base. */
const halfJitter = () => vi.spyOn(Math, "random").mockReturnValue(0.5);

describe("the alarm", () => {
  it("that rings a millisecond early sends nothing and is set again", async () => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    await job.ringAt(NOON + HOUR - 1);
    expect(receiver.received).toEqual([]);
    expect(await job.alarm()).toBe(NOON + HOUR);
    expect(await job.show()).toMatchObject({ status: "pending", attempts: 0 });
    await job.ringAt(NOON + HOUR);
    expect(receiver.received).toHaveLength(1);
  });

  it("that rings a day late sends once, and says how late it was", async () => {
    const job = await newJob(account);
    await job.ringAt(NOON + DAY);
    expect(receiver.received).toHaveLength(1);
    expect(await job.executions()).toMatchObject([
      { due_at: iso(NOON), started_at: iso(NOON + DAY), lateness_ms: DAY },
    ]);
  });

  it("that rings again while the push is in flight sends nothing more", async () => {
    const job = await newJob(account);
    const held = receiver.holds();
    const first = job.ring();
    await held.arrived();
    await job.ringWhenSet();
    held.release(200);
    await first;
    expect(receiver.received).toHaveLength(1);
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("that rings again after the end sends nothing more", async () => {
    const job = await newJob(account);
    await job.ring();
    await job.ring();
    expect(receiver.received).toHaveLength(1);
  });

  it("finds an empty owner and does nothing", async () => {
    const nobody = new JobUnderTest(account, crypto.randomUUID());
    expect(await nobody.ring()).toBe(false);
    expect(await nobody.isEmpty()).toBe(true);
  });
});

it("the attempt is on record, with its lease, at the moment its request leaves", async () => {
  const job = await newJob(account, { timeout: 120 });
  const state = await runInDurableObject(job.owner, (_, state) => state);
  let written: Job | undefined;
  receiver.answers(async () => {
    written = [...state.storage.kv.list<Job>()][0]?.[1]; // No await before: what is read here was written by then.
    return new Response("ok");
  });
  await job.ring();
  const [request] = receiver.received;
  expect(written?.phase).toEqual({
    name: "running",
    executionId: request?.headers.get("X-Chronos-Delivery-Id"),
    startedAt: NOON,
    leaseEndsAt: NOON + 120 * SECOND,
    reported: false,
  });
});

it("what others see of a push in flight is a running job with a running execution", async () => {
  const job = await newJob(account);
  const held = receiver.holds();
  const ringing = job.ring();
  await held.arrived();
  expect(await job.show()).toMatchObject({ status: "running", attempts: 1, run_at: iso(NOON), completed_at: null });
  expect(await job.executions()).toMatchObject([{ status: "running", started_at: iso(NOON), completed_at: null }]);
  held.release(200);
  await ringing;
});

it("a push in flight for more than 5 seconds is reported to the read model", async () => {
  hurry();
  const job = await newJob(account);
  const held = receiver.holds();
  const ringing = job.ring();
  await held.arrived();
  expect(post.take()).toEqual([]);
  await until(() => post.sent.length === 1);
  expect(post.take()).toMatchObject([
    { facts: { status: "running", attentionAt: NOON + 30 * SECOND }, confirm: false },
  ]);
  held.release(200);
  await ringing;
});

it("a push that is over sooner is reported once, as what it became", async () => {
  const job = await newJob(account);
  await job.ring();
  expect(post.sent).toMatchObject([{ facts: { status: "completed" }, executions: [{ status: "completed" }] }]);
});

describe("the request", () => {
  it("is the documented one", async () => {
    const job = await newJob(account, {
      handler: "notify",
      payload: { text: "é" },
      scheduled_for: iso(NOON + 1_500),
      delivery: { type: "push", http: { url: `${TARGET}?a=1`, method: "PUT", headers: { "X-Mine": "yes" } } },
    });
    await job.ringAt(NOON + 1_500);
    const [request] = receiver.received;
    const [execution] = await job.executions();
    expect([request?.url, request?.method, request?.redirect]).toEqual([`${TARGET}?a=1`, "PUT", "manual"]);
    expect(request?.body).toBe(
      JSON.stringify({
        job_id: job.id,
        handler: "notify",
        execution_id: execution?.id,
        scheduled_for: iso(NOON + 1_500),
        attempt: 1,
        payload: { text: "é" },
      }),
    );
    expect(Object.fromEntries(request?.headers ?? [])).toEqual({
      "content-type": "application/json",
      "user-agent": "chronos.sh/1.0",
      "x-chronos-attempt": "1",
      "x-chronos-delivery-id": execution?.id,
      "x-chronos-job-id": job.id,
      "x-chronos-signature": expect.stringMatching(/^sha256=[0-9a-f]{64}$/),
      "x-chronos-timestamp": String(NOON / 1_000 + 1),
      "webhook-id": job.id,
      "webhook-signature": expect.stringMatching(/^v1,[A-Za-z0-9+/]{43}=$/),
      "webhook-timestamp": String(NOON / 1_000 + 1),
      "x-mine": "yes",
    });
  });

  it("of a GET carries no body", async () => {
    const job = await newJob(account, {
      payload: { n: 1 },
      delivery: { ...PUSH, http: { ...PUSH.http, method: "GET" } },
    });
    await job.ring();
    expect(receiver.received).toMatchObject([{ method: "GET", body: "" }]);
  });

  it("of a retry has an execution id and a number of its own, and the same job and message", async () => {
    receiver.answers(500, 200);
    const job = await newJob(account);
    await job.ring();
    await job.ringWhenSet();
    const of = (name: string) => receiver.received.map(({ headers }) => headers.get(name));
    expect(of("X-Chronos-Attempt")).toEqual(["1", "2"]);
    expect(new Set(of("X-Chronos-Delivery-Id")).size).toBe(2);
    expect(of("X-Chronos-Job-Id")).toEqual([job.id, job.id]);
    expect(of("webhook-id")).toEqual([job.id, job.id]);
    const bodies = receiver.received.map(({ body }) => JSON.parse(body));
    expect(bodies.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(bodies.map(({ scheduled_for }) => scheduled_for)).toEqual([iso(NOON), iso(NOON)]);
  });
});

describe("an answer", () => {
  it.each([200, 201, 202, 204, 299])("of %i completes the job", async (status) => {
    receiver.answers(status);
    const job = await newJob(account);
    await job.ring();
    expect(await job.show()).toMatchObject({
      status: "completed",
      attempts: 1,
      run_at: null,
      last_error: null,
      completed_at: iso(NOON),
    });
    expect(await job.executions()).toMatchObject([{ status: "completed", error: null, response: { status } }]);
  });

  it.each([400, 401, 403, 404, 409, 410, 422, 451, 499])("of %i fails the job at once", async (status) => {
    receiver.answers(status);
    const job = await newJob(account);
    await job.ring();
    const error = { code: "http_status", message: expect.stringContaining(String(status)) };
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 1, run_at: null, last_error: error });
    expect(await job.executions()).toMatchObject([{ status: "failed", error, response: { status } }]);
  });

  it.each([408, 425, 429, 500, 502, 503, 504, 599])("of %i is retried", async (status) => {
    halfJitter();
    receiver.answers(status, 200);
    const job = await newJob(account);
    await job.ring();
    expect(await job.show()).toMatchObject({
      status: "retrying",
      attempts: 1,
      scheduled_for: iso(NOON),
      run_at: iso(NOON + 1_500),
      completed_at: null,
      last_error: { code: "http_status" },
    });
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
  });

  it.each([301, 302, 303, 304, 307, 308])("of %i is not followed and is final", async (status) => {
    receiver.answers(() => new Response(null, { status, headers: { Location: "https://elsewhere.example.com/" } }));
    const job = await newJob(account);
    await job.ring();
    const error = { code: "redirect", message: expect.stringContaining(String(status)) };
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 1, last_error: error });
    expect(await job.executions()).toMatchObject([{ status: "failed", error, response: { status } }]);
    expect(receiver.received.map(({ url }) => url)).toEqual([TARGET]);
  });

  it("is kept: its status, its headers but for cookies, and its body", async () => {
    receiver.answers(() => {
      const headers = new Headers({ "X-Trace": "abc", "Content-Type": "text/plain" });
      headers.append("Set-Cookie", "session=secret");
      return new Response("thänks", { status: 202, headers });
    });
    const job = await newJob(account);
    await job.ring();
    const [execution] = await job.executions();
    expect(execution?.response).toEqual({
      status: 202,
      headers: { "content-type": "text/plain", "x-trace": "abc" },
      body: "thänks",
      truncated: false,
    });
  });

  it.each([
    ["4,096 bytes are kept whole", 4_096, 4_096, false],
    ["of 4,097 bytes the first 4,096 are kept", 4_097, 4_096, true],
    ["of a megabyte the first 4,096 bytes are kept", 1_048_576, 4_096, true],
  ])("with a body: %s", async (_, sent, kept, truncated) => {
    receiver.answers(() => new Response("x".repeat(sent)));
    const job = await newJob(account);
    await job.ring();
    const [execution] = await job.executions();
    expect([execution?.response?.body.length, execution?.response?.truncated]).toEqual([kept, truncated]);
  });

  it("with 10 KB of headers keeps the first 4 KB of them", async () => {
    const headers = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`x-${n}`, "v".repeat(1_021)]));
    receiver.answers(() => new Response(null, { headers }));
    const job = await newJob(account);
    await job.ring();
    const [execution] = await job.executions();
    expect(Object.keys(execution?.response?.headers ?? {})).toEqual(["x-0", "x-1", "x-2", "x-3"]);
  });

  it("keeps the short headers, whatever large ones stand before them", async () => {
    const small = { location: "https://elsewhere.example.com/", "z-small": "kept" };
    const large = { "a-large": "v".repeat(5_000), "b-large": "v".repeat(4_050), "Set-Cookie": "v".repeat(4_090) };
    receiver.answers(() => new Response(null, { status: 302, headers: { ...large, ...small } }));
    const job = await newJob(account);
    await job.ring();
    const [execution] = await job.executions();
    expect(Object.keys(execution?.response?.headers ?? {})).toEqual(["location", "z-small"]);
    expect(execution?.response?.headers).toEqual(small);
  });

  it("whose body never ends stands by its status after 5 seconds", async () => {
    hurry();
    receiver.answers(
      () => new Response(new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode("begun")) })),
    );
    const job = await newJob(account);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed" });
    expect(await job.executions()).toMatchObject([{ response: { body: "begun", truncated: true } }]);
  });

  it("whose body breaks off keeps what came", async () => {
    receiver.answers(() => {
      let begun = false;
      return new Response(
        new ReadableStream({
          pull(stream) {
            if (begun) return stream.error(new Error("the connection was reset"));
            stream.enqueue(new TextEncoder().encode("begun"));
            begun = true;
          },
        }),
      );
    });
    const job = await newJob(account);
    await job.ring();
    expect(await job.executions()).toMatchObject([
      { status: "completed", response: { body: "begun", truncated: true } },
    ]);
  });
});

describe("no answer", () => {
  it("within the timeout is a timed-out attempt, retried", async () => {
    hurry();
    const held = receiver.holds();
    const job = await newJob(account, { timeout: 7 });
    const startedAt = performance.now();
    await job.ring();
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(65);
    expect((await held.arrived()).signal.aborted).toBe(true);
    expect(await job.show()).toMatchObject({ status: "retrying", last_error: { code: "timeout" } });
    expect(await job.executions()).toMatchObject([
      { status: "timed_out", response: null, error: { code: "timeout", message: expect.stringContaining("7 s") } },
    ]);
  });

  it("because the target cannot be reached is a failed attempt, retried", async () => {
    receiver.answers(() => {
      throw new TypeError(`connection refused ${"x".repeat(9_000)}`);
    });
    const job = await newJob(account);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "retrying", last_error: { code: "network" } });
    const [execution] = await job.executions();
    expect(execution).toMatchObject({ status: "failed", response: null, error: { code: "network" } });
    expect(execution?.error?.message.length).toBeLessThanOrEqual(4_096);
  });

  it("is asked for of a target that may not be called: blocked_target, and final", async () => {
    const delivery = { type: "push", http: { url: "http://localhost:8080/x", method: "POST" } };
    const { body } = await api<{ id: string }>("POST", "/v1/jobs", {
      key: account.key,
      body: { name: "made while local targets were allowed", delivery },
      env: { ALLOW_LOCAL_TARGETS: "true" },
    });
    const job = new JobUnderTest(account, body.data.id);
    await job.ring();
    expect(receiver.received).toEqual([]);
    expect(await job.show()).toMatchObject({ status: "failed", attempts: 1, last_error: { code: "blocked_target" } });
    expect(await job.executions()).toMatchObject([
      { status: "failed", response: null, error: { code: "blocked_target" } },
    ]);
  });
});

describe("retries", () => {
  it("500, 500, 200 are three executions with doubling backoff, and then it is done", async () => {
    halfJitter();
    receiver.answers(500, 500, 200);
    const job = await newJob(account);
    await job.ring();
    expect(await job.alarm()).toBe(NOON + 1_500);
    await job.ringAt(NOON + 1_499);
    expect(receiver.received).toHaveLength(1);
    await job.ringAt(NOON + 1_500);
    expect(await job.alarm()).toBe(NOON + 1_500 + 3_000);
    await job.ringAt(NOON + 4_500);
    expect(await job.executions()).toMatchObject([
      { attempt: 1, trigger: "scheduled", status: "failed", due_at: iso(NOON), started_at: iso(NOON) },
      { attempt: 2, trigger: "system_retry", status: "failed", due_at: iso(NOON + 1_500), lateness_ms: 0 },
      { attempt: 3, trigger: "system_retry", status: "completed", due_at: iso(NOON + 4_500), lateness_ms: 0 },
    ]);
    expect(await job.show()).toMatchObject({
      status: "completed",
      attempts: 3,
      scheduled_for: iso(NOON),
      completed_at: iso(NOON + 4_500),
    });
  });

  it.each([
    [0, 1_000],
    [0.999_999, 1_999],
  ])("come after the base and up to the base again (chance %d: %i ms)", async (chance, ms) => {
    vi.spyOn(Math, "random").mockReturnValue(chance);
    receiver.answers(500);
    const job = await newJob(account);
    await job.ring();
    expect((await job.show()).run_at).toBe(iso(NOON + ms));
  });

  it.each([
    ["none", 0, 1],
    ["two", 2, 3],
  ])("are as many as were asked for: %s", async (_, max_retries, attempts) => {
    receiver.answers(500);
    const job = await newJob(account, { max_retries });
    await job.ring();
    for (let n = 1; n < attempts; n++) await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "failed", attempts, last_error: { code: "http_status" } });
    await job.ringWhenSet();
    expect(receiver.received).toHaveLength(attempts);
  });

  it.each([
    ["120", 120 * SECOND],
    ["1", 1_500],
    ["0", 1_500],
    ["99999", HOUR],
    [new Date(NOON + 90 * SECOND).toUTCString(), 90 * SECOND],
    [new Date(NOON - DAY).toUTCString(), 1_500],
    ["600.5", 601 * SECOND],
    ["5, 600", 600 * SECOND],
    ["soon", 1_500],
    ["-5", 1_500],
  ])("wait at least as long as Retry-After says, up to an hour: %s", async (value, ms) => {
    halfJitter();
    for (const status of [429, 503]) {
      setClock(NOON);
      receiver.answers(() => new Response(null, { status, headers: { "Retry-After": value } }));
      const job = await newJob(account);
      await job.ring();
      expect((await job.show()).run_at).toBe(iso(NOON + ms));
    }
  });

  it("do not follow a final answer that says Retry-After", async () => {
    receiver.answers(() => new Response(null, { status: 404, headers: { "Retry-After": "1" } }));
    const job = await newJob(account);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "failed" });
  });

  it("are counted from when the attempt ended, not from when it was due", async () => {
    halfJitter();
    const job = await newJob(account);
    const held = receiver.holds();
    const ringing = job.ring();
    await held.arrived();
    advance(20 * SECOND);
    held.release(500);
    await ringing;
    expect((await job.show()).run_at).toBe(iso(NOON + 21_500));
  });
});

it("many jobs of an account run at once, each once", async () => {
  const jobs = await Promise.all(Array.from({ length: 20 }, () => newJob(account)));
  await Promise.all(jobs.map((job) => job.ring()));
  expect(new Set(receiver.received.map(({ headers }) => headers.get("X-Chronos-Job-Id"))).size).toBe(20);
  expect(receiver.received).toHaveLength(20);
});

it("a job that is due now rings by itself: nobody has to help", async () => {
  vi.useRealTimers();
  const { body } = await postJob(account);
  await until(() => receiver.received.length === 1);
  expect(receiver.received[0]?.headers.get("X-Chronos-Job-Id")).toBe(body.data.id);
});
