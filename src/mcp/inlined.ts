// A schema of the document that stands by itself: not every client of the protocol follows references.

export type Json = Readonly<Record<string, unknown>>;

const PREFIX = "#/components/schemas/";

/** The schema with each reference replaced by what it names. The document's schemas name no circles. */
export function inlined(schema: Json, schemas: Readonly<Record<string, object>>): Json {
  const { $ref, ...beside } = schema;
  const named = typeof $ref === "string" ? schemas[$ref.replace(PREFIX, "")] : undefined;
  const own = Object.fromEntries(Object.entries(beside).map(([key, value]) => [key, within(value, schemas)]));
  return named ? { ...inlined({ ...named }, schemas), ...own } : own;
}

function within(value: unknown, schemas: Readonly<Record<string, object>>): unknown {
  if (Array.isArray(value)) return value.map((one) => within(one, schemas));
  if (typeof value !== "object" || value === null) return value;
  return inlined({ ...value }, schemas);
}
