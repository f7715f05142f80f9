// Length and cutting, for every text there is: characters are counted, and none is cut.

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bytesOf, cut, cutToBytes, illFormedAt, lengthOf } from "../../src/domain/text.ts";

/** Texts that may hold astral characters and lone surrogates, at any place. */
const ANY_TEXT = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "é", "€", "😀", "\ud83d", "\ude00", "\u0000", "e\u0301") }),
  fc.string({ unit: "binary" }),
);
const LIMIT = fc.nat(20);
const characters = (text: string): string[] => [...text.toWellFormed()];

describe("for every text", () => {
  it("its length is its number of characters", () => {
    fc.assert(fc.property(ANY_TEXT, (text) => lengthOf(text) === [...text].length));
  });

  it("a cut keeps whole characters, as many as allowed, and no half of one", () => {
    fc.assert(
      fc.property(ANY_TEXT, LIMIT, (text, max) => {
        const kept = cut(text, max);
        expect(characters(kept)).toEqual(characters(text).slice(0, max));
        expect(kept.isWellFormed()).toBe(true);
      }),
    );
  });

  it("a cut to bytes keeps whole characters, as many as fit, and no half of one", () => {
    fc.assert(
      fc.property(ANY_TEXT, LIMIT, (text, max) => {
        const kept = cutToBytes(text, max);
        expect(bytesOf(kept)).toBeLessThanOrEqual(max);
        expect(text.toWellFormed().startsWith(kept)).toBe(true);
        const next = characters(text)[lengthOf(kept)];
        if (next !== undefined) expect(bytesOf(kept + next)).toBeGreaterThan(max);
        expect(kept.isWellFormed()).toBe(true);
      }),
    );
  });
});

describe("a lone surrogate is found", () => {
  it.each([
    ["as the value itself", "\ud800", ""],
    ["in a member", { a: { b: "x\udc00" } }, "a.b"],
    ["in a list", { a: ["x", { b: "\udbff" }] }, "a.1.b"],
    ["in a name, which is then made readable", { a: { "\ud800b": 1 } }, "a.\ufffdb"],
    ["behind what is well-formed", { a: "😀", b: null, c: [1, true], d: "\ude00\ud83d" }, "d"],
  ])("%s", (_, value, at) => {
    expect(illFormedAt(value)).toBe(at);
  });

  it("in whatever JSON holds one, and in no other", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => {
        // A lone surrogate is all that JSON.stringify escapes as \uD800 to \uDFFF.
        const holdsOne = /(?<!\\)(\\\\)*\\ud[89a-f]/i.test(JSON.stringify(value));
        expect(illFormedAt(value) !== undefined).toBe(holdsOne);
      }),
    );
  });
});
