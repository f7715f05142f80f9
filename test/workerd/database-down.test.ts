// D1 on a bad day (design, rule 8): what needs it answers 503, what does not goes on, and nobody learns any SQL.

import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { ADMIN, type Answer, api, type JobJson } from "./harness/api.ts";
import { advance, HOUR, hurry, iso, MINUTE, NOON, SECOND, setClock, until } from "./harness/clock.ts";
import { answerLost, databaseDown, databaseHangs, databaseSlow, OVERLOADED } from "./harness/database.ts";
import { JobUnderTest, newJob, postJob, unarmedJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { receiver } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  await api("GET", "/v1/jobs", { key: account.key }); // The isolate knows the key from now on.
});

function expectUnavailable({ status, headers, body }: Answer): void {
  expect([status, body]).toEqual([
    503,
    { success: false, message: expect.any(String), code: "unavailable", errors: [] },
  ]);
  expect(headers.get("Retry-After")).toMatch(/^[1-9]\d*$/);
}

const jobCount = async () =>
  (await env.DB.prepare("SELECT count(*) AS n FROM jobs WHERE account_id = ?").bind(account.id).first())?.n;

describe("what needs D1 answers 503 unavailable with Retry-After", () => {
  const ID = "00000000-0000-4000-8000-000000000000";
  const calls: [string, string, unknown?, string?][] = [
    ["POST", "/v1/jobs", { name: "a job", handler: "h" }],
    ["GET", "/v1/jobs"],
    ["GET", `/v1/jobs/${ID}`],
    ["GET", `/v1/jobs/${ID}/executions`],
    ["POST", `/v1/jobs/${ID}/cancel`],
    ["POST", `/v1/jobs/${ID}/retry`],
    ["POST", `/v1/worker/jobs/${ID}/complete`, { execution_id: ID }],
    ["POST", `/v1/worker/jobs/${ID}/fail`, { execution_id: ID, error: { message: "x" } }],
    ["POST", `/v1/worker/jobs/${ID}/heartbeat`, { execution_id: ID }],
    ["POST", `/v1/worker/jobs/${ID}/start`, { execution_id: ID }],
    ["GET", "/v1/api-keys"],
    ["POST", "/v1/api-keys", { name: "x" }],
    ["DELETE", `/v1/api-keys/${ID}`],
    ["GET", "/v1/signing-secret"],
    ["POST", "/v1/signing-secret/rotate"],
    ["GET", "/v1/overview"],
    ["GET", "/v1/metrics"],
    ["GET", "/v1/metrics", undefined, ADMIN],
    ["GET", "/v1/admin/accounts", undefined, ADMIN],
    ["POST", "/v1/admin/accounts", { name: "x" }, ADMIN],
    ["POST", `/v1/admin/accounts/${ID}/suspend`, undefined, ADMIN],
    ["POST", `/v1/admin/accounts/${ID}/resume`, undefined, ADMIN],
    ["DELETE", `/v1/admin/accounts/${ID}`, undefined, ADMIN],
    ["GET", "/health"],
  ];

  it.each(calls)("%s %s", async (method, path, body, key = account.key) => {
    databaseDown();
    expectUnavailable(await api(method, path, { key, body }));
  });

  it("and so does a key nobody here has seen yet: it may be a good one", async () => {
    const { key } = await newAccount();
    databaseDown();
    expectUnavailable(await api("GET", "/v1/jobs", { key }));
  });

  it.each([
    [OVERLOADED, "10"],
    ["D1_ERROR: Network connection lost.", "5"],
    ["D1_ERROR: D1 DB storage operation exceeded timeout which caused object to be reset.", "5"],
    ["fetch failed", "5"],
  ])("%s", async (words, retryAfter) => {
    databaseDown(words);
    const answer = await postJob(account);
    expectUnavailable(answer);
    expect(answer.headers.get("Retry-After")).toBe(retryAfter);
  });

  it("when it says nothing at all for ten seconds", async () => {
    hurry();
    databaseHangs();
    const startedAt = performance.now();
    expectUnavailable(await api("GET", "/v1/jobs", { key: account.key }));
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(95);
  });

  it("and nothing is created", async () => {
    const down = databaseDown();
    await postJob(account);
    down.end();
    expect(await jobCount()).toBe(0);
    expect((await postJob(account)).status).toBe(201);
  });
});

describe("an answer of D1 that is lost after the insert was applied", () => {
  it.each([
    ["D1_ERROR: Network connection lost.", "which may be asked again at once"],
    [OVERLOADED, "which may not"],
    ["D1_ERROR: D1 DB storage operation exceeded timeout", "which may not"],
  ])("is 201 and one job all the same: %s, %s", async (words) => {
    answerLost("insert", words);
    const { status, body } = await postJob(account, { idempotency_key: "k" });
    expect(status).toBe(201);
    expect(await jobCount()).toBe(1);
    const job = new JobUnderTest(account, body.data.id);
    await job.ring();
    expect(receiver.received).toHaveLength(1);
    expect((await postJob(account, { idempotency_key: "k" })).body.data.id).toBe(job.id);
  });

  it("twice in a row, too", async () => {
    answerLost("insert", "D1_ERROR: Network connection lost.", { times: 2 });
    expect((await postJob(account)).status).toBe(201);
    expect(await jobCount()).toBe(1);
  });

  it("and nobody can look: 503, and the client's next try finds its job and gives it its owner", async () => {
    const down = answerLost("insert", OVERLOADED, { blind: true });
    expectUnavailable(await postJob(account, { idempotency_key: "k" }));
    down.end();
    const again = await postJob(account, { idempotency_key: "k" });
    expect([again.status, again.body.code]).toEqual([409, "idempotency_key_conflict"]);
    const job = new JobUnderTest(account, again.body.data.id);
    await until(async () => !(await job.isEmpty()));
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });
});

describe("a live job goes on while D1 is down", () => {
  it("it is read, fires, retries and ends", async () => {
    receiver.answers(500, 200);
    const job = await newJob(account, { scheduled_for: iso(NOON + SECOND) });
    databaseDown();
    expect(await job.show()).toMatchObject({ status: "pending" });
    await job.ringAt(NOON + SECOND);
    expect(await job.show()).toMatchObject({ status: "retrying", attempts: 1 });
    await job.ringWhenSet();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 2 });
    expect(await job.executions()).toHaveLength(2);
  });

  it("its first delivery is signed although nobody has ever read its account here", async () => {
    const job = await newJob(account);
    databaseDown();
    await job.ring();
    const [{ headers, body } = { headers: new Headers(), body: "" }] = receiver.received;
    const text = `${headers.get("X-Chronos-Delivery-Id")}.${headers.get("X-Chronos-Timestamp")}.${body}`;
    const encoder = new TextEncoder();
    const hmac = { name: "HMAC", hash: "SHA-256" };
    const key = await crypto.subtle.importKey("raw", encoder.encode(account.secret), hmac, false, ["verify"]);
    const signature = headers.get("X-Chronos-Signature")?.slice("sha256=".length) ?? "";
    const bytes = Uint8Array.from(signature.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
    expect(await crypto.subtle.verify("HMAC", key, bytes, encoder.encode(text))).toBe(true);
  });

  it("it is cancelled and retried", async () => {
    const job = await newJob(account);
    databaseDown();
    expect((await job.cancel()).status).toBe(200);
    expect((await job.retry()).status).toBe(200);
    await job.ring();
    expect(await job.show()).toMatchObject({ status: "completed", attempts: 1 });
  });

  it("a worker starts it, keeps it and completes it", async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" } });
    databaseDown();
    await job.ring();
    const execution_id = (await job.executions())[0]?.id;
    const say = (word: string) =>
      api<JobJson>("POST", `/v1/worker/jobs/${job.id}/${word}`, { key: account.key, body: { execution_id } });
    for (const word of ["start", "heartbeat", "complete", "complete"]) expect((await say(word)).status).toBe(200);
    expect(await job.show()).toMatchObject({ status: "completed" });
  });

  it("its end reaches the read model once D1 is back", async () => {
    const job = await newJob(account);
    const down = databaseDown();
    await job.ring();
    expect(await job.isEmpty()).toBe(false);
    down.end();
    await job.ringWhenSet();
    expect(await job.row()).toMatchObject({ status: "completed" });
    expect(await job.isEmpty()).toBe(true);
  });
});

describe("a job of which only the row is left", () => {
  it("is 503 while D1 is down, and its owner stays empty", async () => {
    const [job, never] = [await newJob(account), await unarmedJob(account, { scheduled_for: iso(NOON + HOUR) })];
    await job.ring();
    advance(MINUTE);
    const down = databaseDown();
    for (const one of [job, never])
      for (const answer of [await one.call("GET"), await one.cancel(), await one.retry()]) expectUnavailable(answer);
    down.end();
    expect([await job.isEmpty(), await never.isEmpty()]).toEqual([true, true]);
  });
});

describe("a key the isolate knows", () => {
  const ONE_HOUR: [string, number[], number][] = [
    ["opens after a minute", [NOON + MINUTE], 200],
    ["opens for an hour, to the millisecond", [NOON + MINUTE, NOON + 30 * MINUTE, NOON + HOUR - 1], 200],
    ["is 503 after an hour", [NOON + HOUR], 503],
  ];
  const openAt = async (moments: readonly number[]): Promise<number | undefined> => {
    const job = await newJob(account, { scheduled_for: iso(NOON + HOUR) });
    databaseDown();
    let status: number | undefined;
    for (const at of moments) {
      setClock(at);
      status = (await job.call("GET")).status;
    }
    return status;
  };

  it.each(ONE_HOUR)("%s while D1 is down", async (_, moments, status) => {
    expect(await openAt(moments)).toBe(status);
  });

  it("is 503 after an hour also when it was asked for a moment before", async () => {
    expect(await openAt([NOON + HOUR - 1, NOON + HOUR])).toBe(503);
  });

  it("is asked about again as soon as D1 is back", async () => {
    const down = databaseDown();
    setClock(NOON + MINUTE);
    await api("GET", "/v1/jobs", { key: account.key });
    down.end();
    await env.DB.prepare("DELETE FROM api_keys WHERE account_id = ?").bind(account.id).run();
    advance(10 * SECOND);
    expect((await api("GET", "/v1/jobs", { key: account.key })).status).toBe(401);
  });
});

describe("a database that is slow", () => {
  const lookUps = () => vi.mocked(env.DB.prepare).mock.calls.filter(([query]) => query.includes("api_keys")).length;

  it("looks up a key once, however many ask with it meanwhile", async () => {
    const { key } = await newAccount();
    const slow = databaseSlow(50);
    const answers = await Promise.all(Array.from({ length: 20 }, () => api("GET", "/v1/schedules/none", { key })));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(422));
    expect(lookUps()).toBe(1);
    slow.end();
  });
});

describe("what D1 says of an error", () => {
  const SECRET = "canary-4711";
  const words = (kind: string) => `D1_ERROR: ${kind}: near "${SECRET}" in INSERT INTO jobs VALUES ('${SECRET}')`;

  it.each([
    ["overloaded", 503, "unavailable"],
    ["something new", 503, "unavailable"],
    ["SQLITE_ERROR", 500, "internal_error"],
    ["SQLITE_CONSTRAINT", 500, "internal_error"],
  ])("(%s) reaches neither the answer nor the log: no SQL, no bound value, no stack", async (kind, status, code) => {
    databaseDown(words(kind));
    const body = { name: SECRET, payload: { SECRET }, idempotency_key: SECRET };
    const answers = [
      await postJob(account, body),
      await api("GET", `/v1/jobs?handler=${SECRET}`, { key: account.key }),
      await api("POST", "/v1/api-keys", { key: account.key, body: { name: SECRET } }),
    ];
    for (const answer of answers) {
      expect([answer.status, answer.body.code]).toEqual([status, code]);
      expect(answer.text).not.toMatch(/canary|insert|select|D1_|SQLITE|\bat\b.*:\d+/i);
    }
    expect(logs.lines.length).toBeGreaterThan(0);
    expect(logs.lines.join("\n")).not.toMatch(/canary|insert into|select |D1_ERROR|params/i);
  });

  it("as our own mistake is logged with its place, so that we can find it", async () => {
    databaseDown(words("SQLITE_ERROR"));
    const { headers } = await postJob(account);
    expect(logs.of("request_fault")).toEqual([
      {
        level: "error",
        event: "request_fault",
        request_id: headers.get("X-Request-Id"),
        error: "Error",
        at: expect.stringMatching(/\.ts:\d+/),
      },
    ]);
  });
});
