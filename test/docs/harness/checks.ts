// Finds checks that stand in code only: those a JSON Schema cannot know of unless somebody says them.

import type * as v from "valibot";
import { SAID } from "../../../src/openapi/schema.ts";

interface Part {
  readonly kind: string;
  readonly type: string;
  readonly pipe?: readonly Part[];
  readonly wrapped?: v.GenericSchema;
  readonly item?: v.GenericSchema;
  readonly key?: v.GenericSchema;
  readonly value?: v.GenericSchema;
  readonly options?: readonly v.GenericSchema[];
  readonly entries?: Record<string, v.GenericSchema>;
}

const IN_CODE = ["check", "raw_check", "raw_transform", "custom"];

/** The places of checks that neither `metadata` beside them nor a limit of the document says. */
export function unsaidChecks(schema: v.GenericSchema, path = ""): string[] {
  if (SAID.has(schema)) return [];
  const part = schema as unknown as Part;
  const steps = flat(part);
  const isSaid = steps.some(({ type }) => type === "metadata");
  const own = steps.some(({ type }) => IN_CODE.includes(type)) && !isSaid ? [path] : [];
  const below = steps.flatMap((step) => [
    ...Object.entries(step.entries ?? {}).flatMap(([name, field]) => unsaidChecks(field, `${path}.${name}`)),
    ...[step.wrapped, step.item, step.key, step.value].flatMap((one) => (one ? unsaidChecks(one, path) : [])),
    ...(step.options ?? []).flatMap((one) => (typeof one === "object" ? unsaidChecks(one, path) : [])),
  ]);
  return [...own, ...below];
}

const flat = (part: Part): readonly Part[] => part.pipe?.flatMap((step) => (step === part ? [] : flat(step))) ?? [part];
