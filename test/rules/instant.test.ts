import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatInstant, parseInstant } from "../../src/domain/instant.ts";
import { NOON } from "./a-job.ts";

describe("an instant", () => {
  it.each([
    ["2030-01-01T12:00:00Z", NOON],
    ["2030-01-01T12:00:00.000Z", NOON],
    ["2030-01-01T12:00Z", NOON],
    ["2030-01-01t12:00:00z", NOON],
    ["2030-01-01T12:00:00+00:00", NOON],
    ["2030-01-01T12:00:00-00:00", NOON],
    ["2030-01-01T14:00:00+02:00", NOON],
    ["2030-01-01T14:00:00+0200", NOON],
    ["2030-01-01T14:00:00+02", NOON],
    ["2030-01-01T17:30:00+05:30", NOON],
    ["2030-01-01T17:30:00+0530", NOON],
    ["2030-01-02T08:00:00+20:00", NOON],
    ["2030-01-01T06:30:00-05:30", NOON],
    ["2030-01-02T11:59:00+23:59", NOON],
    ["2029-12-31T23:00:00-13:00", NOON],
    ["2030-01-01T12:00:00.1Z", NOON + 100],
    ["2030-01-01T12:00:00,123Z", NOON + 123],
    ["2030-01-01T12:00:00.001999999Z", NOON + 1],
    ["2030-01-01T11:59:59.999Z", NOON - 1],
    ["2028-02-29T00:00:00Z", Date.UTC(2028, 1, 29)],
    ["2000-02-29T00:00:00Z", Date.UTC(2000, 1, 29)],
    ["2030-12-31T23:59:59Z", Date.UTC(2030, 11, 31, 23, 59, 59)],
    ["0099-01-01T00:00:00Z", new Date(0).setUTCFullYear(99, 0, 1)],
  ])("%s is read", (text, at) => {
    expect(parseInstant(text)).toBe(at);
  });

  it.each([
    ["without an offset", "2030-01-01T12:00:00"],
    ["without a time", "2030-01-01"],
    ["with a blank for the T", "2030-01-01 12:00:00Z"],
    ["with something before it", " 2030-01-01T12:00:00Z"],
    ["with something after it", "2030-01-01T12:00:00Z\n"],
    ["with an empty fraction", "2030-01-01T12:00:00.Z"],
    ["with ten digits of a second", "2030-01-01T12:00:00.1234567890Z"],
    ["with short fields", "2030-1-1T12:00:00Z"],
    ["in a week date", "2030-W01-2T12:00:00Z"],
    ["in digits alone", "1893499200000"],
    ["of month 0", "2030-00-01T12:00:00Z"],
    ["of month 13", "2030-13-01T12:00:00Z"],
    ["of day 0", "2030-01-00T12:00:00Z"],
    ["on 32 January", "2030-01-32T12:00:00Z"],
    ["on 31 April", "2030-04-31T12:00:00Z"],
    ["on 30 February", "2028-02-30T12:00:00Z"],
    ["on a leap day of no leap year", "2030-02-29T12:00:00Z"],
    ["on a leap day of a century", "2100-02-29T12:00:00Z"],
    ["at 24 o'clock", "2030-01-01T24:00:00Z"],
    ["at minute 60", "2030-01-01T12:60:00Z"],
    ["at a leap second", "2030-12-31T23:59:60Z"],
    ["at an offset of 24 hours", "2030-01-01T12:00:00+24:00"],
    ["at an offset of 60 minutes", "2030-01-01T12:00:00+01:60"],
    ["in a year of five digits", "12030-01-01T12:00:00Z"],
    ["of words", "tomorrow"],
    ["of nothing", ""],
  ])("%s is none", (_, text) => {
    expect(parseInstant(text)).toBeUndefined();
  });

  it("is written in UTC with milliseconds, and read back the same", () => {
    expect(formatInstant(NOON)).toBe("2030-01-01T12:00:00.000Z");
    const written = fc.date({ min: new Date("0000-01-01T00:00:00Z"), max: new Date("9999-12-31T23:59:59.999Z") });
    fc.assert(
      fc.property(
        written.filter((date) => !Number.isNaN(date.getTime())),
        (date) => {
          expect(parseInstant(formatInstant(date.getTime()))).toBe(date.getTime());
        },
      ),
    );
  });
});
