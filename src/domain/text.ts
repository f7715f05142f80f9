// Length and cutting of text. Lengths count characters (Unicode code points), sizes count bytes of UTF-8, and nothing is
// cut inside a character (contract §1).

const encoder = new TextEncoder();

/** Characters, not UTF-16 units: an emoji is one. */
export function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length += 1;
  return length;
}

/** Bytes as UTF-8. */
export const bytesOf = (text: string): number => encoder.encode(text).byteLength;

/** The first `max` characters. A lone surrogate becomes U+FFFD: strict JSON parsers refuse a page that holds one. */
export function cut(text: string, max: number): string {
  if (text.length <= max) return text.toWellFormed();
  let end = 0;
  for (let length = 0; length < max && end < text.length; length++)
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  return text.slice(0, end).toWellFormed();
}

/** As many whole characters as fit into `max` bytes of UTF-8. */
export function cutToBytes(text: string, max: number): string {
  const { read } = encoder.encodeInto(text, new Uint8Array(max));
  return text.slice(0, read).toWellFormed();
}

/**
 * Where a JSON value holds a lone surrogate, in a text or in a name: a dotted path, itself well-formed.
 *
 * @returns undefined when there is none
 */
export function illFormedAt(value: unknown): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : "";
  if (typeof value !== "object" || value === null) return undefined;
  for (const [name, member] of Object.entries(value)) {
    if (!name.isWellFormed()) return name.toWellFormed();
    const within = illFormedAt(member);
    if (within !== undefined) return within === "" ? name : `${name}.${within}`;
  }
  return undefined;
}
