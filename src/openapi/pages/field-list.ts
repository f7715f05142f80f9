// A schema as a list of fields for people: name, kind, limits, words; what is nested can be unfolded.

import { html, raw } from "hono/html";
import { type Html, inline } from "./page.ts";
import { nameIn, type Schema } from "./shape.ts";

export type Schemas = Readonly<Record<string, Schema>>;

/** Whether schemas with a name are written out where they stand, or linked to the place where they are. */
export type Naming = "written" | "linked";

/** The fields of an object; of alternatives, those of each. */
export function fieldList(schema: Schema, schemas: Schemas, naming: Naming): Html | "" {
  const { properties, required = [] } = schema;
  if (properties)
    return html`<ul class="fields">${Object.entries(properties).map(([name, field]) =>
      fieldEntry(name, field, required.includes(name), schemas, naming),
    )}</ul>`;
  const choices = objectsIn(schema, schemas, naming);
  if (choices.length === 1 && choices[0]) return fieldList(choices[0], schemas, naming);
  return choices.length === 0
    ? ""
    : html`${choices.map((choice) => html`<p class="choice">${choiceName(choice)}</p>${fieldList(choice, schemas, naming)}`)}`;
}

function fieldEntry(name: string, field: Schema, isRequired: boolean, schemas: Schemas, naming: Naming): Html {
  const nested = fieldList(field, schemas, naming);
  return html`<li>
<p><code class="name">${name}</code> <span class="kind">${kindOf(field, schemas, naming)}</span>${
    isRequired && naming === "written" ? html` <span class="must">required</span>` : ""
  }</p>
${field.description ? html`<p>${inline(field.description)}</p>` : ""}
${nested === "" ? "" : html`<details><summary>Fields</summary>${nested}</details>`}
</li>`;
}

/** The objects a field can be, down to the items of a list; those that are linked are shown elsewhere. */
function objectsIn(schema: Schema, schemas: Schemas, naming: Naming): Schema[] {
  const name = nameIn(schema);
  if (name !== undefined) return naming === "linked" ? [] : objectsIn(schemas[name] ?? {}, schemas, naming);
  if (schema.properties) return [schema];
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.items ? [schema.items] : [])];
  return parts.flatMap((part) => objectsIn(part, schemas, naming));
}

/** Alternatives differ in a field with a single value. */
function choiceName({ properties = {} }: Schema): string {
  const [name, field] = Object.entries(properties).find(([, { const: only }]) => only !== undefined) ?? [];
  return name && field ? `With ${name} “${field.const}”` : "One of these";
}

/** What a value is, in words: "whole number, 0 to 50". */
export function kindOf(schema: Schema, schemas: Schemas, naming: Naming): Html {
  const name = nameIn(schema);
  if (name !== undefined && naming === "linked") return html`<a href="#${anchorOf(name)}">${name}</a>`;
  if (name !== undefined) return kindOf(schemas[name] ?? {}, schemas, naming);
  const parts = [...(schema.anyOf ?? []), ...(schema.oneOf ?? [])];
  if (parts.length > 0) return alternatives(parts, schemas, naming);
  if (schema.const !== undefined) return html`<code>${JSON.stringify(schema.const)}</code>`;
  if (schema.enum)
    return html`${joined(
      schema.enum.map((one) => html`<code>${String(one)}</code>`),
      " ",
    )}`;
  const types = [schema.type ?? "object"].flat();
  const isNullable = types.includes("null") && naming === "linked";
  const said = types.filter((type) => type !== "null").map((type) => plainKind(type, schema, schemas, naming));
  return html`${joined(said, " or ")}${isNullable ? " or null" : ""}`;
}

/** For a request it goes without saying that null is as good as nothing. */
function alternatives(parts: readonly Schema[], schemas: Schemas, naming: Naming): Html {
  const said = parts.filter(({ type }) => type !== "null").map((part) => String(kindOf(part, schemas, naming)));
  const isNullable = naming === "linked" && parts.some(({ type }) => type === "null");
  const different = [...new Set(said)];
  return html`${joined(
    different.map((one) => raw(one)),
    " or ",
  )}${isNullable ? " or null" : ""}`;
}

function plainKind(type: string, schema: Schema, schemas: Schemas, naming: Naming): Html {
  switch (type) {
    case "string":
      return html`${textKind(schema)}`;
    case "integer":
      return html`whole number${span(" from ", schema.minimum, schema.maximum)}`;
    case "number":
      return html`number${span(" from ", schema.minimum, schema.maximum)}`;
    case "boolean":
      return html`true or false`;
    case "array":
      return html`list of ${kindOf(schema.items ?? {}, schemas, naming)}${span(", ", schema.minItems, schema.maxItems, " of them")}`;
    default:
      return html`object`;
  }
}

function textKind({ format, minLength, maxLength }: Schema): string {
  if (format === "uuid") return "UUID";
  if (format === "date-time") return "time";
  return `text${span(" of ", minLength, maxLength, " characters")}`;
}

/** A limit as large as this is nobody's concern. */
const NO_LIMIT = 999_999_999;

/** The limits in words; nothing where there are none. */
function span(before: string, min = 0, max = NO_LIMIT, unit = ""): string {
  if (max >= NO_LIMIT) return min > 1 ? `, at least ${grouped(min)}${unit}` : "";
  return min > 0 ? `${before}${min} to ${grouped(max)}${unit}` : `, at most ${grouped(max)}${unit}`;
}

/** 86400 as 86,400. */
const grouped = (number: number): string => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

const joined = (parts: readonly Html[], between: string): (Html | string)[] =>
  parts.flatMap((part, i) => (i === 0 ? [part] : [between, part]));

export const anchorOf = (name: string): string => `object-${name}`;
