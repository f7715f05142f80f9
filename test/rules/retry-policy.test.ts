import { describe, expect, it } from "vitest";
import { backoffMs, isRetriedStatus, retryAfterMs, retryDelayMs } from "../../src/domain/retry-policy.ts";
import { HOUR, MINUTE, NOON, SECOND } from "./a-job.ts";

const LEAST = 0;
const MOST = 1 - Number.EPSILON;

describe("the backoff", () => {
  it.each([
    [1, 1_000, 1_999],
    [2, 2_000, 3_999],
    [3, 4_000, 7_999],
    [4, 8_000, 15_999],
    [5, 16_000, 31_999],
    [11, 1_024_000, 2_047_999],
    [12, 2_048_000, HOUR],
    [13, HOUR, HOUR],
    [50, HOUR, HOUR],
    [5_000, HOUR, HOUR],
  ])("after failure %i lies between %i and %i ms", (failures, least, most) => {
    expect([backoffMs(failures, LEAST), backoffMs(failures, MOST)]).toEqual([least, most]);
  });

  it("is a whole number of milliseconds at any chance", () => {
    expect(backoffMs(1, 0.123_456)).toBe(1_123);
  });
});

describe("what a target asks for", () => {
  it("is a lower bound: the longer of the two counts", () => {
    expect(retryDelayMs(1, LEAST, 999)).toBe(1_000);
    expect(retryDelayMs(1, LEAST, 1_001)).toBe(1_001);
    expect(retryDelayMs(1, LEAST, null)).toBe(1_000);
  });

  it("is heeded up to an hour", () => {
    expect(retryDelayMs(1, LEAST, HOUR - 1)).toBe(HOUR - 1);
    expect(retryDelayMs(1, LEAST, HOUR + 1)).toBe(HOUR);
    expect(retryDelayMs(1, LEAST, Number.POSITIVE_INFINITY)).toBe(HOUR);
  });

  it.each([
    ["seconds", "120", 2 * MINUTE],
    ["no seconds", "0", 0],
    ["seconds between blanks", " 5 ", 5 * SECOND],
    ["seconds beyond a double", "9".repeat(400), Number.POSITIVE_INFINITY],
    ["more seconds than a clock will see", "99999999999", 99_999_999_999 * SECOND],
    ["a date ahead", "Tue, 01 Jan 2030 12:01:00 GMT", MINUTE],
    ["a date in the old form", "Tuesday, 01-Jan-30 12:01:00 GMT", MINUTE],
    ["this very moment", "Tue, 01 Jan 2030 12:00:00 GMT", 0],
    ["a date gone by", "Sun, 06 Nov 1994 08:49:37 GMT", 0],
    ["nothing", null, null],
    ["an empty header", "", null],
    ["a word", "soon", null],
    ["a word and a number", "after 2050", null],
    ["a negative number", "-5", null],
    ["a fraction of a second, which is a whole one", "1.5", 2 * SECOND],
    ["a fraction of ten minutes", "600.5", 601 * SECOND],
    ["a fraction of nothing", "5.", 5 * SECOND],
    ["a fraction and nothing before it", ".5", SECOND],
    ["the same value twice", "600, 600", 600 * SECOND],
    ["the longest of several", "5, 600,7", 600 * SECOND],
    ["the longest, a date", "5, Tue, 01 Jan 2030 12:01:00 GMT, 7.5", MINUTE],
    ["the longest, beside a date", "Tue, 01 Jan 2030 12:01:00 GMT, 120", 2 * MINUTE],
    ["the longest of two dates", "Tuesday, 01-Jan-30 12:01:00 GMT, Tue, 01 Jan 2030 12:02:00 GMT", 2 * MINUTE],
    ["a date in the oldest form, which is in UTC", "Tue Jan  1 12:01:00 2030", MINUTE],
    ["what can be read of it", "soon, 5, -1", 5 * SECOND],
    ["commas alone", ",,", null],
    ["an exponent", "1e3", null],
    ["a unit", "600s", null],
    ["a date of no calendar", "Tue, 41 Jan 2030 12:00:00 GMT", null],
  ])("is read from %s", (_, header, ms) => {
    expect(retryAfterMs(header, NOON)).toBe(ms);
  });
});

describe("an answer", () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 599])("of %i is tried again", (status) => {
    expect(isRetriedStatus(status)).toBe(true);
  });

  it.each([300, 301, 304, 400, 401, 403, 404, 407, 409, 410, 422, 424, 426, 428, 430, 499])(
    "of %i is final",
    (status) => {
      expect(isRetriedStatus(status)).toBe(false);
    },
  );
});
