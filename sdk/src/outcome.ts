// What a handler's end becomes in the report: its value as JSON within the limits, or its error cut to them.

import { describeError, nameOfError } from "./describe-error.ts";
import { isNonRetryable } from "./errors.ts";
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
    return unusable(`The handler's result cannot be written as JSON: ${describeError(error)}`);
  }
  if (json === undefined) return unusable(`The handler's result cannot be written as JSON: it is a ${typeof value}`);
  const bytes = new TextEncoder().encode(json).byteLength;
  if (bytes > RESULT_LIMIT_BYTES) {
    return unusable(`The handler's result has ${bytes} bytes as JSON; at most ${RESULT_LIMIT_BYTES} are allowed`);
  }
  return { kind: "complete", resultJson: json };
}

/** Whatever was thrown: errors with what caused them, strings, or worse. */
export function outcomeOfError(error: unknown): Outcome {
  const name = nameOfError(error);
  return {
    kind: "fail",
    message: cut(describeError(error) || name || "The handler failed", MESSAGE_LIMIT),
    name: name === undefined ? undefined : cut(name, NAME_LIMIT),
    retryable: !isNonRetryable(error),
  };
}

/** For a result that nobody can take. */
export function unusable(message: string): Outcome {
  return { kind: "fail", message: cut(message, MESSAGE_LIMIT), name: "InvalidResultError", retryable: false };
}

/** At most so many UTF-16 units, which are never more characters, and no half of a surrogate pair: the service refuses it. */
function cut(text: string, limit: number): string {
  const whole = text.slice(0, limit).replace(/[\uD800-\uDBFF]$/, "");
  return whole.replace(/\p{Surrogate}/gu, "\uFFFD");
}
