// The document as a client reads it, and a judge for what is sent and answered.

import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

export type Json = Record<string, unknown>;

export interface Parameter {
  readonly name: string;
  readonly in: "path" | "query" | "header";
  readonly schema: Json;
  readonly description?: string;
  readonly example?: unknown;
}

interface Content {
  readonly schema: Json;
  readonly example?: unknown;
  readonly examples?: Record<string, { value?: unknown; $ref?: string }>;
}

export interface Operation {
  readonly operationId: string;
  readonly security?: readonly Json[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Record<string, Content> };
  readonly responses: Record<string, { readonly content?: Record<string, Content>; readonly $ref?: string }>;
}

export interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: {
    readonly schemas: Record<string, Json>;
    readonly examples: Record<string, { value: { message: string; code: string; errors: unknown[] } }>;
  };
  readonly webhooks: { readonly delivery: { readonly post: Operation } };
}

export interface Endpoint {
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export const endpointsIn = (document: Document): Endpoint[] =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );

/** The success an operation documents: its status, and how it reads. */
export function successOf({ responses }: Operation) {
  const status = Object.keys(responses).findLast((one) => one.startsWith("2")) ?? "";
  return { status: Number(status), content: responses[status]?.content ?? {} };
}

/** Judges values by schemas of the document. Answers may not hold a field the document does not know. */
export class Judge {
  readonly #ajv = new Ajv2020({ strict: false, allErrors: true });

  constructor(document: Document) {
    addFormats.default(this.#ajv);
    this.#ajv.addSchema(closed(document) as Json, "api");
  }

  /** What is wrong with a value; empty when nothing is. @param pointer into the document, part by part */
  faults(pointer: readonly string[], value: unknown): string[] {
    const path = pointer.map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1"))).join("/");
    const validate: ValidateFunction = this.#ajv.compile({ $ref: `api#/${path}` });
    validate(value);
    return (validate.errors ?? []).map(({ instancePath, message, params }) =>
      [instancePath || "/", message, JSON.stringify(params)].join(" "),
    );
  }

  /** What is wrong with an answer, by the schema of its operation and status. */
  answerFaults({ method, path, operation }: Endpoint, status: number, body: unknown): string[] {
    if (!(status in operation.responses)) return [`${status} is not documented: ${JSON.stringify(body)}`];
    const pointer = [
      "paths",
      path,
      method.toLowerCase(),
      "responses",
      `${status}`,
      "content",
      "application/json",
      "schema",
    ];
    return this.faults(pointer, body);
  }
}

/** The document with every object closed that does not say otherwise. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const copy = Object.fromEntries(Object.entries(part).map(([key, value]) => [key, closed(value)]));
  const isObject = typeof copy.properties === "object" && "type" in copy && !("additionalProperties" in copy);
  return isObject ? { ...copy, additionalProperties: false } : copy;
}
