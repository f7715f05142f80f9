// Options that do not exist are refused by name, as the API refuses unknown fields: a typo must not vanish.

import { ChronosConfigError } from "./errors.ts";

/** Every field of a type, or of each member of a union. It does not compile while one is missing. */
export type Fields<T> = Record<T extends unknown ? keyof T : never, true>;

/** Throws a ChronosConfigError for what is no object, and for a field that is not among the known ones. */
export function checkFields(what: string, given: unknown, known: Readonly<Record<string, true>>): void {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new ChronosConfigError(`${what} must be an object, not ${kindOf(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(known, name)) continue;
    const names = Object.keys(known);
    const nearest = nearestOf(name, names);
    const hint = nearest === undefined ? `it takes ${names.join(", ")}` : `did you mean "${nearest}"?`;
    throw new ChronosConfigError(`${what} has no field "${name}": ${hint}`);
  }
}

/** What something is, in a message about what it is not. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return "an array";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** The name that was probably meant: the API's spelling of it, or one that differs in a few letters. */
function nearestOf(name: string, known: readonly string[]): string | undefined {
  const plain = (text: string) => text.replace(/[_-]/g, "").toLowerCase();
  const given = plain(name);
  const ranked = known.map((one) => ({ one, distance: distanceOf(given, plain(one)) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  const bearable = Math.min(3, Math.floor(given.length * 0.4));
  return best !== undefined && best.distance <= bearable ? best.one : undefined;
}

/** Levenshtein's: how many letters must be put in, left out or replaced. */
function distanceOf(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
