// One structured line per event. Never a payload, a header, a key, SQL or a bound value: fields are named one by one.

export type Level = "info" | "warn" | "error";
export type Fields = Record<string, string | number | boolean | null | undefined>;

export function log(level: Level, event: string, fields: Fields): void {
  console.log(JSON.stringify({ level, event, ...fields }));
}

/** The name of an exception, without its message: that may hold what a user sent. */
export function nameOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}
