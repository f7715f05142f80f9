// The shape of every answer (contract §1).

import { createExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, it } from "vitest";
import { newAccount } from "./harness/account.ts";
import { ADMIN, api, app, type Call, requestOf } from "./harness/api.ts";
import { newJob, postJob } from "./harness/job.ts";
import { logs } from "./harness/logs.ts";

const broken = () => Promise.reject(new Error("of the platform"));

const UNKNOWN_ID = "00000000-0000-4000-8000-000000000000";

describe("the envelope", () => {
  it("of a success is success, message and data, with 200", async () => {
    const { key } = await newAccount();
    const { status, body } = await api("GET", "/v1/signing-secret", { key });
    expect(status).toBe(200);
    expect(body).toEqual({ success: true, message: expect.any(String), data: expect.any(Object) });
  });

  it("of something made is the same with 201", async () => {
    const { status, body } = await postJob(await newAccount());
    expect(status).toBe(201);
    expect(body).toEqual({ success: true, message: expect.any(String), data: expect.any(Object) });
  });

  it("of a list adds meta.paging", async () => {
    const account = await newAccount();
    await newJob(account);
    const { status, body } = await api("GET", "/v1/jobs", { key: account.key });
    expect(status).toBe(200);
    expect(body).toEqual({
      success: true,
      message: expect.any(String),
      data: [expect.any(Object)],
      meta: { paging: { page: 1, pages: 1, size: 20, total: 1, next_cursor: null } },
    });
  });

  it("of an error is success, message, code and errors, which is empty when no field is at fault", async () => {
    const { body } = await api("GET", "/v1/jobs");
    expect(body).toEqual({ success: false, message: expect.any(String), code: "unauthorized", errors: [] });
  });

  it("of a refused request names each field at fault once, with words of its own", async () => {
    const { key } = await newAccount();
    const body = { name: "", delivery: { type: "push", http: { url: 1, method: "FETCH" } }, timeout: "soon" };
    const refused = await api("POST", "/v1/jobs", { key, body });
    expect(refused.status).toBe(422);
    expect(refused.body).toEqual({
      success: false,
      message: expect.any(String),
      code: "validation_error",
      errors: ["name", "delivery.http.url", "delivery.http.method", "timeout"].map((field) => ({
        field,
        message: expect.any(String),
      })),
    });
  });
});

describe("every answer", () => {
  const answers: [string, string, string, Call][] = [
    ["a success", "GET", "/health", {}],
    ["an unknown path", "GET", "/v1/jobz", {}],
    ["a path outside of /v1", "GET", "/nowhere", {}],
    ["a wrong method", "PATCH", "/v1/jobs", {}],
    ["a missing key", "GET", "/v1/jobs", {}],
    ["a refused admin token", "GET", "/v1/admin/accounts", { key: "adm_wrong" }],
    ["an unknown account", "POST", `/v1/admin/accounts/${UNKNOWN_ID}/suspend`, { key: ADMIN }],
    ["a store that cannot answer", "GET", "/health", { env: { MASTER_KEY: undefined } }],
  ];

  it.each(answers)("carries X-Request-Id, the same as in its log line: %s", async (_, method, path, call) => {
    const { headers } = await api(method, path, call);
    const id = headers.get("X-Request-Id");
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(logs.of("request").map((line) => line.request_id)).toEqual([id]);
  });

  it("is JSON", async () => {
    for (const path of ["/health", "/nowhere", "/v1/jobs"])
      expect((await api("GET", path)).headers.get("Content-Type")).toMatch(/^application\/json/);
  });

  it.each([
    ...answers,
    ["one too large", "POST", "/v1/jobs", { raw: "x".repeat(262_145), known: true }],
    ["a refused body", "POST", "/v1/jobs", { body: {}, known: true }],
    ["a list", "GET", "/v1/jobs", { known: true }],
    ["a fault of ours", "GET", "/v1/jobs", { known: true, env: { API_RATE_LIMIT: { limit: broken } } }],
    ["a HEAD", "HEAD", "/health", {}],
  ] satisfies [string, string, string, Call & { known?: boolean }][])(
    "is not kept by anybody, nor taken for what it is not: %s",
    async (_, method, path, { known, ...call }: Call & { known?: boolean }) => {
      const { headers } = await api(method, path, { ...call, ...(known && { key: (await newAccount()).key }) });
      expect([headers.get("Cache-Control"), headers.get("X-Content-Type-Options")]).toEqual(["no-store", "nosniff"]);
    },
  );

  it("but what only a deployment changes may be kept", async () => {
    for (const path of ["/openapi.json", "/docs/reference.js"]) {
      const { headers } = await app.fetch(requestOf("GET", path), env, createExecutionContext());
      expect([path, headers.get("Cache-Control"), headers.get("X-Content-Type-Options")]).toEqual([
        path,
        "public, max-age=300",
        "nosniff",
      ]);
    }
  });

  it("has an id of its own", async () => {
    const [one, other] = [await api("GET", "/health"), await api("GET", "/health")];
    expect(one.headers.get("X-Request-Id")).not.toBe(other.headers.get("X-Request-Id"));
  });
});

describe("a known path", () => {
  it.each([
    ["/v1/jobs", "GET, HEAD, POST"],
    [`/v1/jobs/${UNKNOWN_ID}`, "DELETE, GET, HEAD, PATCH"],
    [`/v1/jobs/${UNKNOWN_ID}/run`, "POST"],
    [`/v1/jobs/${UNKNOWN_ID}/executions`, "GET, HEAD"],
    [`/v1/jobs/${UNKNOWN_ID}/cancel`, "POST"],
    [`/v1/jobs/${UNKNOWN_ID}/retry`, "POST"],
    ["/v1/worker/jobs/claim", "POST"],
    [`/v1/worker/jobs/${UNKNOWN_ID}/start`, "POST"],
    [`/v1/worker/jobs/${UNKNOWN_ID}/complete`, "POST"],
    [`/v1/worker/jobs/${UNKNOWN_ID}/fail`, "POST"],
    [`/v1/worker/jobs/${UNKNOWN_ID}/heartbeat`, "POST"],
    ["/v1/api-keys", "GET, HEAD, POST"],
    [`/v1/api-keys/${UNKNOWN_ID}`, "DELETE"],
    ["/v1/signing-secret", "GET, HEAD"],
    ["/v1/signing-secret/rotate", "POST"],
    ["/v1/overview", "GET, HEAD"],
    ["/v1/metrics", "GET, HEAD"],
    ["/v1/admin/accounts", "GET, HEAD, POST"],
    [`/v1/admin/accounts/${UNKNOWN_ID}/suspend`, "POST"],
    [`/v1/admin/accounts/${UNKNOWN_ID}/resume`, "POST"],
    [`/v1/admin/accounts/${UNKNOWN_ID}`, "DELETE"],
    ["/health", "GET, HEAD"],
    ["/", "GET, HEAD"],
    ["/openapi.json", "GET, HEAD"],
    ["/docs", "GET, HEAD"],
  ])("answers a wrong method with 405 and its Allow header: %s", async (path, allowed) => {
    for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].filter((one) => !allowed.includes(one))) {
      const { status, headers, body } = await api(method, path);
      expect({ method, status, code: body.code, allow: headers.get("Allow") }).toEqual({
        method,
        status: 405,
        code: "method_not_allowed",
        allow: allowed,
      });
    }
  });
});

it.each([
  "/v1",
  "/v1/",
  "/v1/jobs/",
  "/v1/jobz",
  `/v1/jobs/${UNKNOWN_ID}/pause`,
  "/v1/worker/jobs",
  "/v1/admin",
  "/v2/jobs",
  "/V1/jobs",
])("an unknown path is 404 not_found whatever the method, without asking for a key: %s", async (path) => {
  for (const method of ["GET", "POST", "DELETE", "OPTIONS"]) {
    const { status, body } = await api(method, path);
    expect({ method, status, code: body.code }).toEqual({ method, status: 404, code: "not_found" });
  }
});
