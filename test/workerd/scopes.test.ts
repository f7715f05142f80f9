// What each scope of an API key opens (contract §1 and §7), walked route by route from the one table that says so.

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { KEY_SCOPES, type KeyScope } from "../../src/domain/key-scope.ts";
import { SCOPES, scopesOf } from "../../src/http/scopes.ts";
import { endpointsOf } from "../../src/openapi/document.ts";
import { type Account, newAccount, suspend } from "./harness/account.ts";
import { anAddress, api, app, must, NO_RATE_LIMITS, requestOf } from "./harness/api.ts";
import { HOUR, iso, NOON } from "./harness/clock.ts";
import { type JobUnderTest, newJob } from "./harness/job.ts";
import { TARGET } from "./harness/receiver.ts";
import { queuedJob } from "./pull/worker.ts";

/** All routes that take a key. */
const ROUTES = [...endpointsOf(app.routes).keys()].filter((name) => / \/(v1\/(?!admin\/)|mcp$)/.test(name));

const keyOf = async (account: Account, scope: KeyScope, expiresAt: string | null = null): Promise<string> => {
  const body = { name: scope, scope, expires_at: expiresAt };
  return (await must(api<{ key: string }>("POST", "/v1/api-keys", { key: account.key, body }))).key;
};

/** An account with one of everything that a request could change. */
interface Ground {
  readonly account: Account;
  readonly jobs: readonly JobUnderTest[];
  /** A request to each route that does something, where a route needs more than an id that nobody has. */
  readonly requests: Readonly<Record<string, readonly [path: string, body?: object]>>;
}

async function ground(): Promise<Ground> {
  const account = await newAccount();
  const post = <T = { id: string }>(path: string, body: object) =>
    must(api<T>("POST", path, { key: account.key, body }));
  const pending = await newJob(account, { delay: { value: 10, unit: "minute" } });
  const ended = await newJob(account, { delay: { value: 10, unit: "minute" } });
  await ended.cancel();
  const [queued, leased] = [await queuedJob(account, "queued"), await queuedJob(account, "leased")];
  const claimed = await post<{ execution_id: string }>("/v1/worker/jobs/claim", {
    handlers: ["leased"],
    wait_time_seconds: 0,
  });
  const [execution] = await queued.executions();
  const schedule = await post("/v1/schedules", { name: "s", handler: "s", cron: "0 9 * * *" });
  const bulk = await post("/v1/bulk-actions", { action: "run", job_ids: [crypto.randomUUID()] });
  const other = await post("/v1/api-keys", { name: "another" });
  const hook = { url: TARGET, events: ["job.recovered"] };
  const webhook = await post("/v1/webhooks", hook);
  const job = (action = "", of = pending) => `/v1/jobs/${of.id}${action}`;
  const work = (action: string, of = leased) => `/v1/worker/jobs/${of.id}/${action}`;
  const held = { execution_id: claimed.execution_id };
  const at = (action = "") => `/v1/schedules/${schedule.id}${action}`;
  return {
    account,
    jobs: [pending, ended, queued, leased],
    requests: {
      "POST /v1/jobs": ["/v1/jobs", { name: "j", handler: "j" }],
      "POST /v1/jobs/batch": ["/v1/jobs/batch", { jobs: [{ name: "j", handler: "j" }] }],
      "GET /v1/jobs/:id": [job()],
      "GET /v1/jobs/:id/executions": [job("/executions")],
      "PATCH /v1/jobs/:id": [job(), { name: "another" }],
      "DELETE /v1/jobs/:id": [job("", ended)],
      "POST /v1/jobs/:id/cancel": [job("/cancel")],
      "POST /v1/jobs/:id/run": [job("/run")],
      "POST /v1/jobs/:id/retry": [job("/retry", ended)],
      "POST /v1/worker/jobs/claim": ["/v1/worker/jobs/claim", { handlers: ["queued"], wait_time_seconds: 0 }],
      "POST /v1/worker/jobs/report": [
        "/v1/worker/jobs/report",
        { reports: [{ ...held, job_id: leased.id, status: "completed" }] },
      ],
      "POST /v1/worker/jobs/:job_id/start": [work("start", queued), { execution_id: execution?.id }],
      "POST /v1/worker/jobs/:job_id/complete": [work("complete"), held],
      "POST /v1/worker/jobs/:job_id/fail": [work("fail"), { ...held, error: { message: "no" } }],
      "POST /v1/worker/jobs/:job_id/heartbeat": [work("heartbeat"), held],
      "POST /v1/bulk-actions": ["/v1/bulk-actions", { action: "cancel", filter: { all: true } }],
      "GET /v1/bulk-actions/:id": [`/v1/bulk-actions/${bulk.id}`],
      "POST /v1/bulk-actions/:id/abort": [`/v1/bulk-actions/${bulk.id}/abort`],
      "POST /v1/schedules": ["/v1/schedules", { name: "t", handler: "t", cron: "0 9 * * *" }],
      "POST /v1/schedules/preview": ["/v1/schedules/preview", { cron: "0 9 * * *" }],
      "GET /v1/schedules/:id": [at()],
      "GET /v1/schedules/:id/preview": [at("/preview")],
      "PATCH /v1/schedules/:id": [at(), { name: "another" }],
      "POST /v1/schedules/:id/pause": [at("/pause")],
      "POST /v1/schedules/:id/resume": [at("/resume")],
      "POST /v1/schedules/:id/trigger": [at("/trigger")],
      "POST /v1/schedules/:id/archive": [at("/archive")],
      "GET /v1/handlers": ["/v1/handlers"],
      "GET /v1/overview": ["/v1/overview"],
      "GET /v1/metrics": ["/v1/metrics"],
      "POST /v1/webhooks": ["/v1/webhooks", hook],
      "GET /v1/webhooks/:id": [`/v1/webhooks/${webhook.id}`],
      "PATCH /v1/webhooks/:id": [`/v1/webhooks/${webhook.id}`, { enabled: false }],
      "DELETE /v1/webhooks/:id": [`/v1/webhooks/${webhook.id}`],
      "POST /v1/webhooks/:id/test": [`/v1/webhooks/${webhook.id}/test`],
      "POST /v1/api-keys": ["/v1/api-keys", { name: "mine" }],
      "DELETE /v1/api-keys/:id": [`/v1/api-keys/${other.id}`],
    },
  };
}

let read: Promise<Ground> | undefined;
/** Reading changes nothing: one ground serves all who read. */
function groundFor(route: string): Promise<Ground> {
  if (!route.startsWith("GET ")) return ground();
  read ??= ground();
  return read;
}

/** A request to a route; where nothing is prepared for it, about ids that nobody has. */
function ask({ requests }: Ground, route: string, key: string) {
  const [method = "", pattern = ""] = route.split(" ");
  const [path, body] = requests[route] ?? [pattern.replace(/:\w+/g, () => crypto.randomUUID())];
  return api(method, path, { key, ...(body && { body }) });
}

/** Every row of an account, in all tables there are, and what the owners of its jobs hold. */
async function everything({ account, jobs }: Ground): Promise<unknown> {
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'",
  ).all<{ name: string }>();
  const rows = [];
  for (const { name } of tables.results) {
    const columns = await env.DB.prepare("SELECT name FROM pragma_table_info(?)").bind(name).all<{ name: string }>();
    const column = name === "accounts" ? "id" : "account_id";
    if (name === "look_ahead" || name === "retention_walk" || !columns.results.some((one) => one.name === column))
      continue;
    rows.push(name, (await env.DB.prepare(`SELECT * FROM ${name} WHERE ${column} = ?`).bind(account.id).all()).results);
  }
  return [rows, await Promise.all(jobs.map((job) => job.stored()))];
}

describe("the table of scopes", () => {
  it("has a row for every route that takes a key, and none for any other", () => {
    expect(Object.keys(SCOPES).sort()).toEqual([...ROUTES].sort());
    expect(ROUTES.length).toBeGreaterThan(30);
  });

  it("keeps what it does not name to `full` keys, which may call everything", () => {
    expect(scopesOf("GET /v1/new")).toEqual(["full"]);
    for (const scopes of Object.values(SCOPES)) expect(scopes).toContain("full");
  });

  it("gives `read` GET alone, `worker` the paths of workers alone, and both all of it but the signing secret", () => {
    for (const [route, scopes] of Object.entries(SCOPES)) {
      expect([route, scopes.includes("read")]).toEqual([
        route,
        /^GET (?!\/v1\/signing-secret)|^POST \/mcp$/.test(route),
      ]);
      expect([route, scopes.includes("worker")]).toEqual([route, route.startsWith("POST /v1/worker/")]);
    }
  });
});

describe.each(KEY_SCOPES)("a key of the scope %s", (scope) => {
  const allowed = ROUTES.filter((route) => scopesOf(route).includes(scope));
  const refused = ROUTES.filter((route) => !scopesOf(route).includes(scope));

  it.each(allowed)("may %s", async (route) => {
    const prepared = await groundFor(route);
    const { status } = await ask(prepared, route, await keyOf(prepared.account, scope));
    if (route in prepared.requests) expect(status).toBeLessThan(300);
    expect([401, 403]).not.toContain(status);
  });

  if (refused.length > 0)
    it("is refused all others with 403 forbidden, which names the scope, and changes nothing", async () => {
      const prepared = await ground();
      const key = await keyOf(prepared.account, scope);
      const before = await everything(prepared);
      for (const route of refused) {
        const { status, body, headers } = await ask(prepared, route, key);
        expect([route, status, body.code, body.errors]).toEqual([route, 403, "forbidden", []]);
        expect(body.message).toContain(`\`${scope}\``);
        expect(headers.get("WWW-Authenticate")).toBeNull();
        expect(await everything(prepared)).toEqual(before);
      }
    });
});

describe("a limited key", () => {
  it("is refused a HEAD where it is refused the GET, and nowhere else", async () => {
    const account = await newAccount();
    const head = async (key: string) => {
      const request = requestOf("HEAD", "/v1/jobs", { key });
      return (await app.fetch(request, { ...env, ...NO_RATE_LIMITS } as never, createExecutionContext())).status;
    };
    expect(await head(await keyOf(account, "create"))).toBe(403);
    expect(await head(await keyOf(account, "read"))).toBe(200);
  });

  it("waits for jobs no longer than it lives: it could not report them", async () => {
    const account = await newAccount();
    const key = await keyOf(account, "worker", iso(NOON + 300));
    const beganAt = performance.now();
    const body = { handlers: ["h"], wait_time_seconds: 20 };
    const answer = await must(api("POST", "/v1/worker/jobs/claim", { key, body }));
    expect([answer, performance.now() - beganAt < 10_000]).toEqual([null, true]);
  });

  it("meets its account's suspension first: a worker waits, where 403 forbidden would end it", async () => {
    const account = await newAccount();
    const key = await keyOf(account, "worker");
    await suspend(account);
    expect((await api("GET", "/v1/jobs", { key })).body.code).toBe("account_suspended");
  });

  it("of the scope `create` may replace the job that holds its key, and see it in a conflict", async () => {
    const account = await newAccount();
    const key = await keyOf(account, "create");
    const body = { name: "first", handler: "h", delay: { value: 1, unit: "hour" }, idempotency_key: "k" };
    const { id } = await must(api<{ id: string }>("POST", "/v1/jobs", { key, body }));
    const replaced = await api("POST", "/v1/jobs", { key, body: { ...body, name: "second", on_conflict: "replace" } });
    expect([replaced.status, replaced.body.data]).toEqual([200, expect.objectContaining({ id, name: "second" })]);
    const conflict = await api("POST", "/v1/jobs", { key, body });
    expect([conflict.status, conflict.body.data]).toEqual([409, expect.objectContaining({ id, name: "second" })]);
  });

  it("that is right is no guess, whatever it is refused", async () => {
    const account = await newAccount();
    const keys = await Promise.all(Array.from({ length: 40 }, () => keyOf(account, "worker")));
    const headers = { "CF-Connecting-IP": anAddress() };
    for (const key of keys) expect((await api("GET", "/v1/jobs", { key, headers })).status).toBe(403);
    const unknown = `chrns_${"B".repeat(43)}`;
    for (let n = 0; n < 30; n++) expect((await api("GET", "/v1/jobs", { key: unknown, headers })).status).toBe(401);
    expect((await api("GET", "/v1/jobs", { key: unknown, headers })).status).toBe(429);
  });

  it("uses up nothing of the rate limits with what it is refused", async () => {
    const account = await newAccount();
    const key = await keyOf(account, "create", iso(NOON + HOUR));
    const never = { limit: async () => ({ success: false }) };
    expect((await api("GET", "/v1/jobs", { key, env: { API_RATE_LIMIT: never } })).status).toBe(403);
  });
});
