// Headers in the shapes servers have them: a Headers object, or a plain object as Node.js and Express give it.

export type HeadersLike =
  | { get(name: string): string | null }
  | { readonly [name: string]: string | readonly string[] | undefined };

/** Looks headers up whatever their case. A header that came more than once is no header anyone should trust: null. */
export function headerReader(headers: HeadersLike): (name: string) => string | null {
  if (typeof headers.get === "function") {
    const { get } = headers;
    return (name) => get.call(headers, name);
  }
  const plain = new Map<string, string | null>();
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    const single = Array.isArray(value) && value.length === 1 ? value[0] : value;
    plain.set(key, typeof single === "string" && !plain.has(key) ? single : null);
  }
  return (name) => plain.get(name.toLowerCase()) ?? null;
}
