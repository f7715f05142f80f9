// Headers as they are typed into a field: one on each line, `Name: value`.

export const headerLines = (headers: Readonly<Record<string, string>> | undefined): string =>
  Object.entries(headers ?? {})
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n");

export interface TypedHeaders {
  readonly headers: Readonly<Record<string, string>>;
  /** Lines that are no headers. */
  readonly wrong: readonly string[];
}

export function typedHeaders(text: string): TypedHeaders {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  const read = lines.map((line) => ({ line, found: /^\s*([^:\s]+)\s*:\s*(.*?)\s*$/.exec(line) }));
  return {
    headers: Object.fromEntries(read.flatMap(({ found }) => (found ? [[found[1] ?? "", found[2] ?? ""]] : []))),
    wrong: read.flatMap(({ line, found }) => (found ? [] : [line.trim()])),
  };
}
