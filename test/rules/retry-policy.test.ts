import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Backoff, backoffMs, isRetriedStatus, retryAfterMs, retryDelayMs } from "../../src/domain/retry-policy.ts";
import { DAY, HOUR, MINUTE, NOON, SECOND } from "./a-job.ts";

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

const exponential: Backoff = { type: "exponential", initialSeconds: 30, maxSeconds: 21_600, jitter: true };
const fixed: Backoff = { type: "fixed", initialSeconds: 60, maxSeconds: 3_600, jitter: true };
const list: Backoff = { type: "list", delaysSeconds: [60, 300, 1_800, 7_200] };

/** The shortest and the longest delay after a failure. */
const delays = (backoff: Backoff | null, failures: number): [number, number] => [
  retryDelayMs(backoff, failures, LEAST, null),
  retryDelayMs(backoff, failures, MOST, null),
];

describe("a job's own backoff", () => {
  it.each([1, 2, 3, 11, 12, 13, 50, 5_000])("is the rule of §3 where there is none: after failure %i", (failures) => {
    expect(delays(null, failures)).toEqual([backoffMs(failures, LEAST), backoffMs(failures, MOST)]);
    expect(retryDelayMs(null, failures, 0.3, null)).toBe(backoffMs(failures, 0.3));
  });

  it("is the rule of §3, too, when it says the same", () => {
    const same: Backoff = { type: "exponential", initialSeconds: 1, maxSeconds: 3_600, jitter: true };
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 60 }),
        fc.double({ min: 0, max: MOST, noNaN: true }),
        (failures, chance) => {
          expect(retryDelayMs(same, failures, chance, null)).toBe(retryDelayMs(null, failures, chance, null));
        },
      ),
    );
  });

  it.each<[string, Backoff, number, number, number]>([
    ["exponential, at first", exponential, 1, 30 * SECOND, MINUTE - 1],
    ["exponential, doubled", exponential, 2, MINUTE, 2 * MINUTE - 1],
    ["exponential, before its maximum", exponential, 9, 128 * MINUTE, 256 * MINUTE - 1],
    ["exponential, its jitter capped", exponential, 10, 256 * MINUTE, 6 * HOUR],
    ["exponential, at its maximum", exponential, 11, 6 * HOUR, 6 * HOUR],
    ["exponential, long past it", exponential, 5_000, 6 * HOUR, 6 * HOUR],
    ["exponential, beyond an hour", { ...exponential, initialSeconds: 86_400, maxSeconds: 86_400 }, 1, DAY, DAY],
    ["exponential, without jitter", { ...exponential, jitter: false }, 3, 2 * MINUTE, 2 * MINUTE],
    ["exponential, a maximum below its first", { ...exponential, maxSeconds: 10 }, 1, 10 * SECOND, 10 * SECOND],
    ["fixed, at first", fixed, 1, MINUTE, 2 * MINUTE - 1],
    ["fixed, later", fixed, 50, MINUTE, 2 * MINUTE - 1],
    ["fixed, its jitter capped", { ...fixed, maxSeconds: 90 }, 2, MINUTE, 90 * SECOND],
    ["fixed, its jitter one second short", { ...fixed, maxSeconds: 61 }, 2, MINUTE, 61 * SECOND],
    ["fixed, no room for jitter", { ...fixed, maxSeconds: 60 }, 2, MINUTE, MINUTE],
    ["fixed, without jitter", { ...fixed, jitter: false }, 2, MINUTE, MINUTE],
    ["fixed, never less than it says", { ...fixed, maxSeconds: 59 }, 2, MINUTE, MINUTE],
    ["list, the first", list, 1, MINUTE, MINUTE],
    ["list, the second", list, 2, 5 * MINUTE, 5 * MINUTE],
    ["list, the last", list, 4, 2 * HOUR, 2 * HOUR],
    ["list, the last again", list, 5, 2 * HOUR, 2 * HOUR],
    ["list, the last for good", list, 50, 2 * HOUR, 2 * HOUR],
    ["list, of one", { type: "list", delaysSeconds: [7] }, 3, 7 * SECOND, 7 * SECOND],
    ["list, which may go down", { type: "list", delaysSeconds: [600, 1] }, 2, SECOND, SECOND],
    ["list, and may be at once", { type: "list", delaysSeconds: [0, 1] }, 1, 0, 0],
  ])("%s", (_, backoff, failures, least, most) => {
    expect(delays(backoff, failures)).toEqual([least, most]);
  });

  it("spreads evenly, in whole milliseconds", () => {
    expect(retryDelayMs(exponential, 1, 0.5, null)).toBe(45 * SECOND);
    expect(retryDelayMs(fixed, 1, 0.123_456, null)).toBe(67_407);
  });

  it("gives way to a longer Retry-After, up to an hour, even beyond its maximum", () => {
    const short: Backoff = { type: "fixed", initialSeconds: 10, maxSeconds: 10, jitter: false };
    expect(retryDelayMs(short, 1, LEAST, 10_001)).toBe(10_001);
    expect(retryDelayMs(short, 1, LEAST, 9_999)).toBe(10_000);
    expect(retryDelayMs(short, 1, LEAST, 2 * HOUR)).toBe(HOUR);
    expect(retryDelayMs(list, 1, LEAST, MINUTE + 1)).toBe(MINUTE + 1);
    expect(retryDelayMs(exponential, 2, LEAST, MINUTE + 1)).toBe(MINUTE + 1);
  });

  it("is not shortened by a Retry-After", () => {
    expect(retryDelayMs(list, 4, LEAST, 5 * HOUR)).toBe(2 * HOUR);
    expect(retryDelayMs(list, 4, LEAST, 0)).toBe(2 * HOUR);
  });
});

describe("what a target asks for", () => {
  it("is a lower bound: the longer of the two counts", () => {
    expect(retryDelayMs(null, 1, LEAST, 999)).toBe(1_000);
    expect(retryDelayMs(null, 1, LEAST, 1_001)).toBe(1_001);
    expect(retryDelayMs(null, 1, LEAST, null)).toBe(1_000);
  });

  it("is heeded up to an hour", () => {
    expect(retryDelayMs(null, 1, LEAST, HOUR - 1)).toBe(HOUR - 1);
    expect(retryDelayMs(null, 1, LEAST, HOUR + 1)).toBe(HOUR);
    expect(retryDelayMs(null, 1, LEAST, Number.POSITIVE_INFINITY)).toBe(HOUR);
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
