// The document at /openapi.json: judged by others' rules, and complete.

import { createConfig, lintFromString } from "@redocly/openapi-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { Service } from "../harness/service.ts";
import { sharedService } from "../harness/shared.ts";
import { type Document, endpointsIn, type Json, Judge, successOf } from "./harness/document.ts";

/** They answer JSON of another form. */
const WITHOUT_ENVELOPE = ["getDescription", "speakMcp"];

let service: Service;
let answer: Response;
let text: string;
let document: Document;
let judge: Judge;

beforeAll(async () => {
  service = await sharedService();
  answer = await fetch(`${service.url}/openapi.json`);
  text = await answer.text();
  document = JSON.parse(text);
  judge = new Judge(document);
});

describe("the document", () => {
  it("passes an independent linter's recommended rules without an error", async () => {
    const config = await createConfig({ extends: ["recommended"] });
    const problems = await lintFromString({ source: text, config, absoluteRef: "openapi.json" });
    expect(problems.filter(({ severity }) => severity === "error").map((one) => [one.ruleId, one.message])).toEqual([]);
    const broken = text.replace('"operationId":"getJob"', '"operationId":"createJob"');
    expect((await lintFromString({ source: broken, config, absoluteRef: "openapi.json" })).length).toBeGreaterThan(
      problems.length,
    );
  });

  it("needs no key, may be kept, and is not sent twice to a client that has it", async () => {
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toBe("application/json");
    expect(answer.headers.get("Cache-Control")).toBe("public, max-age=300");
    const again = await fetch(`${service.url}/openapi.json`, {
      headers: { "If-None-Match": `W/${answer.headers.get("ETag")}` },
    });
    expect([again.status, await again.text()]).toEqual([304, ""]);
  });

  it("says in words what every field and every parameter means", () => {
    const silent: string[] = [];
    const visit = (part: unknown, path: string): void => {
      if (typeof part !== "object" || part === null) return;
      for (const [name, field] of Object.entries((part as { properties?: Record<string, Json> }).properties ?? {}))
        if (!field.description) silent.push(`${path}.${name}`);
      for (const [key, value] of Object.entries(part)) visit(value, `${path}/${key}`);
    };
    for (const [name, schema] of Object.entries(document.components.schemas)) visit(schema, name);
    for (const { method, path, operation } of endpointsIn(document))
      for (const { name, description } of operation.parameters ?? [])
        if (!description) silent.push(`${method} ${path} ${name}`);
    expect(silent.filter((path) => !/Refusal|(\.(success|type))$/.test(path))).toEqual([]);
  });

  it("has an example for every body, every answer in the envelope, and every code", () => {
    for (const { operation } of endpointsIn(document)) {
      const body = operation.requestBody?.content["application/json"];
      if (body) expect(Object.keys(body.examples ?? {}), operation.operationId).not.toEqual([]);
      const shown = successOf(operation).content["application/json"];
      if (shown && !WITHOUT_ENVELOPE.includes(operation.operationId))
        expect(shown.example, operation.operationId).toBeDefined();
    }
    const refusal = document.components.schemas.Refusal as { properties: { code: { enum: string[] } } };
    expect(Object.keys(document.components.examples).sort()).toEqual([...refusal.properties.code.enum].sort());
  });
});

describe("its examples fit its schemas", () => {
  it("of requests", () => {
    for (const { method, path, operation } of endpointsIn(document))
      for (const [name, { value }] of Object.entries(
        operation.requestBody?.content["application/json"]?.examples ?? {},
      )) {
        const pointer = ["paths", path, method.toLowerCase(), "requestBody", "content", "application/json", "schema"];
        expect(judge.faults(pointer, value), `${operation.operationId} ${name}`).toEqual([]);
      }
  });

  it("of parameters", () => {
    for (const { method, path, operation } of endpointsIn(document))
      operation.parameters?.forEach(({ name, example }, i) => {
        if (example === undefined) return;
        const pointer = ["paths", path, method.toLowerCase(), "parameters", `${i}`, "schema"];
        expect(judge.faults(pointer, example), `${operation.operationId} ${name}`).toEqual([]);
      });
  });

  it("of answers and refusals", () => {
    for (const endpoint of endpointsIn(document)) {
      const { status, content } = successOf(endpoint.operation);
      const example = content["application/json"]?.example;
      if (example) expect(judge.answerFaults(endpoint, status, example), endpoint.operation.operationId).toEqual([]);
      for (const [status, { content }] of Object.entries(endpoint.operation.responses))
        for (const code of Object.keys(content?.["application/json"]?.examples ?? {})) {
          const refusal = document.components.examples[code]?.value;
          expect(
            judge.answerFaults(endpoint, Number(status), refusal),
            `${endpoint.operation.operationId} ${code}`,
          ).toEqual(code === "idempotency_key_conflict" ? expect.any(Array) : []);
        }
    }
  });
});
