// The service as an assistant meets it: the protocol's official client, over HTTP, with keys that may do more or less.

import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Document, endpointsIn } from "../docs/harness/document.ts";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import type { Job, Tenant } from "../harness/tenant.ts";

let service: Service;
const clients: Client[] = [];

beforeAll(async () => {
  service = await sharedService();
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.close()));
});

type Scope = "read" | "create" | "worker";

async function scoped(tenant: Tenant, scope: Scope): Promise<Tenant> {
  const { key } = await tenant.post<{ key: string }>("/v1/api-keys", { name: scope, scope });
  return tenant.withKey(key);
}

async function connected(tenant: Tenant, mode: "legacy" | "auto" = "auto"): Promise<Client> {
  const client = new Client({ name: "a test", version: "1.0.0" }, { versionNegotiation: { mode } });
  const headers = { Authorization: `Bearer ${tenant.apiKey}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${tenant.url}/mcp`), { requestInit: { headers } }));
  clients.push(client);
  return client;
}

async function called(client: Client, name: string, args: Record<string, unknown> = {}) {
  const { content, isError = false } = await client.callTool({ name, arguments: args });
  const [part, ...others] = content;
  if (part?.type !== "text" || others.length > 0) throw new Error(JSON.stringify(content));
  return { isError, text: part.text };
}

/** The data of an answer that must be a success. */
async function must<T>(client: Client, name: string, args: Record<string, unknown> = {}): Promise<T> {
  const { isError, text } = await called(client, name, args);
  expect([isError, text]).toEqual([false, text]);
  return JSON.parse(text).data;
}

/** A message without a client that knows what is proper. */
const raw = (headers: Record<string, string>, method = "POST") =>
  fetch(`${service.url}/mcp`, {
    method,
    headers: { "Content-Type": "application/json", Accept: "application/json, text/event-stream", ...headers },
    ...(method === "POST" && { body: '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' }),
  });

const LATER = { delay: { value: 1, unit: "hour" } };

/** Operations that are no tools, each for a reason that src/mcp/tools.ts gives. */
const NO_TOOLS = [
  ...["claimJob", "reportJobs", "startExecution", "completeJob", "failJob", "heartbeat"],
  ...["createAccount", "listAccounts", "suspendAccount", "resumeAccount", "moveAccount", "deleteAccount"],
  ...["createApiKey", "deleteApiKey", "getSigningSecret", "rotateSigningSecret", "getMetrics"],
  ...["getHealth", "getAbout", "getDescription", "getReference", "getReferenceScript", "speakMcp"],
];

describe.each([
  ["legacy", "2025-11-25"],
  ["auto", "2026-07-28"],
] as const)("a client that negotiates %s", (mode, version) => {
  it(`speaks ${version}, and makes, finds and cancels a job`, async () => {
    const tenant = await service.newTenant();
    const client = await connected(tenant, mode);
    expect(client.getNegotiatedProtocolVersion()).toBe(version);
    expect(client.getServerVersion()?.name).toBe("chronos-edge");
    expect(client.getInstructions()).toContain("waiting_on");

    const made = await must<Job>(client, "createJob", { name: "by mcp", handler: "h", payload: { n: 1 }, ...LATER });
    const [found, ...others] = await must<Job[]>(client, "listJobs", { status: ["pending", "failed"], handler: "h" });
    expect([found?.id, others]).toEqual([made.id, []]);
    expect(await must<Job[]>(client, "listJobs", { status: ["failed"] })).toEqual([]);
    expect((await must<Job>(client, "cancelJob", { id: made.id })).status).toBe("cancelled");
    expect((await tenant.job(made.id)).status).toBe("cancelled");

    const { isError, text } = await called(client, "cancelJob", { id: made.id });
    expect([isError, text]).toEqual([true, expect.stringContaining("(job_not_cancellable)")]);
  });
});

describe("the tools", () => {
  it("are the operations of the API, and take what those take", async () => {
    const client = await connected(await service.newTenant());
    const { tools } = await client.listTools();
    const document: Document = await (await fetch(`${service.url}/openapi.json`)).json();
    const offered = endpointsIn(document).filter(({ operation }) => !NO_TOOLS.includes(operation.operationId));
    expect(tools.map(({ name }) => name).sort()).toEqual(offered.map(({ operation }) => operation.operationId).sort());

    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    for (const { operation } of offered) {
      const tool = tools.find(({ name }) => name === operation.operationId);
      expect(JSON.stringify(tool)).not.toContain("$ref");
      const takes = ajv.compile(tool?.inputSchema ?? {});
      const parameters = (operation.parameters ?? []).filter(({ example }) => example !== undefined);
      const given = Object.fromEntries(parameters.map(({ name, example }) => [name, example]));
      const bodies = Object.values(operation.requestBody?.content["application/json"]?.examples ?? { none: {} });
      for (const { value } of bodies) {
        expect([operation.operationId, takes({ ...given, ...(value as object) })]).toEqual([tool?.name, true]);
        expect(takes({ ...given, ...(value as object), nonsense: 1 })).toBe(false);
      }
    }
  });

  it("say which of them only read, and which end something", async () => {
    const { tools } = await (await connected(await service.newTenant())).listTools();
    const where = (hint: "readOnlyHint" | "destructiveHint") =>
      tools.filter(({ annotations }) => annotations?.[hint]).map(({ name }) => name);
    expect(where("readOnlyHint").filter((name) => !/^(get|list|preview)[A-Z]/.test(name))).toEqual([]);
    expect(tools.filter(({ name }) => /^(get|list|preview)[A-Z]/.test(name)).length).toBe(where("readOnlyHint").length);
    expect(where("destructiveHint").sort()).toEqual([
      ...["archiveSchedule", "cancelJob", "createBulkAction", "deleteFlow", "deleteJob", "deleteWebhook"],
      ...["putFlow", "updateJob", "updateSchedule", "updateWebhook"],
    ]);
  });

  it("refuse what the API refuses, in its words and with its fields", async () => {
    const client = await connected(await service.newTenant());
    const wrong = await called(client, "createJob", { nam: "typo", handler: "h" });
    expect(wrong.isError).toBe(true);
    expect(wrong.text.split("\n").slice(0, 3)).toEqual([
      "The request is not valid. (validation_error)",
      "name: Is required.",
      "nam: There is no such field.",
    ]);
    expect(await called(client, "getJob")).toEqual({ isError: true, text: "id: Is required." });
    const large = await called(client, "createJob", { name: "n", handler: "h", payload: { n: 2 ** 53 } });
    expect(large).toEqual({
      isError: true,
      text: expect.stringMatching(/^payload\.n: Numbers beyond 2\^53 lose digits/),
    });
    const half = await called(client, "listJobs", { handler: "\ud800" });
    expect(half).toEqual({ isError: true, text: expect.stringMatching(/^handler: Must be well-formed Unicode/) });
    expect((await called(client, "getJob", { id: "../api-keys" })).text).toContain("id: ");
    expect((await called(client, "listJobs", { sise: 1 })).text).toContain("sise: ");
    await expect(called(client, "createApiKey", { name: "more" })).rejects.toThrow("There is no tool");

    const keyed = { name: "once", handler: "h", idempotency_key: "k", ...LATER };
    const { id } = await must<Job>(client, "createJob", keyed);
    const again = await called(client, "createJob", keyed);
    expect([again.isError, again.text]).toEqual([true, expect.stringMatching(`idempotency_key_conflict[^]*${id}`)]);
  });

  it("answer no more than an assistant can read, and say what is cut", async () => {
    const tenant = await service.newTenant();
    const jobs = Array.from({ length: 100 }, (_, i) => ({
      name: `job ${i}`,
      handler: "h",
      payload: { text: "é".repeat(3_000) },
    }));
    await tenant.post("/v1/jobs/batch", { jobs: jobs.map((job) => ({ ...job, ...LATER })) });
    const client = await connected(tenant);
    const { text } = await called(client, "listJobs", { size: 100 });
    expect(text.length).toBe(48_000);
    expect(text).toContain("cut: 3011 characters");
    expect(text).toContain("Ask for fewer with `size`");
    const few = await must<Job[]>(client, "listJobs", { size: 20 });
    expect(few.map(({ payload }) => JSON.stringify(payload).length < 600)).toEqual(Array(20).fill(true));
  });
});

describe("a key opens no more here than elsewhere", () => {
  it("one that reads is offered what reads, and is refused the rest", async () => {
    const tenant = await service.newTenant();
    const client = await connected(await scoped(tenant, "read"));
    const { tools } = await client.listTools();
    expect(tools.length).toBeGreaterThan(10);
    expect(tools.filter(({ annotations }) => annotations?.readOnlyHint !== true)).toEqual([]);
    const refused = await called(client, "createJob", { name: "no", handler: "h" });
    expect([refused.isError, refused.text]).toEqual([true, expect.stringContaining("has the scope `read`")]);
    expect(await tenant.get("/v1/jobs")).toEqual([]);
  });

  it("one that creates is offered that alone, a worker's nothing", async () => {
    const tenant = await service.newTenant();
    const { tools } = await (await connected(await scoped(tenant, "create"))).listTools();
    expect(tools.map(({ name }) => name)).toEqual(["createJob", "createJobs"]);
    const { apiKey } = await scoped(tenant, "worker");
    expect((await raw({ Authorization: `Bearer ${apiKey}` })).status).toBe(403);
  });

  it("none opens nothing, and a client learns how to prove itself", async () => {
    const answer = await raw({});
    expect([answer.status, answer.headers.get("WWW-Authenticate")]).toEqual([401, "Bearer"]);
    await expect(connected((await service.newTenant()).withKey("chrns_wrong"))).rejects.toThrow();
  });
});

it("a page of another origin is refused, even under a name that leads here", async () => {
  const { apiKey } = await service.newTenant();
  const key = { Authorization: `Bearer ${apiKey}` };
  for (const origin of [
    "https://evil.test",
    `http://evil.test:${new URL(service.url).port}`,
    "null",
    "http://127.0.0.1.evil.test",
  ]) {
    const answer = await raw({ ...key, Origin: origin });
    expect([origin, answer.status, await answer.json()]).toEqual([
      origin,
      403,
      expect.objectContaining({ code: "forbidden" }),
    ]);
  }
  for (const origin of [service.url, "http://localhost:6274"])
    expect([origin, (await raw({ ...key, Origin: origin })).status]).toEqual([origin, 200]);
});

it("nobody is kept on the line: the service has nothing to tell by itself", async () => {
  const client = await connected(await service.newTenant());
  await expect(client.listen({ toolsListChanged: true })).rejects.toThrow("Subscription limit reached");
});

it("there is no session: the other methods are refused", async () => {
  for (const method of ["GET", "DELETE"]) {
    const answer = await raw({}, method);
    expect([answer.status, answer.headers.get("Allow")]).toEqual([405, "POST"]);
  }
});
