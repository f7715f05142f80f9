// A JSON value that is carried and never read: its text, as it was sent. Parsing it would lose what JavaScript cannot hold
// (integers beyond 2^53, 1e400, -0, the order of keys such as "1", a key that occurs twice).

declare const brand: unique symbol;

/** The text of one JSON value, without insignificant white space. */
export type JsonText = string & { readonly [brand]: true };

/** Where such a text stands in a value that `stringify` writes. */
export class RawJson {
  readonly text: JsonText;

  constructor(text: JsonText) {
    this.text = text;
  }

  /** `JSON.stringify` would write the text as a string. */
  toJSON(): never {
    throw new TypeError("A RawJson is written by stringify() alone");
  }
}

/** @returns null for no value at all, which is written as `null` */
export const raw = (text: JsonText | null): RawJson | null => (text === null ? null : new RawJson(text));

/** `JSON.stringify` for plain values, except that a `RawJson` is written as its text. */
export function stringify(value: unknown): string {
  if (value instanceof RawJson) return value.text;
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(stringify).join()}]`;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${stringify(member)}`).join()}}`;
}
