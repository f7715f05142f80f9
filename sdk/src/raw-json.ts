// JSON as text, where a JavaScript value would lose something: integers beyond 2^53, `1.0`, keys that occur twice.

import { ChronosConfigError } from "./errors.ts";
import { childrenOf } from "./json-scan.ts";

/** JSON that is sent as it is written. Made by `rawJson()`. */
export class RawJson {
  readonly #text: string;

  /** @internal */
  constructor(text: string) {
    this.#text = text;
  }

  get text(): string {
    return this.#text;
  }

  /** @internal Reached only below the place where the text could be sent as it is. */
  toJSON(): never {
    throw new ChronosConfigError("rawJson() stands for a whole payload or result, not for a part of it");
  }
}

/**
 * Stands for a payload, or for the result of a handler, that is already JSON: the text is sent as it is. Throws
 * ChronosConfigError when it is not JSON. Its counterparts are `payloadText` and `resultText` of what the client reads.
 *
 * @example
 * ```ts
 * import { Chronos, rawJson } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const payload = rawJson('{"account": 12345678901234567890}');
 * const job = await chronos.jobs.create({ name: "Close account", handler: "close", payload });
 * console.log(job.payloadText);
 * ```
 */
export function rawJson(text: string): RawJson {
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new ChronosConfigError("rawJson() takes a text that is JSON", { cause });
  }
  return new RawJson(text);
}

/** `JSON.stringify`, except that `RawJson` is written as its text. */
export const valueToJson = (value: unknown): string | undefined =>
  value instanceof RawJson ? value.text : JSON.stringify(value);

/** The same for an object whose fields may be `RawJson`. */
export function fieldsToJson(fields: Record<string, unknown>): string {
  const written = Object.entries(fields).flatMap(([name, field]) => {
    const json = valueToJson(field);
    return json === undefined ? [] : `${JSON.stringify(name)}:${json}`;
  });
  return `{${written.join()}}`;
}

const CARRIED = ["payload", "result", "progress"];

/**
 * Adds the texts of payload, result and progress to what was parsed, or to each item of a list, as `payload_text` and so on.
 * A job within an item, as in a batch's answer, gets them too.
 */
export function addTexts(parsed: unknown, json: string, at = 0): void {
  if (typeof parsed !== "object" || parsed === null) return;
  const fields = parsed as Record<string, unknown>;
  for (const [name, [from, to]] of childrenOf(json, at)) {
    if (Array.isArray(parsed) || name === "job") addTexts(fields[name], json, from);
    else if (CARRIED.includes(name)) fields[`${name}_text`] = fields[name] === null ? null : json.slice(from, to);
  }
}
