// Members of a body that are carried and not read: their schemas see value and text, and what leaves them is the text.

import * as v from "valibot";
import { childrenOf, compact } from "../domain/json-scan.ts";
import type { JsonText } from "../domain/json-text.ts";
import { bytesOf } from "../domain/text.ts";
import type { JsonBody } from "./read-body.ts";

/** Such a member as its schema sees it. */
class Carried {
  readonly text: JsonText;
  readonly value: unknown;

  constructor(text: JsonText, value: unknown) {
    this.text = text;
    this.value = value;
  }
}

/** Names from the body down to a member; `*` stands for every item of a list. */
type Path = readonly string[];

const carriedSchemas = new WeakSet<v.GenericSchema>();

/**
 * Any JSON value but null, as its text from then on. `valid` finds such a schema wherever it stands in that of a body: below
 * objects, lists, variants, and fields that may be left out.
 *
 * @param isWanted what the value must be, which `wanted` says in words
 */
export function carried(maxBytes: number, isWanted: (value: unknown) => boolean = () => true, wanted = "") {
  const schema = v.pipe(
    v.custom<Carried>((sent) => sent instanceof Carried && isWanted(sent.value), wanted),
    v.check(({ text }) => bytesOf(text) <= maxBytes, `Must be at most ${maxBytes} bytes as JSON.`),
    v.check(({ text }) => !hasLoneSurrogate(text), "Must be well-formed Unicode."),
    v.transform(({ text }) => text),
  );
  carriedSchemas.add(schema);
  return schema;
}

/** The body's value, with each member that its schema carries in the place of that member's value. */
export function withCarried(schema: v.GenericSchema, { text, value }: JsonBody): unknown {
  for (const path of pathsIn(schema)) carry(value, text, 0, path);
  return value;
}

/** The paths found so far: a schema is searched once. */
const found = new WeakMap<v.GenericSchema, readonly Path[]>();

function pathsIn(schema: v.GenericSchema): readonly Path[] {
  const paths = found.get(schema) ?? [...findPaths(schema)];
  found.set(schema, paths);
  return paths;
}

/** The parts of a valibot schema that others can be below. */
interface Nest {
  readonly wrapped?: v.GenericSchema;
  readonly pipe?: readonly [v.GenericSchema];
  readonly item?: v.GenericSchema;
  readonly options?: readonly v.GenericSchema[];
  readonly entries?: v.ObjectEntries;
}

function* findPaths(schema: v.GenericSchema): Generator<Path> {
  if (carriedSchemas.has(schema)) return yield [];
  const { wrapped, pipe, item, options, entries } = schema as Nest;
  if (wrapped) yield* findPaths(wrapped);
  else if (pipe && pipe[0] !== schema) yield* findPaths(pipe[0]);
  else if (item) for (const path of findPaths(item)) yield ["*", ...path];
  else if (Array.isArray(options) && options.every((option) => typeof option === "object"))
    for (const option of options) yield* findPaths(option);
  else
    for (const name in entries) for (const path of findPaths(entries[name] as v.GenericSchema)) yield [name, ...path];
}

/** @param value what `JSON.parse` made of the text from `at` on: ours to change */
function carry(value: unknown, text: string, at: number, [name = "", ...below]: Path): void {
  if (typeof value !== "object" || value === null || Array.isArray(value) !== (name === "*")) return;
  const holder = value as Record<string, unknown>;
  for (const [child, [from, to]] of childrenOf(text, at)) {
    if (name !== "*" && name !== child) continue;
    if (below.length > 0) carry(holder[child], text, from, below);
    else if (holder[child] !== null)
      holder[child] = new Carried(compact(text.slice(from, to)) as JsonText, holder[child]);
  }
}

/** A surrogate pair as two escapes (12 characters), half of one (6), or the beginning of any other escape (2). */
const ESCAPES = /\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|u[dD][89a-fA-F]..|.)/gs;

/** UTF-8 that holds half of a pair does not come this far; an escape may still say one, and strict parsers refuse it. */
const hasLoneSurrogate = (text: string): boolean => (text.match(ESCAPES) ?? []).some(({ length }) => length === 6);
