import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonText, raw, stringify } from "../../src/domain/json-text.ts";

describe("stringify", () => {
  it("writes what JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: "binary" }), (value) => stringify(value) === JSON.stringify(value)),
    );
  });

  it("is the only one to write a raw text: JSON.stringify fails", () => {
    expect(() => JSON.stringify({ payload: raw("1.0" as JsonText) })).toThrow(TypeError);
  });

  it("leaves out what is undefined", () => {
    expect(stringify({ a: undefined, b: [{ c: undefined }], d: null })).toBe('{"b":[{}],"d":null}');
  });

  it.each(['{"a":1,"a":2}', "1e400", "-0", "1.0", "12345678901234567890", '{"2":1,"1":2}', '"\\u0041"', "null"])(
    "writes a raw %s as it is, wherever it stands",
    (text) => {
      const one = raw(text as JsonText);
      expect(stringify(one)).toBe(text);
      expect(stringify({ data: [{ payload: one, result: raw(null) }] })).toBe(
        `{"data":[{"payload":${text},"result":null}]}`,
      );
    },
  );
});
