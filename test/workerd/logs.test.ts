// The log (design, "Security"; contract §1): one line for each request and each execution, and nothing a user sent.

import { beforeEach, describe, expect, it } from "vitest";
import { type Account, newAccount } from "./harness/account.ts";
import { ADMIN, api } from "./harness/api.ts";
import { advance, HOUR, iso, NOON, SECOND } from "./harness/clock.ts";
import { databaseDown } from "./harness/database.ts";
import { newJob, PUSH, postJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";
import { receiver, TARGET } from "./harness/receiver.ts";

let account: Account;
beforeEach(async () => {
  account = await newAccount();
  logs.reset();
});

const CANARY = "canary4711";

describe("a request makes exactly one line", () => {
  it("with the documented fields and no others", async () => {
    const { headers } = await postJob(account);
    expect(logs.of("request")).toEqual([
      {
        level: "info",
        event: "request",
        request_id: headers.get("X-Request-Id"),
        method: "POST",
        path: "/v1/jobs",
        status: 201,
        duration_ms: 0,
        account_id: account.id,
      },
    ]);
  });

  it("with the code of its refusal", async () => {
    await api("GET", "/v1/jobs");
    await api("POST", "/v1/jobs", { key: account.key, body: {} });
    await api("PATCH", "/v1/jobs");
    await api("GET", "/nowhere");
    expect(logs.of("request").map(({ level, status, code, account_id }) => [level, status, code, account_id])).toEqual([
      ["info", 401, "unauthorized", undefined],
      ["info", 422, "validation_error", account.id],
      ["info", 405, "method_not_allowed", undefined],
      ["info", 404, "not_found", undefined],
    ]);
  });

  it("as an error when it was our fault", async () => {
    await api("GET", "/v1/jobs", { key: account.key });
    databaseDown();
    await api("GET", "/v1/jobs", { key: account.key });
    expect(logs.of("request").map(({ level, status }) => [level, status])).toEqual([
      ["info", 200],
      ["error", 503],
    ]);
  });

  it("without its query, and with no more of its path than 200 characters", async () => {
    await api("GET", `/v1/jobs?handler=${CANARY}`, { key: account.key });
    await api("GET", `/${"x".repeat(1_000)}`);
    expect(logs.of("request").map(({ path }) => String(path).length)).toEqual(["/v1/jobs".length, 200]);
  });
});

describe("an execution makes exactly one line, when it is over", () => {
  it("with the documented fields and no others", async () => {
    const job = await newJob(account);
    logs.reset();
    receiver.answers(async () => {
      expect(logs.of("execution")).toEqual([]);
      advance(70);
      return new Response(null, { status: 202 });
    });
    await job.ringAt(NOON + 30);
    const [execution] = await job.executions();
    expect(logs.of("execution")).toEqual([
      {
        level: "info",
        event: "execution",
        account_id: account.id,
        job_id: job.id,
        execution_id: execution?.id,
        attempt: 1,
        outcome: "completed",
        http_status: 202,
        lateness_ms: 30,
        duration_ms: 70,
        job_status: "completed",
      },
    ]);
  });

  it("with the host and the reason of a delivery that failed, and nothing else of its target", async () => {
    const url = "https://hooks.example/T1/a-path?key=a-query";
    const thrown = new TypeError(`Fetch API cannot load: ${url}`);
    receiver.answersAt(url, 500, () => Promise.reject(thrown), 200);
    const job = await newJob(account, { delivery: { type: "push", http: { url, method: "POST" } } });
    await job.ring();
    await job.ringWhenSet();
    await job.ringWhenSet();
    const lines = logs.of("execution");
    expect(lines.map(({ host, reason }) => [host, reason])).toEqual([
      ["hooks.example", "The target answered 500."],
      ["hooks.example", "The target could not be reached"],
      [undefined, undefined],
    ]);
    expect(JSON.stringify(lines)).not.toMatch(/a-path|a-query/);
  });

  it("with its error and the time of the next attempt", async () => {
    receiver.answers(500, 404);
    const job = await newJob(account);
    await job.ring();
    const next = await job.alarm();
    await job.ringWhenSet();
    expect(logs.of("execution")).toMatchObject([
      { attempt: 1, outcome: "failed", error_code: "http_status", job_status: "waiting", next_run_at: next },
      { attempt: 2, outcome: "failed", error_code: "http_status", http_status: 404, job_status: "failed" },
    ]);
  });

  it("also when it is cancelled in flight, or interrupted", async () => {
    for (const end of ["cancelled", "interrupted"]) {
      logs.reset();
      const job = await newJob(account);
      const held = receiver.holds();
      const ringing = job.ring().catch(() => {});
      await held.arrived();
      await (end === "cancelled" ? job.cancel() : job.crash());
      held.release(200);
      await ringing;
      await job.show();
      await job.ring();
      await job.show();
      expect(logs.of("execution").filter(({ outcome }) => outcome === end)).toHaveLength(1);
    }
    expect(logs.of("execution")[0]).toMatchObject({ level: "warn", outcome: "interrupted", error_code: "platform" });
  });

  it("also when a worker's lease runs out, and when it reports", async () => {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" }, timeout: 10 });
    await job.ring();
    const [{ id } = { id: "" }] = await job.executions();
    await job.owner.lease(job.ref, id, "w");
    advance(10 * SECOND);
    await job.show();
    await job.show();
    await job.ringWhenSet();
    const second = (await job.executions())[1]?.id ?? "";
    await job.owner.lease(job.ref, second, "w");
    await job.owner.complete(job.ref, second, null);
    await job.owner.complete(job.ref, second, null);
    expect(logs.of("execution").map(({ attempt, outcome, error_code }) => [attempt, outcome, error_code])).toEqual([
      [1, "timed_out", "lease_expired"],
      [2, "completed", undefined],
    ]);
  });
});

describe("nothing a user sent, and no secret, is in any line", () => {
  const sensitive = () => [CANARY, account.key, account.key.slice(12), account.secret, account.secret.slice(6), ADMIN];

  function expectClean(): void {
    expect(logs.lines.length).toBeGreaterThan(0);
    for (const line of logs.lines) for (const secret of sensitive()) expect(line).not.toContain(secret);
  }

  it("of a job's whole life", async () => {
    receiver.answers(
      () => new Response(CANARY, { status: 500, headers: { "X-Answer": CANARY } }),
      () => {
        throw new TypeError(`could not connect to ${CANARY}`);
      },
      () => new Response(CANARY, { status: 302, headers: { Location: `https://${CANARY}.example.com/` } }),
    );
    const job = await newJob(account, {
      name: CANARY,
      handler: CANARY,
      payload: { [CANARY]: CANARY },
      idempotency_key: CANARY,
      delivery: { ...PUSH, http: { url: TARGET, method: "POST", headers: { "X-Canary": CANARY } } },
    });
    await job.ring();
    await job.ringWhenSet();
    await job.ringWhenSet();
    await job.retry();
    await job.cancel();
    await postJob(account, { idempotency_key: CANARY });
    await api("GET", `/v1/jobs?idempotency_key=${CANARY}`, { key: account.key });
    expect(logs.of("execution")).toHaveLength(3);
    expectClean();
  });

  it("of a worker's reports", async () => {
    const job = await newJob(account, { handler: CANARY, delivery: { type: "pull" }, payload: { CANARY } });
    await job.ring();
    const execution_id = (await job.executions())[0]?.id;
    const say = (word: string, body: object) =>
      api("POST", `/v1/worker/jobs/${job.id}/${word}`, { key: account.key, body: { execution_id, ...body } });
    await say("start", { worker_id: CANARY });
    await say("fail", { error: { message: CANARY, name: CANARY } });
    expect(logs.of("execution")).toHaveLength(1);
    expectClean();
  });

  it("of keys, secrets and accounts", async () => {
    const made = await api<{ key: string }>("POST", "/v1/api-keys", { key: account.key, body: { name: CANARY } });
    await api("GET", "/v1/signing-secret", { key: account.key });
    await api("POST", "/v1/signing-secret/rotate", { key: account.key });
    await api("POST", "/v1/admin/accounts", { key: ADMIN, body: { name: CANARY } });
    await api("GET", "/v1/jobs", { headers: { Authorization: `Basic ${CANARY}` } });
    expectClean();
    expect(logs.lines.join("\n")).not.toContain(made.body.data.key);
  });

  it("of requests that are refused", async () => {
    const { key } = account;
    await api("POST", "/v1/jobs", { key, body: { name: CANARY, [CANARY]: CANARY } });
    await api("POST", "/v1/jobs", { key, raw: `{"${CANARY}":` });
    await api("POST", "/v1/jobs", { key, raw: CANARY, headers: { "Content-Type": `text/${CANARY}` } });
    await api("GET", `/v1/jobs?${CANARY}=${CANARY}`, { key });
    await api("GET", "/v1/jobs", { key, headers: { "User-Agent": CANARY, Cookie: CANARY } });
    expectClean();
  });

  it("of a job whose alarm meets a fault", async () => {
    const job = await newJob(account, { name: CANARY, payload: { CANARY }, scheduled_for: iso(NOON + HOUR) });
    await job.store({ ...(await job.stored()), delivery: { type: "push", url: CANARY, method: 1, headers: CANARY } });
    await job.ringAt(NOON + HOUR);
    const newer = await newJob(account, { scheduled_for: iso(NOON + 2 * HOUR) });
    await newer.store({ v: 99, name: CANARY });
    await newer.ring();
    expect(logs.of("alarm_fault").length).toBeGreaterThanOrEqual(1);
    expectClean();
  });
});
