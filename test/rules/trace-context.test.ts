// What a `traceparent` header must be (W3C Trace Context, level 2).

import { expect, it } from "vitest";
import { parseTraceparent } from "../../src/domain/trace-context.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const PARENT = "b7ad6b7169203331";
const of = (version: string, trace = TRACE, parent = PARENT, flags = "01", rest = "") =>
  `${version}-${trace}-${parent}-${flags}${rest}`;

it.each(["00", "01", "ff"])("version 00 is carried as it is, with the flags %s", (flags) => {
  expect(parseTraceparent(of("00", TRACE, PARENT, flags))).toBe(of("00", TRACE, PARENT, flags));
});

it.each([
  ["01", "03", "", "01"],
  ["cc", "01", "-what-the-future-brings", "01"],
  ["fe", "fe", "-", "00"],
])("of the later version %s only what version 00 knows is passed on", (version, flags, rest, passedOn) => {
  expect(parseTraceparent(of(version, TRACE, PARENT, flags, rest))).toBe(of("00", TRACE, PARENT, passedOn));
});

it.each([
  ["nothing", undefined],
  ["an empty one", ""],
  ["the version ff", of("ff")],
  ["no version", `${TRACE}-${PARENT}-01`],
  ["a trace id of zeros", of("00", "0".repeat(32))],
  ["a parent id of zeros", of("00", TRACE, "0".repeat(16))],
  ["a short trace id", of("00", TRACE.slice(1))],
  ["a long parent id", of("00", TRACE, `${PARENT}0`)],
  ["short flags", of("00", TRACE, PARENT, "1")],
  ["upper case", of("00", TRACE.toUpperCase())],
  ["what is not hexadecimal", of("00", TRACE.replace("a", "g"))],
  ["more than version 00 has", of("00", TRACE, PARENT, "01", "-x")],
  ["a later version whose rest is not set apart", of("01", TRACE, PARENT, "01", "x")],
  ["blanks around it", ` ${of("00")}`],
  ["two of them, as headers are joined", `${of("00")}, ${of("00")}`],
])("%s is ignored", (_, text) => {
  expect(parseTraceparent(text)).toBeNull();
});

it("ids that only begin or end with zeros are ids", () => {
  const [trace, parent] = [`${"0".repeat(31)}1`, `1${"0".repeat(15)}`];
  expect(parseTraceparent(of("00", trace, parent))).toBe(of("00", trace, parent));
});
