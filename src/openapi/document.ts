// The API's description in OpenAPI 3.1: paths and limits from the routes and the schemas they check, words and examples
// from the tables beside this file.

import { METHOD_NAME_ALL } from "hono/router";
import type * as v from "valibot";
import { version } from "../../package.json";
import { type ErrorCode, STATUS_OF } from "../http/errors.ts";
import { scopesOf } from "../http/scopes.ts";
import { type Parts, partsOf } from "../http/valid.ts";
import { refusalExamples, responsesOf } from "./answering.ts";
import { ANSWERS } from "./answers.ts";
import { DATA_EXAMPLES } from "./data-examples.ts";
import { type Operation, type Operations, TAGS } from "./operation.ts";
import { accounts } from "./operations/accounts.ts";
import { bulkActions } from "./operations/bulk-actions.ts";
import { flows } from "./operations/flows.ts";
import { jobs } from "./operations/jobs.ts";
import { overview } from "./operations/overview.ts";
import { schedules } from "./operations/schedules.ts";
import { service } from "./operations/service.ts";
import { webhooks } from "./operations/webhooks.ts";
import { workers } from "./operations/workers.ts";
import { parametersOf } from "./parameters.ts";
import { REFUSALS } from "./refusals.ts";
import { converted } from "./schema.ts";
import { mapValues } from "./walk.ts";
import { WEBHOOKS } from "./webhook.ts";
import { defaultsInWords } from "./words.ts";

export const OPERATIONS: Operations = {
  ...jobs,
  ...bulkActions,
  ...schedules,
  ...flows,
  ...webhooks,
  ...workers,
  ...overview,
  ...accounts,
  ...service,
};

/** The part of a router's entry that is needed. Middleware stands in the router as handlers do. */
export interface Route {
  readonly method: string;
  readonly path: string;
  readonly handler: object;
}

/** What is served, by method and path, each with what it checks. */
export function endpointsOf(routes: readonly Route[]): Map<string, Parts | undefined> {
  const found = new Map<string, Parts | undefined>();
  for (const { method, path, handler } of routes) {
    if (method === METHOD_NAME_ALL) continue;
    const name = `${method} ${path}`;
    found.set(name, partsOf(handler) ?? found.get(name));
  }
  return found;
}

export function documentOf(routes: readonly Route[]) {
  const endpoints = [...endpointsOf(routes)].flatMap(([name, parts]) => {
    const operation = OPERATIONS[name];
    return operation ? [{ name, parts, operation }] : [];
  });
  const bodies = endpoints.flatMap(({ operation, parts }): [string, v.GenericSchema][] =>
    parts?.body ? [[bodyName(operation), parts.body]] : [],
  );
  const shown = mapValues(converted(ANSWERS), (schema, name) => ({
    ...schema,
    ...(name in DATA_EXAMPLES && { examples: [DATA_EXAMPLES[name as keyof typeof DATA_EXAMPLES]] }),
  }));
  return {
    openapi: "3.1.0",
    info: {
      title: "Chronos on the edge",
      version,
      summary: "Call me back at time T, reliably.",
      description: description(),
    },
    servers: [{ url: ".", description: "This service" }],
    tags: Object.entries(TAGS).map(([name, words]) => ({ name, description: words })),
    security: [{ apiKey: [] }],
    paths: pathsOf(endpoints),
    webhooks: WEBHOOKS,
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "An API key of the account: `chrns_…`." },
        operator: { type: "http", scheme: "bearer", description: "The operator's `ADMIN_TOKEN`." },
      },
      schemas: { ...mapValues(converted(Object.fromEntries(bodies)), defaultsInWords), ...shown, ...refusalSchemas() },
      examples: refusalExamples(codes),
      headers: {
        "X-Request-Id": {
          description: "The request's id, as in the service's log.",
          schema: { type: "string", format: "uuid" },
        },
        "Retry-After": { description: "Seconds to wait.", schema: { type: "integer", minimum: 0 } },
      },
      responses: {
        Refused: {
          description: "Any other refusal, in the same form.",
          content: {
            "application/json": {
              schema: { $ref: "#/components/schemas/Refusal" },
              examples: mapValues({ method_not_allowed: 0 }, (_, code) => ({
                $ref: `#/components/examples/${code}`,
              })),
            },
          },
        },
      },
    },
  };
}

const codes = Object.keys(STATUS_OF) as ErrorCode[];

const bodyName = ({ id }: Operation): string => `${id[0]?.toUpperCase()}${id.slice(1)}Request`;

interface Endpoint {
  readonly name: string;
  readonly parts: Parts | undefined;
  readonly operation: Operation;
}

function pathsOf(endpoints: readonly Endpoint[]): Record<string, Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) {
    const [method = "", path = ""] = endpoint.name.split(" ");
    const templated = path.replace(/:(\w+)/g, "{$1}");
    paths[templated] = { ...paths[templated], [method.toLowerCase()]: entryOf(endpoint, method, path) };
  }
  return paths;
}

function entryOf({ name, parts, operation }: Endpoint, method: string, path: string): object {
  const { id, tag, summary, examples = {} } = operation;
  const access = path.startsWith("/v1/admin/")
    ? "operator"
    : path.startsWith("/v1/") || path === "/mcp"
      ? "apiKey"
      : "public";
  const description = [operation.description, access === "apiKey" && openTo(name)].filter(Boolean).join(" ");
  const bodies = Object.entries(examples).filter(([, example]) => example.body !== undefined);
  return {
    operationId: id,
    tags: [tag],
    summary,
    ...(description !== "" && { description }),
    ...(access !== "apiKey" && { security: access === "operator" ? [{ operator: [] }] : [] }),
    ...(parts && { parameters: parametersOf(parts, Object.values(examples)) }),
    ...(parts?.body && {
      requestBody: {
        required: bodies.length > 0,
        content: {
          "application/json": {
            schema: { $ref: `#/components/schemas/${bodyName(operation)}` },
            examples: Object.fromEntries(bodies.map(([name, { summary, body }]) => [name, { summary, value: body }])),
          },
        },
      },
    }),
    responses: responsesOf(operation, refusalsOf(operation, { method, access, validates: parts !== undefined })),
  };
}

/** Which keys may call it, in words. */
const openTo = (route: string): string =>
  `Scopes: ${scopesOf(route)
    .map((scope) => `\`${scope}\``)
    .join(", ")}.`;

/** In the order in which they are told. */
function refusalsOf(
  { refuses = [] }: Operation,
  { method, access, validates }: { method: string; access: "operator" | "apiKey" | "public"; validates: boolean },
): ErrorCode[] {
  const all: ErrorCode[] = [
    ...(access === "operator" ? (["not_found"] as const) : []),
    ...(access !== "public" ? (["unauthorized"] as const) : []),
    ...(access === "apiKey" ? (["account_suspended", "forbidden"] as const) : []),
    ...(access !== "public" ? (["rate_limit_exceeded"] as const) : []),
    ...(method !== "GET" ? (["payload_too_large", "bad_request"] as const) : []),
    ...(validates ? (["validation_error"] as const) : []),
    ...refuses,
    "internal_error",
    ...(access !== "public" ? (["unavailable"] as const) : []),
  ];
  return [...new Set(all)];
}

function refusalSchemas() {
  const fieldError = {
    type: "object",
    required: ["field", "message"],
    properties: {
      field: { type: "string", description: "A dotted path into the request, such as `delivery.http.url`." },
      message: { type: "string" },
    },
  };
  const properties = {
    success: { type: "boolean", const: false },
    message: { type: "string", description: "What happened, for people." },
    code: { type: "string", enum: codes, description: "What happened, for programs." },
    errors: { type: "array", items: fieldError, description: "The fields at fault, each once; empty when none is." },
  };
  const required = Object.keys(properties);
  return {
    Refusal: { type: "object", required, properties },
    RefusalWithData: {
      type: "object",
      required: [...required, "data"],
      properties: {
        ...properties,
        data: {
          anyOf: [{ $ref: "#/components/schemas/Job" }, { $ref: "#/components/schemas/Schedule" }],
          description: "The job or schedule that holds the key, or that was to be changed, as it is now.",
        },
      },
    },
  };
}

function description(): string {
  const rows = codes.map((code) => `| \`${code}\` | ${STATUS_OF[code]} | ${REFUSALS[code].when} |`);
  return `Jobs that run once at their time: pushed to your URL as signed requests, or pulled by your workers under a lease.

Ids are UUIDs. Times are ISO 8601: UTC with milliseconds in every answer, and with any offset in a request. For an optional field
\`null\` is the same as leaving it out. Unknown fields and query parameters are refused. A body may be at most 256 KB, a batch of
jobs or reports 1 MB.
Requests are limited to 100 in 10 s for each API key, worker endpoints to 1,000, and all keys of an account together to ten
times as many. An address that has sent 30 unknown keys in 10 s gets 429 for those that follow. Every answer carries
\`X-Request-Id\`. Answers are not to be cached (\`Cache-Control: no-store\`), this document apart.

An API key has a scope, \`full\` unless it was created with another one; each operation names those that may call it.

A request with several faults is told of the first of these: path 404, method 405, key 401, suspended account or scope 403, rate 429,
size 413, not JSON 400, schema 422, existence and ownership 404, state 409.

| code | status | when |
|---|---|---|
${rows.join("\n")}
`;
}
