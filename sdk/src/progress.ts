// What a handler says of its progress, as JSON within the service's limit.

import { describeError } from "./describe-error.ts";
import { ChronosConfigError } from "./errors.ts";
import { kindOf } from "./known-fields.ts";
import { valueToJson } from "./raw-json.ts";

const LIMIT_BYTES = 4_096;

/** Throws a ChronosConfigError for what is no JSON, for null, and for what is too large. */
export function progressToJson(value: unknown): string {
  const json = written(value);
  if (json === undefined || json === "null")
    throw new ChronosConfigError(`The progress must be JSON, not ${kindOf(value)}`);
  const bytes = new TextEncoder().encode(json).byteLength;
  if (bytes > LIMIT_BYTES) {
    throw new ChronosConfigError(`The progress has ${bytes} bytes as JSON; at most ${LIMIT_BYTES} are allowed`);
  }
  return json;
}

function written(value: unknown): string | undefined {
  try {
    return valueToJson(value);
  } catch (cause) {
    throw new ChronosConfigError(`The progress cannot be written as JSON: ${describeError(cause)}`, { cause });
  }
}
