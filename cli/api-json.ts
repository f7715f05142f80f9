// What the SDK gives, as the API writes it: snake_case, ISO times, and payloads letter by letter, whatever the numbers in them.

/** Values that travel as text; the SDK keeps that text beside them. */
const CARRIED = ["payload", "result", "progress"];

/** JSON to be read by programs: the names of the API's reference. */
export const apiJson = (value: unknown): string => written(value, "\n");

/** The same on one line. */
export const apiJsonLine = (value: unknown): string => written(value, "");

function written(value: unknown, newline: string): string {
  if (value instanceof Date || typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  const inner = newline === "" ? "" : `${newline}  `;
  if (Array.isArray(value)) {
    return value.length === 0
      ? "[]"
      : `[${inner}${value.map((one) => written(one, inner)).join(`,${inner}`)}${newline}]`;
  }
  const fields = membersOf(value as Record<string, unknown>, inner);
  return fields.length === 0 ? "{}" : `{${inner}${fields.join(`,${inner}`)}${newline}}`;
}

function membersOf(object: Record<string, unknown>, inner: string): string[] {
  const texts = CARRIED.map((name) => `${name}Text`);
  return Object.entries(object).flatMap(([name, value]) => {
    if (value === undefined || texts.includes(name)) return [];
    return [`${JSON.stringify(snake(name))}:${inner === "" ? "" : " "}${memberOf(object, name, value, inner)}`];
  });
}

function memberOf(object: Record<string, unknown>, name: string, value: unknown, inner: string): string {
  const text = CARRIED.includes(name) ? object[`${name}Text`] : undefined;
  if (typeof text === "string") return text;
  // The user's own names.
  if (CARRIED.includes(name) || name === "headers") return JSON.stringify(value);
  return written(value, inner);
}

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
