// The scanner against what was written, over arbitrary JSON in arbitrary spellings. `JSON.parse` is no judge here: V8 may read
// a name with an escape in it as a name that it has met before in its place (`{"a":1,"\n":2}` after `{"a":1,"\\":2}`).

import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { childrenOf, compact } from "../../src/domain/json-scan.ts";

/** How a value may be written: with white space anywhere, characters as escapes, a key more than once. */
interface Spelling {
  /** A text with white space around every token. */
  readonly spaced: string;
  /** The same without. */
  readonly tight: string;
  /** The names of an object's members, or a list's places, and each one's text. */
  readonly children: readonly (readonly [name: string, text: string])[];
}

const SPACES = fc.array(fc.constantFrom(" ", "\t", "\n", "\r", "  \n"), { maxLength: 2 }).map((all) => all.join(""));

const escaped = (char: string): string =>
  Array.from({ length: char.length }, (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");

/** A string of JSON: each character as it is, in its short escape, or as `\uXXXX`. */
const STRING = fc
  .array(
    fc.oneof(
      fc.constantFrom('\\"', "\\\\", "\\/", "\\n", "\\\\\\\\", "{", "}", "[", "]", ",", ":", " ", "\\ud83d", "\\u0000"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 3 }).map((text) => JSON.stringify(text).slice(1, -1)),
      fc.string({ unit: "binary", minLength: 1, maxLength: 2 }).map(escaped),
    ),
    { maxLength: 6 },
  )
  .map((parts) => `"${parts.join("")}"`);

/** Few, so that they meet, and each in several spellings. */
const KEY = fc.oneof(
  fc.constantFrom('"payload"', '"pay\\u006coad"', '"\\u0070ayload"', '"result"', '"a\\\\"', '"__proto__"', '"1"', '""'),
  STRING,
);

const BARE = fc.oneof(
  fc.constantFrom("null", "true", "false", "0", "-0", "1.0", "1e400", "-1E-7", "12345678901234567890", "1E+2"),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
);

const flat = (tight: string): Spelling => ({ spaced: tight, tight, children: [] });

/** A member of an object: its name and its value. */
type Member = readonly [name: Spelling, value: Spelling];

const objectOf = (members: readonly Member[], space: string): Spelling => ({
  spaced: `{${members.map(([name, value]) => `${name.spaced}:${value.spaced}`).join(",") || space}}`,
  tight: `{${members.map(([name, value]) => `${name.tight}:${value.tight}`).join(",")}}`,
  children: members.map(([name, value]) => [JSON.parse(name.tight), value.spaced.trim()]),
});

const listOf = (items: readonly Spelling[], space: string): Spelling => ({
  spaced: `[${items.map(({ spaced }) => spaced).join(",") || space}]`,
  tight: `[${items.map(({ tight }) => tight).join(",")}]`,
  children: items.map(({ spaced }, i) => [String(i), spaced.trim()]),
});

const around = (value: fc.Arbitrary<Spelling>): fc.Arbitrary<Spelling> =>
  fc
    .tuple(SPACES, value, SPACES)
    .map(([before, value, after]) => ({ ...value, spaced: before + value.spaced + after }));

const { value, object, list } = fc.letrec<{ value: Spelling; object: Spelling; list: Spelling; member: Member }>(
  (tie) => ({
    value: around(
      fc.oneof(
        { depthSize: "medium", withCrossShrink: true },
        fc.oneof(BARE, STRING).map(flat),
        tie("object"),
        tie("list"),
      ),
    ),
    member: fc.tuple(around(KEY.map(flat)), tie("value")),
    object: fc
      .tuple(fc.array(tie("member"), { maxLength: 5 }), SPACES)
      .map(([members, space]) => objectOf(members, space)),
    list: fc.tuple(fc.array(tie("value"), { maxLength: 5 }), SPACES).map(([items, space]) => listOf(items, space)),
  }),
);

const childTexts = (json: string, at?: number): Map<string, string> =>
  new Map([...childrenOf(json, at)].map(([name, [from, to]]) => [name, json.slice(from, to)]));

describe("childrenOf", () => {
  it("finds the text of each child, of a key that occurs twice the last", () => {
    fc.assert(
      fc.property(around(fc.oneof(object, list)), ({ spaced, children }) => {
        expect(childTexts(spaced)).toEqual(new Map(children));
      }),
      { numRuns: 2_000 },
    );
  });

  it("finds them in a value that stands inside of another", () => {
    fc.assert(
      fc.property(SPACES, value, around(object), value, (space, before, inner, after) => {
        const json = `${space}{"a":${before.spaced},"in\\u006eer":${inner.spaced},"z":${after.spaced}}`;
        const [from] = childrenOf(json).get("inner") ?? [];
        expect(childTexts(json, from)).toEqual(new Map(inner.children));
      }),
    );
  });

  it.each([
    ['{"payload":1,"payload":2}', "2"],
    ['{"payload":1,"pay\\u006coad":{ "a" : 1 }}', '{ "a" : 1 }'],
    ['{"pay\\\\u006coad":1,"payload":[ ]}', "[ ]"],
    ['{"a":"\\\\","payload":"}\\"\\\\"}', '"}\\"\\\\"'],
    [' \r\n{ "payload" : 1.0 }', "1.0"],
    ['{"payload":-1E+400}', "-1E+400"],
    ['{"x":{"payload":1},"payload":null}', "null"],
  ])("finds the payload of %s", (json, text) => {
    const [from, to] = childrenOf(json).get("payload") ?? [];
    expect(json.slice(from, to)).toBe(text);
  });
});

it("is the same file in the SDK, which imports nothing of the service", () => {
  const [ours, theirs] = ["src/domain", "sdk/src"].map((folder) => readFileSync(`${folder}/json-scan.ts`, "utf8"));
  expect(theirs).toBe(ours);
});

describe("compact", () => {
  it("leaves out the white space between tokens, and nothing else", () => {
    fc.assert(
      fc.property(value, ({ spaced, tight }) => {
        expect(compact(spaced)).toBe(tight);
        expect(compact(tight)).toBe(tight);
      }),
      { numRuns: 2_000 },
    );
  });

  it("takes time in proportion to the length, whatever the text consists of", () => {
    const MB = 1_000_000;
    for (const json of [`"${"\\\\".repeat(MB / 2)}"`, `"${'\\"'.repeat(MB / 2)}"`, " ".repeat(MB), "[".repeat(MB)]) {
      const startedAt = performance.now();
      compact(json);
      expect(performance.now() - startedAt).toBeLessThan(2_000);
    }
  });
});
