// The tools an assistant is offered: one for each operation of the API that is fit for it, made of the API's own description.
// What a call does, and what it may do, is the API's business.

import { scopesOf } from "../http/scopes.ts";
import { documentOf, OPERATIONS, type Route } from "../openapi/document.ts";
import { hintsOf } from "./hints.ts";
import { inlined, type Json } from "./inlined.ts";

/** An operation as a tool. */
export interface Tool {
  readonly method: string;
  /** As the document has it: `/v1/jobs/{id}`. */
  readonly path: string;
  /** As the router has it: `GET /v1/jobs/:id`. */
  readonly route: string;
  readonly inPath: readonly string[];
  readonly inQuery: readonly string[];
  readonly hasBody: boolean;
  /** What a client is shown. */
  readonly shown: {
    readonly name: string;
    readonly title: string;
    readonly description: string;
    readonly inputSchema: { readonly type: "object"; readonly [key: string]: unknown };
    readonly annotations: ReturnType<typeof hintsOf>;
  };
}

/** The part of a documented operation that becomes a tool. */
interface Documented {
  readonly operationId: string;
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: "path" | "query";
    readonly description?: string;
    readonly schema: Json;
  }[];
  readonly requestBody?: { readonly content: { readonly "application/json": { readonly schema: Json } } };
}

/** @param routes of the whole application */
export function toolsOf(routes: readonly Route[]): Tool[] {
  const { paths, components } = documentOf(routes);
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, entry]) => {
      const route = `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`;
      return isOffered(route) ? [toolOf(route, path, entry as Documented, components.schemas)] : [];
    }),
  );
}

/** Those that a key of this scope may call. */
export const toolsFor = (tools: readonly Tool[], scope: ReturnType<typeof scopesOf>[number]): Tool[] =>
  tools.filter(({ route }) => scopesOf(route).includes(scope));

/**
 * What an assistant is not offered. It is no worker: a lease it takes and forgets holds up a job. It gets no answers with
 * secrets in them: they would stay in its transcript. Metrics are for scrapers, and getOverview says the same.
 */
const NOT_OFFERED =
  /^\w+ \/v1\/(admin|worker|signing-secret|metrics)(\/|$)|^(POST|DELETE) \/v1\/api-keys(\/|$)|^\w+ \/(?!v1\/)/;

const isOffered = (route: string): boolean => !NOT_OFFERED.test(route);

function toolOf(route: string, path: string, documented: Documented, schemas: Readonly<Record<string, object>>): Tool {
  const { operationId, parameters = [], requestBody } = documented;
  const operation = OPERATIONS[route];
  const method = route.slice(0, route.indexOf(" "));
  const body = requestBody && inlined(requestBody.content["application/json"].schema, schemas);
  const inPath = parameters.filter((one) => one.in === "path");
  const properties = {
    ...Object.fromEntries(
      parameters.map(({ name, description, schema }) => [name, { ...schema, ...(description && { description }) }]),
    ),
    ...(body?.properties as Json | undefined),
  };
  const required = [...inPath.map(({ name }) => name), ...((body?.required as string[] | undefined) ?? [])];
  return {
    method,
    path,
    route,
    inPath: inPath.map(({ name }) => name),
    inQuery: parameters.filter((one) => one.in === "query").map(({ name }) => name),
    hasBody: body !== undefined,
    shown: {
      name: operationId,
      title: operation?.summary ?? operationId,
      description: [operation?.summary, operation?.description].filter(Boolean).join(". "),
      inputSchema: {
        type: "object",
        properties,
        ...(required.length > 0 && { required }),
        additionalProperties: false,
      },
      annotations: hintsOf(route),
    },
  };
}
