// Through a JSON Schema and everything below it.

import type { JsonSchema } from "@valibot/to-json-schema";

/** Applies `change` to a schema and everything below it, the innermost first. */
export function mapped(schema: JsonSchema, change: (part: JsonSchema) => JsonSchema): JsonSchema {
  const entries = Object.entries(schema).map(([key, value]): [string, unknown] => {
    if (key === "properties")
      return [key, mapValues(value as Record<string, JsonSchema>, (one) => mapped(one, change))];
    if (key === "anyOf" || key === "oneOf" || key === "allOf")
      return [key, (value as JsonSchema[]).map((one) => mapped(one, change))];
    if (key === "items" || key === "additionalProperties" || key === "propertyNames" || key === "not")
      return [key, typeof value === "object" ? mapped(value as JsonSchema, change) : value];
    if (key === "required" && (value as unknown[]).length === 0) return ["required", undefined];
    return [key, value];
  });
  return change(Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as JsonSchema);
}

export const mapValues = <T, U>(record: Record<string, T>, change: (value: T, key: string) => U): Record<string, U> =>
  Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value, key)]));
