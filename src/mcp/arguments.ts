// What is wrong with a tool's arguments before they become a request: what the API could not see any more once they are one.

import { illFormedAt } from "../domain/text.ts";

export type Arguments = Readonly<Record<string, unknown>>;

/** A URL takes them as steps to another path, however they are encoded. */
const STEPS = [".", ".."];

/** @returns the field at fault and what is wrong with it; undefined when nothing is */
export function faultIn(args: Arguments, inPath: readonly string[]): string | undefined {
  const missing = inPath.find((name) => typeof args[name] !== "string" || args[name] === "");
  if (missing !== undefined) return `${missing}: Is required.`;
  const step = inPath.find((name) => STEPS.includes(String(args[name])));
  if (step !== undefined) return `${step}: Must not be "." or "..".`;
  const illFormed = illFormedAt(args);
  if (illFormed !== undefined) return `${illFormed}: Must be well-formed Unicode: it holds half of a surrogate pair.`;
  const inexact = inexactAt(args);
  if (inexact !== undefined)
    return `${inexact}: Numbers beyond 2^53 lose digits here. Send it as a text, or over the API.`;
  return undefined;
}

/** The protocol's library has parsed the message, and such a number is another one by now. */
function inexactAt(value: unknown): string | undefined {
  if (typeof value === "number")
    return Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value)) ? undefined : "";
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    const within = inexactAt(member);
    if (within !== undefined) return within === "" ? name : `${name}.${within}`;
  }
  return undefined;
}
