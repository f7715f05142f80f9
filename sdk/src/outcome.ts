// What a handler's end becomes in the report: its value as JSON within the limits, or its error cut to them.

import { valueToJson } from "./raw-json.ts";

/** How an attempt ended, ready to be sent. `resultJson` is null when the handler returned nothing. */
export type Outcome =
  | { kind: "complete"; resultJson: string | null }
  | { kind: "fail"; message: string; name: string | undefined; retryable: boolean };

const RESULT_LIMIT_BYTES = 65_536;
const MESSAGE_LIMIT = 4_096;
const NAME_LIMIT = 255;

/** A value that cannot be a result fails the attempt for good: the work is done, and doing it again would not change that. */
export function outcomeOfResult(value: unknown): Outcome {
  if (value === undefined) return { kind: "complete", resultJson: null };
  let json: string | undefined;
  try {
    json = valueToJson(value);
  } catch (error) {
    return unusable(`The handler's result cannot be written as JSON: ${messageOf(error)}`);
  }
  if (json === undefined) return unusable(`The handler's result cannot be written as JSON: it is a ${typeof value}`);
  const bytes = new TextEncoder().encode(json).byteLength;
  if (bytes > RESULT_LIMIT_BYTES) {
    return unusable(`The handler's result has ${bytes} bytes as JSON; at most ${RESULT_LIMIT_BYTES} are allowed`);
  }
  return { kind: "complete", resultJson: json };
}

/** Whatever was thrown: errors, strings, or worse. NonRetryableError is known by its name. */
export function outcomeOfError(error: unknown): Outcome {
  const name = nameOf(error);
  return {
    kind: "fail",
    message: cut(messageOf(error), MESSAGE_LIMIT),
    name: name === undefined ? undefined : cut(name, NAME_LIMIT),
    retryable: name !== "NonRetryableError",
  };
}

function unusable(message: string): Outcome {
  return { kind: "fail", message: cut(message, MESSAGE_LIMIT), name: "InvalidResultError", retryable: false };
}

function messageOf(error: unknown): string {
  return attempted(() => String((error as Error).message ?? error)) || nameOf(error) || "The handler failed";
}

function nameOf(error: unknown): string | undefined {
  const name = attempted(() => (error as Error).name);
  return typeof name === "string" && name !== "" ? name : undefined;
}

/** Thrown values are anybody's: a getter may throw, a prototype may be missing, null has no properties. */
function attempted<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** At most so many UTF-16 units, and no half of a surrogate pair at the end. */
function cut(text: string, limit: number): string {
  if (text.length <= limit) return text;
  const whole = text.slice(0, limit);
  return /[\uD800-\uDBFF]$/.test(whole) ? whole.slice(0, -1) : whole;
}
