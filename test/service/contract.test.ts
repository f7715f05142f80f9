// The contract's examples, pasted as they stand, and its conventions (§1), seen over the wire.

import { randomUUID } from "node:crypto";
import { beforeAll, expect, it } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Claimed, Envelope, Job, Schedule } from "../harness/tenant.ts";

let service: Service;
let key: Record<string, string>;
beforeAll(async () => {
  service = await sharedService();
  const { apiKey } = await service.newTenant();
  key = { Authorization: `Bearer ${apiKey}` };
});

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

/** A request as curl would send it. */
async function send(method: string, path: string, headers: Record<string, string>, body?: string) {
  const response = await fetch(service.url + path, { method, headers, body: body ?? null });
  return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope<unknown> };
}

const post = (body: string, headers = { "Content-Type": "application/json" }) =>
  send("POST", "/v1/jobs", { ...key, ...headers }, body);

// Each as text, as somebody would paste it.
const JOBS = [
  `{ "name": "as soon as possible", "handler": "a" }`,
  `{ "name": "said in full", "handler": "a", "delivery": { "type": "pull" }, "timeout": 30, "max_retries": 3 }`,
  `{ "name": "nulls", "handler": "a", "payload": null, "delay": null, "scheduled_for": null, "idempotency_key": null }`,
  ...["second", "minute", "hour", "day", "week"].map(
    (unit) => `{ "name": "in a ${unit}", "handler": "a", "delay": { "value": 1, "unit": "${unit}" } }`,
  ),
  `{ "name": "any offset", "handler": "a", "scheduled_for": "2029-01-15T09:00:00+05:30" }`,
  `{ "name": "in UTC", "handler": "a", "scheduled_for": "2029-01-15T09:00:00.000Z" }`,
  ...["GET", "POST", "PUT", "PATCH", "DELETE"].map(
    (method) => `{ "name": "pushed", "delay": { "value": 1, "unit": "week" }, "payload": { "to": "ada@example.com" },
      "delivery": { "type": "push", "http": { "url": "https://example.com/hook", "method": "${method}", "headers": {} } } }`,
  ),
];

it.concurrent.each(JOBS)("takes the job %s", async (text) => {
  const { status, headers, body } = await post(text);
  expect([status, body]).toEqual([201, { success: true, message: expect.any(String), data: expect.any(Object) }]);
  expect(headers.get("X-Request-Id")).toMatch(UUID);
  const job = body.data as Job;
  expect(Object.keys(job)).toEqual(
    "id schedule_id name handler status payload delivery timeout max_retries backoff tags flow callbacks origin idempotency_key scheduled_for run_at expires_at attempts last_error result created_at updated_at completed_at revision".split(
      " ",
    ),
  );
  expect(job).toMatchObject({ id: expect.stringMatching(UUID), schedule_id: null, status: "pending", attempts: 0 });
  expect(job.scheduled_for).toMatch(INSTANT);
  if (job.name === "any offset") expect(job.scheduled_for).toBe("2029-01-15T03:30:00.000Z");
});

it.concurrent("walks a job through a worker's calls as the contract writes them", async () => {
  const tenant = await service.newTenant();
  await tenant.create({ handler: "b" });
  const claim = { handlers: ["a", "b"], wait_time_seconds: 20, worker_id: "worker 1" };
  const { job_id, execution_id } = await tenant.post<Claimed>("/v1/worker/jobs/claim", claim);
  const beat = await tenant.post(`/v1/worker/jobs/${job_id}/heartbeat`, { execution_id });
  expect(beat).toEqual({ lease_expires_at: expect.stringMatching(INSTANT), cancel_requested: false });
  const done = { execution_id, result: ["any", { JSON: true }] };
  expect(await tenant.post(`/v1/worker/jobs/${job_id}/complete`, done)).toMatchObject({ status: "completed" });
  expect(await tenant.post("/v1/worker/jobs/claim", { handlers: ["a"], wait_time_seconds: 0 })).toBeNull();
});

it.concurrent("makes, shows, changes and archives a schedule", async () => {
  const tenant = await service.newTenant();
  const made = await tenant.post<Schedule>("/v1/schedules", {
    name: "every morning",
    description: "in London",
    handler: "a",
    cron: "0 9 * * 1-5",
    timezone: "Europe/London",
    runs: 10,
    stop_at: "2029-01-01T00:00:00Z",
    payload: { report: "daily" },
  });
  expect(made).toMatchObject({
    status: "active",
    timezone: "Europe/London",
    next_run_at: expect.stringMatching(INSTANT),
  });
  expect(await tenant.get(`/v1/schedules/${made.id}`)).toEqual(made);
  const changed = await tenant.call<Schedule>("PATCH", `/v1/schedules/${made.id}`, {
    interval: { value: 2, unit: "hour" },
  });
  expect(changed.body.data).toMatchObject({ cron: null, interval: { value: 2, unit: "hour" } });
  expect(await tenant.post(`/v1/schedules/${made.id}/archive`)).toMatchObject({ status: "archived" });
  expect((await tenant.call("GET", "/v1/schedules")).body.meta.paging).toMatchObject({ page: 1, total: 1 });
});

it.concurrent("answers a missing, malformed, unknown and revoked key the same", async () => {
  const tenant = await service.newTenant();
  const { id, key } = await tenant.post<{ id: string; key: string }>("/v1/api-keys", { name: "revoked" });
  expect((await tenant.call("DELETE", `/v1/api-keys/${id}`)).status).toBe(200);
  const wrong = [undefined, "Bearer", "Basic abc", `Bearer chrns_${"x".repeat(43)}`, `Bearer ${key}`];
  const ask = (value: string | undefined) =>
    send("GET", "/v1/jobs", value === undefined ? {} : { Authorization: value });
  const answers = await Promise.all(wrong.map(ask));
  const refusal = { success: false, message: expect.any(String), code: "unauthorized", errors: [] };
  for (const { status, body } of answers) expect([status, body]).toEqual([401, refusal]);
  expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
});

it.concurrent("tells an address that guesses so 30 times in ten seconds, then 429; a key it knows passes", async () => {
  const headers = { "CF-Connecting-IP": "203.0.113.77" };
  const tenant = await service.newTenant();
  const mine = () => send("GET", "/v1/jobs", { ...headers, Authorization: `Bearer ${tenant.apiKey}` });
  const guess = (_: unknown, i: number) =>
    send("GET", "/v1/jobs", { ...headers, Authorization: `Bearer chrns_${String(i).padStart(43, "x")}` });
  expect((await mine()).status).toBe(200);
  const answers = await Promise.all(Array.from({ length: 200 }, guess));
  const told = answers.filter(({ status }) => status === 401).length;
  // A window may have turned meanwhile.
  expect([30, 60]).toContain(told);
  expect(answers.filter(({ status }) => status === 429)).toHaveLength(200 - told);
  expect((await mine()).status).toBe(200);
});

const REFUSALS: [what: string, status: number, code: string, request: () => ReturnType<typeof send>][] = [
  ["an unknown path", 404, "not_found", () => send("GET", "/v1/nothing", key)],
  ["a wrong method", 405, "method_not_allowed", () => send("DELETE", "/v1/jobs", key)],
  ["a job nobody has", 404, "job_not_found", () => send("GET", `/v1/jobs/${randomUUID()}`, key)],
  ["a schedule nobody has", 404, "schedule_not_found", () => send("GET", `/v1/schedules/${randomUUID()}`, key)],
  ["an id that is none", 422, "validation_error", () => send("GET", "/v1/jobs/4711", key)],
  ["a page beyond the list", 422, "validation_error", () => send("GET", "/v1/jobs?page=501", key)],
  ["an unknown parameter", 422, "validation_error", () => send("GET", "/v1/jobs?colour=red", key)],
  ["an unknown field", 422, "validation_error", () => post(`{ "name": "a", "handler": "a", "colour": "red" }`)],
  ["a pull job without handler", 422, "validation_error", () => post(`{ "name": "a" }`)],
  ["what is no JSON", 400, "bad_request", () => post(`{ "name": `)],
  ["another content type", 400, "bad_request", () => post("{}", { "Content-Type": "text/plain" })],
  ["a body over 256 KB", 413, "payload_too_large", () => post(" ".repeat(256 * 1024 + 1))],
];

it.concurrent.each(REFUSALS)("refuses %s with %i %s", async (_, status, code, request) => {
  const answer = await request();
  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({ success: false, message: expect.any(String), code, errors: expect.any(Array) });
  expect(answer.body.errors.length > 0).toBe(status === 422);
  if (status === 405) expect(answer.headers.get("Allow")?.split(", ")).toEqual(expect.arrayContaining(["GET", "POST"]));
});

it.concurrent("takes a hundred requests of a key in ten seconds, and then says when to come back", async () => {
  const tenant = await service.newTenant();
  const ask = () => tenant.call("GET", `/v1/jobs/${randomUUID()}`);
  const answers = await Promise.all(Array.from({ length: 230 }, ask));
  const refused = answers.filter(({ status }) => status === 429);
  // A window may have turned meanwhile: at most two hundred get through.
  expect(refused.length).toBeGreaterThanOrEqual(30);
  expect(answers.length - refused.length).toBeGreaterThanOrEqual(100);
  expect(refused[0]?.body.code).toBe("rate_limit_exceeded");
  expect(Number(refused[0]?.headers.get("Retry-After"))).toBeGreaterThan(0);
  expect((await (await service.newTenant()).call("GET", "/v1/jobs")).status).toBe(200);
});
