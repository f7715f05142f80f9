// Members that a schema carries, wherever it stands in the schema of a body.

import * as v from "valibot";
import { describe, expect, it } from "vitest";
import { carried, withCarried } from "../../src/http/carried.ts";
import { closed } from "../../src/http/valid.ts";

const any = carried(20);
const object = v.pipe(
  carried(20, (value) => typeof value === "object" && !Array.isArray(value), "Must be an object."),
  v.check((text) => text !== "{}", "Must not be empty."),
);

const Report = closed({ id: v.number(), result: v.nullish(any) });
const Batch = v.pipe(
  closed({
    reports: v.pipe(v.array(Report), v.maxLength(3)),
    deep: v.optional(closed({ payload: v.nullish(object) })),
  }),
  v.check(() => true),
);

const parsed = (text: string) => v.safeParse(Batch, withCarried(Batch, { text, value: JSON.parse(text) }));
const output = (text: string) => {
  const { success, output } = parsed(text);
  expect(success).toBe(true);
  return output;
};
const complaints = (text: string) => parsed(text).issues?.map((issue) => [v.getDotPath(issue), issue.message]);

describe("a carried member", () => {
  it("of each item of a list leaves as its text", () => {
    const text = '{"reports":[ {"id":1,"result": 1.0} , {"id":2} , {"id":3,"res\\u0075lt": { "a" : [ 1 ] }} ]}';
    expect(output(text)).toEqual({
      reports: [{ id: 1, result: "1.0" }, { id: 2 }, { id: 3, result: '{"a":[1]}' }],
    });
  });

  it("of an object within leaves as its text", () => {
    expect(output('{"reports":[],"deep":{"payload":{"x":1e400}}}')).toEqual({
      reports: [],
      deep: { payload: '{"x":1e400}' },
    });
  });

  it("of a list that occurs twice is the last one's", () => {
    const text = '{"reports":[{"id":1,"result":0}],"reports":[{"id":2,"result":0,"result":"\\u0041"}]}';
    expect(output(text)).toEqual({ reports: [{ id: 2, result: '"\\u0041"' }] });
  });

  it("that is null is left to the field, which may be optional", () => {
    expect(output('{"reports":[{"id":1,"result":null}],"deep":{"payload": null}}')).toEqual({
      reports: [{ id: 1, result: null }],
      deep: { payload: null },
    });
  });

  it("is measured without the white space around its tokens", () => {
    const sized = (bytes: number) => `{"reports":[{"id":1,"result":[ "${"é".repeat((bytes - 4) / 2)}" ]}]}`;
    expect(complaints(sized(20))).toBeUndefined();
    expect(complaints(sized(22))).toEqual([["reports.0.result", "Must be at most 20 bytes as JSON."]]);
  });

  it.each([
    ['{"reports":[{"id":1},{"id":2,"result":"\\ud800"}]}', "reports.1.result", "Must be well-formed Unicode."],
    ['{"reports":[],"deep":{"payload":[]}}', "deep.payload", "Must be an object."],
    ['{"reports":[],"deep":{"payload":1e400}}', "deep.payload", "Must be an object."],
    ['{"reports":[],"deep":{"payload":{ }}}', "deep.payload", "Must not be empty."],
  ])("that is not wanted is named: %s", (text, path, message) => {
    expect(complaints(text)).toEqual([[path, message]]);
  });

  it.each([
    '{"reports":{"0":{"id":1}}}',
    '{"reports":[1,null,[]]}',
    '{"reports":"x","deep":[{"payload":1}]}',
    "[]",
    "1",
  ])("does not mind a body of another form: %s", (text) => {
    expect(parsed(text).success).toBe(false);
  });
});
