// The filters of the list in three forms: in the address, in a query, and in the body of a bulk action.

import type { FilterBody } from "../../api/bulk-action.ts";
import { ERROR_CODES, STATUSES } from "../../api/job.ts";

type Kind = "text" | "time" | "choice";

export interface FilterField {
  readonly name: string;
  readonly label: string;
  readonly kind: Kind;
  /** Of which a job may have several, so that the filter may be given more than once. */
  readonly isMany?: true;
  readonly choices?: readonly string[];
  readonly hint?: string;
}

export const STATUS: FilterField = { name: "status", label: "status", kind: "choice", isMany: true, choices: STATUSES };

/** All filters of `GET /v1/jobs` but the status, which has its own row. */
export const FILTERS: readonly FilterField[] = [
  { name: "handler", label: "handler", kind: "text" },
  { name: "name", label: "name", kind: "text", hint: "The whole name, letter by letter." },
  { name: "tag", label: "tag", kind: "text", isMany: true, hint: "Several tags: jobs that have all of them." },
  { name: "flow", label: "flow", kind: "text" },
  { name: "idempotency_key", label: "idempotency key", kind: "text" },
  { name: "schedule_id", label: "schedule", kind: "text", hint: "A schedule's id, or null for one-off jobs." },
  { name: "origin", label: "made by", kind: "choice", isMany: true, choices: ["api", "schedule", "event"] },
  { name: "error_code", label: "error", kind: "choice", choices: ERROR_CODES, hint: "The code of its last error." },
  { name: "host", label: "host", kind: "text", hint: "Where it is pushed to: example.com" },
  { name: "created_after", label: "created after", kind: "time" },
  { name: "created_before", label: "created before", kind: "time" },
  { name: "scheduled_after", label: "scheduled after", kind: "time" },
  { name: "scheduled_before", label: "scheduled before", kind: "time" },
];

const ALL = [STATUS, ...FILTERS];

/** What is filtered by: pairs of a field and a value, in the order of the fields. */
export type Filter = readonly (readonly [name: string, value: string])[];

/** Reads an address. What is no filter is left out; what the service would refuse stays, for it says why. */
export const filterIn = (query: URLSearchParams): Filter =>
  ALL.flatMap(({ name, isMany }) => {
    const values = [...new Set(query.getAll(name))].filter((value) => value !== "");
    return (isMany ? values : values.slice(0, 1)).map((value) => [name, value] as const);
  });

export const queryOf = (filter: Filter): URLSearchParams =>
  new URLSearchParams(filter.map(([name, value]) => [name, value]));

const isMany = (name: string): boolean => ALL.some((field) => field.name === name && field.isMany);

/** With one more value; of a field that takes one, in place of what it had. */
export const withValue = (filter: Filter, name: string, value: string): Filter => {
  const others = filter.filter(([field, given]) => field !== name || (isMany(name) && given !== value));
  return filterIn(queryOf([...others, [name, value]]));
};

export const withoutValue = (filter: Filter, name: string, value: string): Filter =>
  filter.filter(([field, given]) => field !== name || given !== value);

export const valuesOf = (filter: Filter, name: string): readonly string[] =>
  filter.filter(([field]) => field === name).map(([, value]) => value);

/** As a bulk action takes it: no filter at all is `all`. */
export function bodyOf(filter: Filter): FilterBody {
  if (filter.length === 0) return { all: true };
  return Object.fromEntries(
    ALL.flatMap(({ name, isMany }) => {
      const values = valuesOf(filter, name);
      if (values.length === 0) return [];
      return [[name, isMany ? values : (values[0] ?? "")]];
    }),
  );
}

/** The same filter for only those jobs that a change is allowed for; null if that leaves none. */
export function narrowed(filter: Filter, allowed: readonly string[]): Filter | null {
  const asked = valuesOf(filter, "status");
  const left = asked.length === 0 ? allowed : asked.filter((status) => allowed.includes(status));
  if (left.length === 0) return null;
  const others = filter.filter(([name]) => name !== "status");
  return [...left.map((status) => ["status", status] as const), ...others];
}

const labelOf = (name: string): string => ALL.find((field) => field.name === name)?.label ?? name;

/** In words: `with status failed, handler send-mail`. */
export const wordsFor = (filter: Filter): string =>
  filter.length === 0
    ? "all of this account"
    : `with ${filter.map(([name, value]) => `${labelOf(name)} ${value}`).join(", ")}`;
