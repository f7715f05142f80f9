// Every documented example is sent to the running service; what comes back must be what the document says.

import { beforeAll, describe, expect, it } from "vitest";
import { sharedService } from "../harness/shared.ts";
import type { Answer, Tenant } from "../harness/tenant.ts";
import { type Document, type Endpoint, endpointsIn, Judge, successOf } from "./harness/document.ts";
import { completedSchedule, endedJobs, prepared } from "./harness/prepared.ts";

const service = await sharedService();
const document: Document = await (await fetch(`${service.url}/openapi.json`)).json();
const endpoints = endpointsIn(document).filter(
  ({ path, operation }) =>
    (path.startsWith("/v1/") && "application/json" in successOf(operation).content) ||
    path === "/health" ||
    path === "/",
);

let judge: Judge;
let tenant: Tenant;

beforeAll(() => {
  judge = new Judge(document);
});

interface Shown {
  readonly title: string;
  readonly endpoint: Endpoint;
  readonly body: unknown;
}

/** What an operation says in another case than that of its example, which is as good. */
const OTHER_MESSAGES = ["No job was due.", "Jobs claimed.", "The bulk action had completed."];

const shown: Shown[] = endpoints.flatMap((endpoint) => {
  const bodies = Object.entries(endpoint.operation.requestBody?.content["application/json"]?.examples ?? {});
  const title = `${endpoint.method} ${endpoint.path}`;
  if (bodies.length === 0) return [{ title, endpoint, body: undefined }];
  return bodies.map(([name, { value }]) => ({ title: `${title} (${name})`, endpoint, body: value }));
});

describe("a documented example is answered as documented", () => {
  it("there are examples for every operation of the API", () => {
    expect(new Set(shown.map(({ endpoint }) => endpoint))).toEqual(new Set(endpoints));
    expect(shown.length).toBeGreaterThan(35);
  });

  it.each(shown)("$title", async ({ endpoint, body }) => {
    tenant = await service.newTenant();
    const { operation, method, path } = endpoint;
    const caller = path.startsWith("/v1/admin/") ? service.operator : tenant;
    const ids = await prepared(operation.operationId, caller);
    const query = new URLSearchParams();
    for (const { in: place, name, example } of operation.parameters ?? [])
      if (place === "query" && example !== undefined)
        for (const one of [example].flat()) query.append(name, String(one));
    const real = path.replace(/\{\w+\}/, ids.id ?? "");
    const sent = ids.execution_id && typeof body === "object" ? { ...body, execution_id: ids.execution_id } : body;

    const answer = await caller.call(method, `${real}?${query}`, sent);

    const { status, content } = successOf(operation);
    const example = content["application/json"]?.example as { message: string };
    expect(answer.status, JSON.stringify(answer.body)).toBe(status);
    expect(judge.answerFaults(endpoint, status, answer.body)).toEqual([]);
    expect([...OTHER_MESSAGES, example.message]).toContain(answer.body.message);
    expect(answer.headers.get("X-Request-Id")).toMatch(/^[0-9a-f-]{36}$/);
  });
});

it("what lists hold is as documented, once there is something in them", async () => {
  tenant = await service.newTenant();
  const { push, pull } = await endedJobs(tenant);
  await Promise.all(["getSchedule", "getBulkAction"].map((operation) => prepared(operation, tenant)));
  const lists: [string, string, number][] = [
    ["/v1/jobs", "/v1/jobs", 2],
    ["/v1/jobs/{id}/executions", `/v1/jobs/${push}/executions`, 1],
    ["/v1/jobs/{id}/executions", `/v1/jobs/${pull}/executions`, 1],
    ["/v1/schedules", "/v1/schedules", 1],
    ["/v1/bulk-actions", "/v1/bulk-actions", 1],
    ["/v1/api-keys", "/v1/api-keys", 1],
  ];
  for (const [path, real, length] of lists) {
    const endpoint = endpoints.find((one) => one.path === path && one.method === "GET") as Endpoint;
    const { status, body } = await tenant.call("GET", real);
    expect(body.data, real).toHaveLength(length);
    expect(judge.answerFaults(endpoint, status, body), real).toEqual([]);
  }
});

it("a dry run is answered as documented", async () => {
  tenant = await service.newTenant();
  const endpoint = endpoints.find(({ operation }) => operation.operationId === "createBulkAction") as Endpoint;
  const dry = { action: "cancel", filter: { all: true }, dry_run: true };
  const { status, body } = await tenant.call("POST", "/v1/bulk-actions", dry);
  expect([status, judge.answerFaults(endpoint, 200, body)]).toEqual([200, []]);
});

describe("a refusal reads as its example", () => {
  /** How each code is met from outside. */
  const PROVOKED: Record<string, (tenant: Tenant) => Promise<Answer<unknown>>> = {
    unauthorized: (tenant) => tenant.withKey(`${tenant.apiKey}x`).call("GET", "/v1/jobs"),
    forbidden: async (tenant) => {
      const body = { name: "a dashboard", scope: "read" };
      const { key } = await tenant.post<{ key: string }>("/v1/api-keys", body);
      return tenant.withKey(key).call("POST", "/v1/jobs");
    },
    account_suspended: async (tenant) => {
      await service.operator.post(`/v1/admin/accounts/${tenant.id}/suspend`);
      return tenant.call("GET", "/v1/jobs");
    },
    not_found: (tenant) => tenant.call("GET", "/v1/jobz"),
    method_not_allowed: (tenant) => tenant.call("PATCH", "/v1/jobs"),
    bad_request: (tenant) => tenant.send("POST", "/v1/jobs", "{"),
    payload_too_large: (tenant) => tenant.send("POST", "/v1/jobs", `"${"x".repeat(262_144)}"`),
    validation_error: (tenant) => tenant.call("GET", "/v1/jobs?colour=red"),
    idempotency_key_conflict: async (tenant) => {
      const job = { name: "a job", handler: "a", idempotency_key: "taken", delay: { value: 1, unit: "hour" } };
      await tenant.create(job);
      return tenant.call("POST", "/v1/jobs", job);
    },
    job_not_found: (tenant) => tenant.call("GET", `/v1/jobs/${crypto.randomUUID()}`),
    job_not_cancellable: async (tenant) => {
      const { id } = await prepared("retryJob", tenant);
      return tenant.call("POST", `/v1/jobs/${id}/cancel`);
    },
    job_not_retryable: async (tenant) => {
      const { id } = await prepared("getJob", tenant);
      return tenant.call("POST", `/v1/jobs/${id}/retry`);
    },
    bulk_action_not_found: (tenant) => tenant.call("GET", `/v1/bulk-actions/${crypto.randomUUID()}`),
    flow_not_found: (tenant) => tenant.call("GET", "/v1/flows/nobody"),
    webhook_not_found: (tenant) => tenant.call("GET", `/v1/webhooks/${crypto.randomUUID()}`),
    job_not_editable: async (tenant) => {
      const { id } = await prepared("completeJob", tenant);
      return tenant.call("PATCH", `/v1/jobs/${id}`, { name: "another" });
    },
    job_not_runnable: async (tenant) => {
      const { id } = await prepared("completeJob", tenant);
      return tenant.call("POST", `/v1/jobs/${id}/run`);
    },
    job_not_deletable: async (tenant) => {
      const { id } = await prepared("getJob", tenant);
      return tenant.call("DELETE", `/v1/jobs/${id}`);
    },
    precondition_failed: async (tenant) => {
      const { id } = await prepared("getJob", tenant);
      return tenant.call("PATCH", `/v1/jobs/${id}`, { name: "another" }, undefined, { "If-Match": '"0"' });
    },
    lease_lost: async (tenant) => {
      const { id, execution_id } = await prepared("completeJob", tenant);
      await tenant.post(`/v1/jobs/${id}/cancel`);
      return tenant.call("POST", `/v1/worker/jobs/${id}/complete`, { execution_id });
    },
    conflict: async (tenant) => {
      const [first] = await tenant.get<{ id: string }[]>("/v1/api-keys");
      return tenant.call("DELETE", `/v1/api-keys/${first?.id}`);
    },
    schedule_not_found: (tenant) => tenant.call("GET", `/v1/schedules/${crypto.randomUUID()}`),
    handler_required_for_pull: async (tenant) => {
      const { id } = await prepared("getSchedule", tenant);
      return tenant.call("PATCH", `/v1/schedules/${id}`, { delivery: { type: "pull" } });
    },
    schedule_archived: async (tenant) => {
      const { id } = await prepared("getSchedule", tenant);
      await tenant.post(`/v1/schedules/${id}/archive`);
      return tenant.call("PATCH", `/v1/schedules/${id}`, { name: "another" });
    },
    schedule_completed: async (tenant) => {
      const id = await completedSchedule(tenant);
      return tenant.call("PATCH", `/v1/schedules/${id}`, { name: "another" });
    },
    rate_limit_exceeded: async (tenant) => {
      await Promise.all(Array.from({ length: 220 }, () => tenant.call("GET", "/v1/api-keys")));
      return tenant.call("GET", "/v1/api-keys");
    },
  };
  /** Those that nobody can provoke from outside are held in test/docs/workerd. */
  const ELSEWHERE = [
    "internal_error",
    "schedule_status_changed",
    "unavailable",
    "job_limit_reached",
    "schedule_limit_reached",
    "poll_limit_reached",
  ];

  it("every code is looked at", () => {
    expect([...Object.keys(PROVOKED), ...ELSEWHERE].sort()).toEqual(Object.keys(document.components.examples).sort());
  });

  it.each(Object.entries(PROVOKED))("%s", async (code, provoke) => {
    tenant = await service.newTenant();
    const first = await provoke(tenant);
    // A new period of the rate limit may have begun right before the last request.
    const { status, headers, body } = first.status === 200 ? await provoke(tenant) : first;
    const { data, ...refusal } = body;
    const { data: _, ...example } = (document.components.examples[code]?.value ?? {}) as { data?: unknown };
    expect(refusal).toEqual(example);
    expect(judge.faults(["components", "schemas", data ? "RefusalWithData" : "Refusal"], body)).toEqual([]);
    expect(status).toBe(Number(/\d+/.exec(rowOf(code))?.[0]));
    if (status === 429) expect(headers.get("Retry-After")).toBe("10");
    if (status === 405) expect(headers.get("Allow")).toBe("GET, HEAD, POST");
  });

  const rowOf = (code: string): string =>
    (document as unknown as { info: { description: string } }).info.description
      .split("\n")
      .find((line) => line.startsWith(`| \`${code}\``)) ?? "";
});
