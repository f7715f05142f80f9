// What an account may have at a time: jobs that have not ended, schedules, claims that wait, and requests with all its keys.

import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { REFUSALS } from "../../src/openapi/refusals.ts";
import { newAccount } from "./harness/account.ts";
import { type Answer, api, app, type Call, must, NO_RATE_LIMITS, requestOf } from "./harness/api.ts";
import { setClock, until } from "./harness/clock.ts";
import { newJob } from "./harness/job.ts";

const HOUR = { value: 1, unit: "hour" };

/** As the message reads where the limit is another one. */
const wordsOf = (code: keyof typeof REFUSALS, limit: number) => REFUSALS[code].message.replace(/\d+/, `${limit}`);

describe("jobs that have not ended", () => {
  const job = (more: object = {}) => ({ name: "a job", handler: "h", delay: HOUR, ...more });
  const limited = { MAX_WAITING_JOBS: "3" };

  it("beyond the limit are refused with 429, singly and in a batch, until one has ended", async () => {
    const { key } = await newAccount();
    const post = (body: unknown) => api<{ id: string }>("POST", "/v1/jobs", { key, body, env: limited });
    const batch = (size: number) =>
      api("POST", "/v1/jobs/batch", { key, body: { jobs: Array.from({ length: size }, () => job()) }, env: limited });
    const { id } = await must(post(job()));
    expect((await batch(3)).status).toBe(429);
    expect((await batch(2)).status).toBe(201);
    const { status, body, headers } = await post(job());
    expect([status, body.code, body.message]).toEqual([429, "job_limit_reached", wordsOf("job_limit_reached", 3)]);
    expect(headers.get("Retry-After")).toBe("10");
    await must(api("POST", `/v1/jobs/${id}/cancel`, { key }));
    setClock(Date.now() + 10_000);
    await until(async () => (await post(job())).status === 201);
    expect((await api("POST", "/v1/jobs", { ...(await newAccount()), body: job(), env: limited })).status).toBe(201);
  });

  it("are made by schedules and retries beyond it: nothing that was promised is refused", async () => {
    const { key } = await newAccount();
    const call = (path: string, body?: unknown) => api<{ id: string }>("POST", path, { key, body, env: limited });
    const schedule = await must(call("/v1/schedules", { name: "s", handler: "h", interval: HOUR }));
    const { id } = await must(call("/v1/jobs", job()));
    await must(call(`/v1/jobs/${id}/cancel`));
    for (let n = 0; n < 3; n++) await must(call("/v1/jobs", job()));
    expect((await call("/v1/jobs", job())).status).toBe(429);
    expect((await call(`/v1/schedules/${schedule.id}/trigger`)).status).toBe(201);
    expect((await call(`/v1/jobs/${id}/retry`)).status).toBe(200);
  });
});

describe("schedules", () => {
  const schedule = (more: object = {}) => ({ name: "s", handler: "h", interval: HOUR, ...more });
  const limited = { MAX_SCHEDULES: "2" };

  it("beyond the limit are refused with 409; archived ones do not count", async () => {
    const { key } = await newAccount();
    const post = (body: unknown) => api<{ id: string }>("POST", "/v1/schedules", { key, body, env: limited });
    const { id } = await must(post(schedule({ idempotency_key: "first" })));
    const { id: second } = await must(post(schedule()));
    await must(api("POST", `/v1/schedules/${second}/pause`, { key }));
    for (const more of [{}, { idempotency_key: "new" }]) {
      const { status, body } = await post(schedule(more));
      expect([status, body.code, body.message]).toEqual([
        409,
        "schedule_limit_reached",
        wordsOf("schedule_limit_reached", 2),
      ]);
    }
    expect((await post(schedule({ idempotency_key: "first" }))).body.code).toBe("idempotency_key_conflict");
    await must(api("POST", `/v1/schedules/${id}/archive`, { key }));
    expect((await post(schedule())).status).toBe(201);
  });

  it("of many that are made at once, as many exist as may", async () => {
    const { key } = await newAccount();
    const made = await Promise.all(
      Array.from({ length: 8 }, () => api("POST", "/v1/schedules", { key, body: schedule(), env: limited })),
    );
    expect(made.filter(({ status }) => status === 201)).toHaveLength(2);
    expect((await api("GET", "/v1/schedules", { key })).body.meta.paging.total).toBe(2);
  });
});

describe("claims that wait", () => {
  it("beyond the limit are refused with 429, and a claim that need not wait is not", async () => {
    const account = await newAccount();
    const { key } = account;
    const limited = { MAX_OPEN_POLLS: "1" };
    const claim = (handler: string, wait: number) =>
      requestOf("POST", "/v1/worker/jobs/claim", { key, body: { handlers: [handler], wait_time_seconds: wait } });
    const ask = (request: Request) => {
      const context = createExecutionContext();
      const around = { ...env, ...NO_RATE_LIMITS, ...limited } as Cloudflare.Env;
      return { answer: app.fetch(request, around, context), over: () => waitOnExecutionContext(context) };
    };
    const first = ask(claim("h", 1));
    expect((await first.answer).status).toBe(200);
    const refused = await ask(claim("h", 1)).answer;
    const { code, message } = await refused.json<{ code: string; message: string }>();
    expect([refused.status, code, message, refused.headers.get("Retry-After")]).toEqual([
      429,
      "poll_limit_reached",
      wordsOf("poll_limit_reached", 1),
      "5",
    ]);
    expect((await ask(claim("h", 0)).answer).status).toBe(200);
    const due = await newJob(account, { handler: "due", delivery: { type: "pull" } });
    await due.ringWhenSet();
    expect(await (await ask(claim("due", 1)).answer).text()).toContain(due.id);
    await (await first.answer).text();
    await first.over();
    expect((await ask(claim("h", 1)).answer).status).toBe(200);
  });
});

describe("requests with all keys of an account", () => {
  /** Counts as the platform does, without its period. */
  const counting = (most: number) => {
    const asked = new Map<string, number>();
    return {
      limit: async ({ key }: { key: string }) => {
        const count = (asked.get(key) ?? 0) + 1;
        asked.set(key, count);
        return { success: count <= most };
      },
    };
  };
  const limits = () => ({
    API_RATE_LIMIT: counting(5),
    ACCOUNT_RATE_LIMIT: counting(20),
    WORKER_RATE_LIMIT: counting(5),
    ACCOUNT_WORKER_RATE_LIMIT: counting(20),
  });

  const heartbeat = { body: { execution_id: "0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11" } };
  const MCP = { jsonrpc: "2.0", id: 1, method: "tools/list" };
  it.each<[string, string, string, Call]>([
    ["the API", "GET", "/v1/jobs", {}],
    ["metrics", "GET", "/v1/metrics", {}],
    ["worker endpoints", "POST", "/v1/worker/jobs/0b0e7a6e-6c3f-4f1e-8d3b-0b6f0f6a2c11/heartbeat", heartbeat],
    ["an assistant", "POST", "/mcp", { body: MCP, headers: { Accept: "application/json, text/event-stream" } }],
  ])("are limited together: a key that mints nine others gains nothing at %s", async (_, method, path, call) => {
    const account = await newAccount();
    const keys = [account.key];
    for (let n = 0; n < 9; n++) {
      const body = { name: `minted ${n}` };
      keys.push((await must(api<{ key: string }>("POST", "/v1/api-keys", { key: account.key, body }))).key);
    }
    const around = limits();
    const answers: Answer[] = [];
    for (let round = 0; round < 6; round++)
      for (const key of keys) answers.push(await api(method, path, { ...call, key, env: around }));
    const refused = answers.filter(({ status }) => status === 429);
    expect(answers.length - refused.length).toBe(20);
    const other = await api(method, path, { ...call, key: (await newAccount()).key, env: around });
    expect(other.status).not.toBe(429);
  });

  it("of the dashboard count for the account as well", async () => {
    const account = await newAccount();
    const around = limits();
    const signIn = () =>
      api("POST", "/dashboard/session", {
        body: { api_key: account.key },
        headers: { "Sec-Fetch-Site": "same-origin" },
        env: { ...around, API_RATE_LIMIT: NO_RATE_LIMITS.API_RATE_LIMIT },
      });
    for (let n = 0; n < 20; n++) expect((await signIn()).status).toBeLessThan(300);
    expect((await signIn()).status).toBe(429);
  });
});
