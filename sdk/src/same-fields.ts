// Compares fields by their meaning: "60 minutes" equals "1 hour", a missing field equals its default.

import { childrenOf, compact } from "./json-scan.ts";
import { fieldsToJson } from "./raw-json.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};

/** A length of time as the API takes it. */
export const lengthMs = ({ value, unit }: { value: number; unit: string }): number =>
  value * (UNIT_MS[unit] ?? Number.NaN);

type Loose = Record<string, unknown>;

const DEFAULTS: Readonly<Record<string, unknown>> = {
  delivery: { type: "pull" },
  timeout: 30,
  max_retries: 3,
  tags: [],
  backoff: { type: "exponential" },
  timezone: "UTC",
  overlap: "allow",
};

/** The meaning of a field that is missing or null. */
export const defaultOf = (name: string): unknown => DEFAULTS[name] ?? null;

const moment = (value: unknown) => {
  const at = Date.parse(String(value));
  // The service reads a few forms of ISO 8601 that this does not.
  return Number.isNaN(at) ? value : at;
};
const length = (value: unknown) => lengthMs(value as { value: number; unit: string });

/** Reduces a field's value to a form in which equal meanings are equal. */
const PLAIN: Readonly<Record<string, (value: unknown) => unknown>> = {
  tags: (value) => [...(value as string[])].sort(),
  // The service may show the default parts or leave them out.
  backoff: (value) => {
    const { type, delays, initial, max, jitter = true } = value as { [field: string]: unknown; initial?: number };
    const first = initial ?? 1;
    // The longest pause is at least the first one.
    return type === "list" ? { type, delays } : { type, initial: first, max: max ?? Math.max(3_600, first), jitter };
  },
  delivery: (value) => {
    const { type, queue = null, http } = value as Loose;
    return type === "pull" ? { type, queue } : { type, http: { headers: {}, ...withoutNulls(http as Loose) } };
  },
  callbacks: (value) => {
    const given = Object.entries(withoutNulls(value as Loose));
    return Object.fromEntries(given.map(([end, to]) => [end, { headers: {}, ...withoutNulls(to as Loose) }]));
  },
  cron: (value) => String(value).trim().replace(/\s+/g, " ").toUpperCase(),
  timezone: (value) => String(value).toLowerCase(),
  interval: length,
  expires_after: length,
  stop_at: moment,
  scheduled_for: moment,
};

/**
 * The names of those fields in which an object differs from another, which is JSON; both in the API's names. A payload is
 * compared by its text, as the service keeps it: an integer beyond 2^53 counts to its last digit.
 */
export function differingFrom<Name extends string>(one: object, other: string, names: readonly Name[]): Name[] {
  const left = plainReader(fieldsToJson({ ...one }));
  const right = plainReader(other);
  return names.filter((name) => left(name) !== right(name));
}

function plainReader(json: string): (name: string) => string {
  const spans = childrenOf(json);
  return (name) => {
    const span = spans.get(name);
    const text = span === undefined ? "null" : json.slice(...span);
    if (name === "payload") return compact(text);
    const value: unknown = JSON.parse(text) ?? defaultOf(name);
    const plain = value === null ? null : (PLAIN[name]?.(value) ?? value);
    return JSON.stringify(plain, sorted);
  };
}

/** A JSON.stringify replacer that sorts the fields of objects: their order does not matter. */
function sorted(_: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

const withoutNulls = (fields: Loose): Loose =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));
