// Every text a client may send (contract §1, "values"): lengths count characters, a lone surrogate is 422 wherever it
// stands, and no answer holds one. The fields and their limits are taken from the API's own description.

import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { documentOf } from "../../src/openapi/document.ts";
import { type Account, newAccount } from "./harness/account.ts";
import { ADMIN, type Answer, api, app, type ExecutionJson, must } from "./harness/api.ts";
import { JobUnderTest, newJob } from "./harness/job.ts";
import { TARGET } from "./harness/receiver.ts";

interface JsonSchema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly oneOf?: readonly JsonSchema[];
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly items?: JsonSchema;
}
interface Operation {
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: JsonSchema } } };
  readonly parameters?: readonly (JsonSchema & { in: string; name: string; schema: JsonSchema })[];
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, JsonSchema>> };
}

interface Field {
  /** `POST /v1/jobs`. */
  readonly operation: string;
  /** Where it stands in the body, as answers name it; in the query with a `?` before it. */
  readonly path: string;
  readonly min: number;
  readonly max: number;
}

const { paths, components }: Document = JSON.parse(JSON.stringify(documentOf(app.routes)));

function* textsIn(schema: JsonSchema, path: string): Generator<Omit<Field, "operation">> {
  if (schema.$ref !== undefined) {
    const named = components.schemas[schema.$ref.split("/").at(-1) ?? ""];
    if (named) yield* textsIn(named, path);
  }
  const isText = [schema.type].flat().includes("string") && schema.format === undefined;
  if (isText && schema.enum === undefined && schema.const === undefined)
    yield { path, min: schema.minLength ?? 0, max: schema.maxLength ?? Number.POSITIVE_INFINITY };
  for (const one of [...(schema.oneOf ?? []), ...(schema.anyOf ?? [])]) yield* textsIn(one, path);
  for (const [name, member] of Object.entries(schema.properties ?? {}))
    yield* textsIn(member, path === "" ? name : `${path}.${name}`);
  if (schema.items) yield* textsIn(schema.items, `${path}.0`);
}

const FIELDS: readonly Field[] = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { requestBody, parameters = [] }]) => {
    const operation = `${method.toUpperCase()} ${path}`;
    const inBody = requestBody ? [...textsIn(requestBody.content["application/json"].schema, "")] : [];
    const inQuery = parameters
      .filter((one) => one.in === "query")
      .flatMap(({ name, schema }) => [...textsIn(schema.items ?? schema, `?${name}`)]); // a list is given by repeating its name
    return [...inBody, ...inQuery].map((field) => ({ operation, ...field }));
  }),
);

/** Texts that mean something: not every one of a right length is taken. */
const MEANINGFUL: ReadonlySet<string> = new Set([
  "jobs.0.delivery.queue",
  "jobs.0.delivery.http.url",
  "jobs.0.callbacks.completed.url",
  "jobs.0.callbacks.failed.url",
  "jobs.0.timezone",
  "jobs.0.scheduled_for",
  "delivery.queue",
  "delivery.http.url",
  "callbacks.completed.url",
  "callbacks.failed.url",
  "url",
  "cron",
  "timezone",
  "scheduled_for",
  "?cursor",
]);

const UUID = "6f1a5e0c-0f6b-4a34-9d4b-0a3c1d2e3f40";
const PUSH = { type: "push", http: { url: TARGET, method: "POST" } };
const LATER = { delay: { value: 1, unit: "day" } };
const REPORT = { execution_id: UUID };

/** A body that is right, for one field of it to be replaced. */
const BODIES: Readonly<Record<string, object>> = {
  "POST /v1/jobs": { name: "a job", handler: "h", ...LATER },
  "POST /v1/jobs/batch": { jobs: [{ name: "a job", handler: "h", ...LATER }] },
  "PATCH /v1/jobs/{id}": {},
  "POST /v1/bulk-actions": { action: "cancel", filter: {}, dry_run: true },
  "POST /v1/schedules": { name: "a schedule", handler: "h", cron: "0 9 * * *" },
  "POST /v1/schedules/preview": { cron: "0 9 * * *" },
  "PATCH /v1/schedules/{id}": {},
  "POST /v1/webhooks": { url: TARGET, events: ["job.failed"] },
  "PATCH /v1/webhooks/{id}": {},
  "POST /v1/api-keys": { name: "a key" },
  "POST /v1/admin/accounts": { name: "a tenant" },
  "POST /v1/worker/jobs/claim": { handlers: ["h"], wait_time_seconds: 0 },
  "POST /v1/worker/jobs/{job_id}/start": REPORT,
  "POST /v1/worker/jobs/{job_id}/fail": { ...REPORT, error: { message: "m" } },
  "POST /v1/worker/jobs/report": { reports: [{ job_id: UUID, ...REPORT, status: "failed", error: { message: "m" } }] },
};

type Json = Record<string, unknown>;

let account: Account;
let ids: Readonly<Record<string, string>>;
beforeEach(async () => {
  account = await newAccount();
  const body = { name: "a schedule", handler: "h", cron: "0 9 * * *" };
  const made = async (path: string, body: object) =>
    (await must(api<{ id: string }>("POST", path, { key: account.key, body }))).id;
  ids = {
    schedules: await made("/v1/schedules", body),
    webhooks: await made("/v1/webhooks", { url: TARGET, events: ["job.failed"] }),
    jobs: await made("/v1/jobs", { name: "a job", handler: "h", ...LATER }),
  };
});

async function send({ operation, path }: Field, text: string): Promise<Answer<Json>> {
  const [method = "", template = ""] = operation.split(" ");
  const url = template.replace("{id}", ids[template.split("/")[2] ?? ""] ?? "").replace("{job_id}", UUID);
  const key = url.startsWith("/v1/admin") ? ADMIN : account.key;
  if (path.startsWith("?")) return api(method, `${url}${path}=${encodeURIComponent(text)}`, { key });
  const body = structuredClone(BODIES[operation]) as Json | undefined;
  if (!body) throw new Error(`Say how a right body of ${operation} looks.`);
  const [work = body] = (body.jobs as Json[] | undefined) ?? [];
  if (path.includes("delivery."))
    work.delivery = path.endsWith("delivery.queue") ? { type: "pull" } : structuredClone(PUSH);
  if (path.endsWith("tags.0")) work.tags = [];
  if (path.includes("callbacks.")) work.callbacks = { [path.includes("completed") ? "completed" : "failed"]: {} };
  put(body, path.split("."), text);
  return api(method, url, { key, body });
}

function put(into: Json, [name = "", ...rest]: readonly string[], text: string): void {
  if (rest.length === 0) into[name] = text;
  else {
    into[name] ??= /^\d+$/.test(rest[0] ?? "") ? [] : {};
    put(into[name] as Json, rest, text);
  }
}

/** Lengths on both sides of both limits, in characters of one and of two UTF-16 units, and half characters anywhere. */
const textAround = ({ min, max }: Field) =>
  fc
    .record({
      unit: fc.constantFrom("a", "é", "😀"),
      length: fc.constantFrom(min, min + 1, ...(Number.isFinite(max) ? [max, max + 1] : [300])),
      first: fc.constantFrom("", "a", "😀"),
      half: fc.option(fc.constantFrom("\ud83d", "\ude00"), { freq: 4 }),
      place: fc.nat(),
    })
    .map(({ unit, length, first, half, place }) => {
      const characters = [first, ...Array<string>(length).fill(unit)].filter((one) => one !== "").slice(0, length);
      if (half !== null && length > 0) characters[place % length] = half;
      return characters.join("");
    });

const memberOf = (data: Json, path: string): unknown =>
  path.split(".").reduce<unknown>((member, name) => (member as Json)[name], data);

/** What strict parsers refuse: an escaped half of a pair. `JSON.stringify` escapes no other surrogate. */
const HALF = /\\ud[89a-f]/i;

it("the fields are those the API's description has", () => {
  expect(FIELDS.length).toBeGreaterThan(25);
  expect(FIELDS.filter(({ max, path }) => max === Number.POSITIVE_INFINITY && path !== "?cursor")).toEqual([]);
});

describe.each(FIELDS)("$operation, `$path`", (field) => {
  it("counts characters, refuses halves of them, and says nothing that strict parsers refuse", async () => {
    const { min, max } = field;
    const isQuery = field.path.startsWith("?");
    const name = field.path.replace("?", "");
    await fc.assert(
      fc.asyncProperty(textAround(field), async (sent) => {
        const text = isQuery ? sent.toWellFormed() : sent; // a URL cannot say half a character
        const { status, body, text: answer } = await send(field, text);
        expect(answer).not.toMatch(HALF);
        const length = [...text].length;
        const isRight = text.isWellFormed() && length >= min && length <= max;
        if (!isRight) {
          expect([status, body.errors.map((error) => error.field)]).toEqual([422, [name]]);
          if (length > max && text.isWellFormed())
            expect(body.errors[0]?.message).toContain(`at most ${max} characters`);
        } else if (MEANINGFUL.has(field.path)) {
          if (status === 422) expect(body.errors[0]?.message).not.toMatch(/at most|Unicode/);
        } else {
          expect([200, 201, 404, 409]).toContain(status); // no such job, a key in use: all that comes after the schema
          if (status === 201) expect(memberOf(body.data, name.replace("jobs.0.", "0.job."))).toBe(text);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("half a character is refused, on its field", () => {
  const JOB = { name: "a job", handler: "h", ...LATER };
  const push = (http: Json) => ({ ...JOB, delivery: { type: "push", http: { ...PUSH.http, ...http } } });
  it.each([
    ["in a payload", "/v1/jobs", { ...JOB, payload: { half: "\ud800" } }, "payload.half"],
    ["deep in a payload", "/v1/jobs", { ...JOB, payload: { a: [{ b: ["x", "\udc00x"] }] } }, "payload.a.0.b.1"],
    ["in a name in a payload", "/v1/jobs", { ...JOB, payload: { "\ud800": 1 } }, "payload.\ufffd"],
    ["in a header", "/v1/jobs", push({ headers: { "X-A": "\ud800" } }), "delivery.http.headers.X-A"],
    ["in a header's name", "/v1/jobs", push({ headers: { "X-\ud800": "a" } }), "delivery.http.headers.X-\ufffd"],
    ["in a URL's path", "/v1/jobs", push({ url: `${TARGET}/\ud800` }), "delivery.http.url"],
    ["in a URL's fragment", "/v1/jobs", push({ url: `${TARGET}#\udfff` }), "delivery.http.url"],
    ["in a field nobody knows", "/v1/jobs", { ...JOB, "\ud800": 1 }, "\ufffd"],
    ["in what is no text", "/v1/jobs", { ...JOB, timeout: "\ud800" }, "timeout"],
    ["in a result", `/v1/worker/jobs/${UUID}/complete`, { ...REPORT, result: ["\ud83d"] }, "result.0"],
    ["as a result", `/v1/worker/jobs/${UUID}/complete`, { ...REPORT, result: "\ud83d" }, "result"],
  ])("%s", async (_, path, body, field) => {
    const answer = await api("POST", path, { key: account.key, body });
    expect([answer.status, answer.body.errors]).toEqual([
      422,
      [{ field, message: expect.stringContaining("well-formed Unicode") }],
    ]);
    expect(answer.text).not.toMatch(HALF);
  });

  it("and a whole one is kept, whether it is spelled as it is or by its halves", async () => {
    const raw = '{"name":"\\ud83d\\ude00😀","handler":"h","payload":{"\\ud83d\\ude00":"\\uD83D\\uDE00"}}';
    const made = await must(api<{ name: string; payload: Json }>("POST", "/v1/jobs", { key: account.key, raw }));
    expect([made.name, made.payload]).toEqual(["😀😀", { "😀": "😀" }]);
  });
});

describe("a worker's failure", () => {
  async function failed(error: { name?: string; message: string }): Promise<{ text: string; message: string }> {
    const job = await newJob(account, { handler: "h", delivery: { type: "pull" }, max_retries: 0 });
    await job.ring();
    const [execution] = await job.executions();
    const ref = { execution_id: execution?.id };
    const call = (action: string, body: object) =>
      api("POST", `/v1/worker/jobs/${job.id}/${action}`, { key: account.key, body });
    await must(call("start", ref));
    await must(call("fail", { ...ref, error }));
    const { text, body } = await new JobUnderTest(account, job.id).call<ExecutionJson[]>("GET", "/executions");
    return { text, message: body.data[0]?.error?.message ?? "" };
  }

  it("of 4,096 emoji is kept as it was said", async () => {
    const message = "😀".repeat(4_096);
    expect((await failed({ message })).message).toBe(message);
  });

  it("is cut behind its name, and never inside a character", async () => {
    for (const name of ["E", "Er"]) {
      const { message, text } = await failed({ name, message: "😀".repeat(4_096) });
      expect(message).toBe(`${name}: ${"😀".repeat(4_096 - name.length - 2)}`);
      expect(text).not.toMatch(HALF);
    }
  });
});
