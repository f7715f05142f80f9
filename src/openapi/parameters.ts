// Path and query parameters of an operation, from the schemas its route checks.

import type { Parts } from "../http/valid.ts";
import type { RequestExample } from "./operation.ts";
import { converted, type JsonSchema } from "./schema.ts";

const EXAMPLE_ID = "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55";

export function parametersOf({ params, query }: Parts, examples: readonly RequestExample[]): object[] {
  const inPath = fieldsOf("params", params).map(([name, schema]) => ({
    name,
    in: "path",
    required: true,
    ...described(schema),
    example: EXAMPLE_ID,
  }));
  const inQuery = fieldsOf("query", query).map(([name, schema]) => {
    const example = examples.find((one) => one.query?.[name] !== undefined)?.query?.[name];
    return {
      name,
      in: "query",
      ...described(listOf(schema)),
      ...(example && { example: exampleIn(schema, example) }),
    };
  });
  return [...inPath, ...inQuery];
}

function fieldsOf(name: string, schema: Parts["query"]): [string, JsonSchema][] {
  const object = schema && converted({ [name]: schema })[name];
  return Object.entries(object?.properties ?? {}).filter((field): field is [string, JsonSchema] => field[1] !== true);
}

/** Words belong to the parameter, not to its schema. */
function described({ description, ...schema }: JsonSchema): object {
  return { description, schema };
}

/** "One of these, or a list of them" is what a parameter that may be repeated looks like to us. */
function listOf(schema: JsonSchema): JsonSchema {
  const list = schema.anyOf?.find((one) => typeof one === "object" && one.type === "array");
  return typeof list === "object"
    ? { ...list, ...(schema.description && { description: schema.description }) }
    : schema;
}

function exampleIn(schema: JsonSchema, example: string): unknown {
  if (schema.type === "integer") return Number(example);
  return listOf(schema).type === "array" ? [example] : example;
}
