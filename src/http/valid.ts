// Checks a request against its schemas in the contract's order: body readable, then path, query and body as declared.

import { createMiddleware } from "hono/factory";
import * as v from "valibot";
import { illFormedAt } from "../domain/text.ts";
import type { AppEnv } from "./app-env.ts";
import { withCarried } from "./carried.ts";
import { ApiError, allInvalid, type FieldError, invalid } from "./errors.ts";
import { type JsonBody, readBody } from "./read-body.ts";

type Schema = v.GenericSchema;

/** The three parts of a request a route may check. */
export interface Parts {
  readonly params?: Schema | undefined;
  readonly query?: Schema | undefined;
  readonly body?: Schema | undefined;
  /** How large the body may be, if not as large as any. */
  readonly maxBytes?: number;
}

type Output<S> = S extends Schema ? v.InferOutput<S> : undefined;

/** What a handler reads with `c.req.valid("form")`: one object for all three parts. */
export interface Valid<P, Q, B> {
  in: { form: unknown };
  out: { form: { readonly params: Output<P>; readonly query: Output<Q>; readonly body: Output<B> } };
}

const NoParams = v.object({});
const NoQuery = closed({});
const NoBody = v.optional(closed({}));

/** Parts left out take nothing: an unknown query parameter or a body where none belongs is refused. */
export function valid<
  P extends Schema | undefined = undefined,
  Q extends Schema | undefined = undefined,
  B extends Schema | undefined = undefined,
>(schemas: { readonly params?: P; readonly query?: Q; readonly body?: B; readonly maxBytes?: number }) {
  const middleware = createMiddleware<AppEnv, string, Valid<P, Q, B>>(async (c, next) => {
    const sent = await readBody(c.req.raw, schemas.maxBytes);
    const params = check(schemas.params ?? NoParams, c.req.param());
    const query = check(schemas.query ?? NoQuery, queryOf(new URL(c.req.url)));
    checkWellFormed(sent?.value);
    const body = check(schemas.body ?? NoBody, schemas.body ? objectOf(sent, schemas.body) : sent?.value);
    c.req.addValidatedData("form", { params, query, body } as object);
    await next();
  });
  checked.set(middleware, schemas);
  return middleware;
}

const checked = new WeakMap<object, Parts>();

/** What a handler made by `valid` checks, so that the API's description is made of the very same schemas. */
export const partsOf = (handler: object): Parts | undefined => checked.get(handler);

/** An object that takes its own fields and no others, not even those every object inherits. */
export function closed<const E extends v.ObjectEntries>(entries: E) {
  return v.strictObject<E>(Object.assign(Object.create(null), entries));
}

/** A body left out stands for an empty one where that is enough. */
function objectOf(sent: JsonBody | undefined, schema: Schema): object {
  if (sent === undefined && v.is(schema, {})) return {};
  if (sent === undefined) throw new ApiError("bad_request", "A JSON body is required.");
  const body = withCarried(schema, sent);
  if (typeof body === "object" && body !== null && !Array.isArray(body)) return body;
  throw new ApiError("validation_error", "The body must be a JSON object.");
}

/** A parameter given once is a text, given more often a list: only a schema that takes lists takes those. */
function queryOf(url: URL): Record<string, string | string[]> {
  const names = [...new Set(url.searchParams.keys())];
  return Object.fromEntries(
    names.map((name) => {
      const values = url.searchParams.getAll(name);
      return [name, values.length === 1 ? (values[0] ?? "") : values];
    }),
  );
}

function check(schema: Schema, value: unknown): unknown {
  const parsed = v.safeParse(schema, value);
  if (parsed.success) return parsed.output;
  throw allInvalid(fieldErrors(parsed.issues));
}

/** JSON can spell half a surrogate pair. Stored, it would make every page that shows it unreadable to strict parsers. */
function checkWellFormed(sent: unknown): void {
  const field = illFormedAt(sent);
  if (field !== undefined) throw invalid(field, "Must be well-formed Unicode: it holds half of a surrogate pair.");
}

function fieldErrors(issues: readonly v.BaseIssue<unknown>[]): FieldError[] {
  const seen = new Map<string, FieldError>();
  for (const issue of issues) {
    const field = v.getDotPath(issue) ?? "";
    if (!seen.has(field)) seen.set(field, { field, message: messageOf(issue) });
  }
  return [...seen.values()];
}

/** valibot's own words quote what was received; ours say what is wanted. */
function messageOf(issue: v.BaseIssue<unknown>): string {
  if (issue.kind !== "schema") return issue.message;
  if (issue.type === "strict_object" && issue.expected === "never") return "There is no such field.";
  if (issue.received === "undefined") return "Is required.";
  return issue.message.startsWith("Invalid ") ? `Must be ${wanted(issue)}.` : issue.message;
}

function wanted({ expected, type }: v.BaseIssue<unknown>): string {
  if (type === "picklist" || type === "variant")
    return `one of ${(expected ?? "").replace(/[()]/g, "").replaceAll(" | ", ", ")}`;
  return (
    { string: "a text", number: "a number", Object: "an object", Array: "a list", boolean: "true or false" }[
      expected ?? ""
    ] ?? `${expected}`
  );
}
