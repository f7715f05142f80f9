// What a cron expression may say, and what is said to somebody who wrote another one (contract §6).

import { describe, expect, it } from "vitest";
import { isTimeZone, nextCronTick, parseCron } from "../../../src/domain/cron.ts";
import { iso, NOON } from "./a-schedule.ts";

/** 2030-01-01 is a Tuesday. */
function fires(expression: string, count: number): string[] {
  const ticks: string[] = [];
  for (let at = nextCronTick(expression, "UTC", NOON); at && ticks.length < count; ) {
    ticks.push(iso(at).slice(0, 16));
    at = nextCronTick(expression, "UTC", at);
  }
  return ticks;
}

const ACCEPTED: [string, string, string[]][] = [
  ["every minute", "* * * * *", ["2030-01-01T12:01", "2030-01-01T12:02"]],
  ["a fixed time", "30 9 * * *", ["2030-01-02T09:30", "2030-01-03T09:30"]],
  ["a list", "0,10,50 12 * * *", ["2030-01-01T12:10", "2030-01-01T12:50", "2030-01-02T12:00"]],
  ["a range", "0 22-23 * * *", ["2030-01-01T22:00", "2030-01-01T23:00", "2030-01-02T22:00"]],
  ["a range of one", "5-5 12 * * *", ["2030-01-01T12:05", "2030-01-02T12:05"]],
  ["a step", "*/25 12 * * *", ["2030-01-01T12:25", "2030-01-01T12:50", "2030-01-02T12:00"]],
  ["a step in a range", "10-50/20 12 * * *", ["2030-01-01T12:10", "2030-01-01T12:30", "2030-01-01T12:50"]],
  ["a step longer than its range", "10-20/30 12 * * *", ["2030-01-01T12:10", "2030-01-02T12:10"]],
  ["all of these in one list", "1,5-6,*/30 12 * * *", ["2030-01-01T12:01", "2030-01-01T12:05", "2030-01-01T12:06"]],
  ["leading zeros", "05 09 01 02 *", ["2030-02-01T09:05", "2031-02-01T09:05"]],
  ["the bounds of each field", "59 23 31 12 *", ["2030-12-31T23:59", "2031-12-31T23:59"]],
  ["months by number", "0 0 1 3,4 *", ["2030-03-01T00:00", "2030-04-01T00:00"]],
  ["months by name", "0 0 1 MAR,APR *", ["2030-03-01T00:00", "2030-04-01T00:00"]],
  ["a range of months by name", "0 0 1 NOV-DEC *", ["2030-11-01T00:00", "2030-12-01T00:00"]],
  ["weekdays by name", "0 0 * * MON,WED", ["2030-01-02T00:00", "2030-01-07T00:00"]],
  ["a range of weekdays by name", "0 0 * * SAT-SUN", ["2030-01-05T00:00", "2030-01-06T00:00"]],
  ["a range of one day by name", "0 0 * * SUN-SUN", ["2030-01-06T00:00", "2030-01-13T00:00"]],
  ["0 as Sunday", "0 0 * * 0", ["2030-01-06T00:00", "2030-01-13T00:00"]],
  ["7 as Sunday", "0 0 * * 7", ["2030-01-06T00:00", "2030-01-13T00:00"]],
  ["a range up to 7", "0 0 * * 6-7", ["2030-01-05T00:00", "2030-01-06T00:00"]],
  ["a range from 0", "0 0 * * 0-1", ["2030-01-06T00:00", "2030-01-07T00:00"]],
  ["a leap day", "0 0 29 2 *", ["2032-02-29T00:00", "2036-02-29T00:00"]],
  ["the 31st, in months that have one", "0 0 31 * *", ["2030-01-31T00:00", "2030-03-31T00:00"]],
  ["names in lower case", "0 0 * jan mon-tue", ["2030-01-07T00:00", "2030-01-08T00:00"]],
  ["names in any case", "0 0 * Jan Mon", ["2030-01-07T00:00", "2030-01-14T00:00"]],
];

it.each(ACCEPTED)("takes %s: %s", (_, expression, ticks) => {
  const parsed = parseCron(expression);
  expect(parsed.ok).toBe(true);
  expect(fires(parsed.ok ? parsed.value : "", ticks.length)).toEqual(ticks);
});

describe("when both the day of the month and the weekday are given, either is enough", () => {
  it.each<[string, string[]]>([
    ["0 0 13 * FRI", ["2030-01-04T00:00", "2030-01-11T00:00", "2030-01-13T00:00"]],
    ["0 0 1,2 * 3", ["2030-01-02T00:00", "2030-01-09T00:00"]],
    ["0 0 29 2 MON", ["2030-02-04T00:00", "2030-02-11T00:00"]],
    ["0 0 30 2 MON", ["2030-02-04T00:00", "2030-02-11T00:00"]],
  ])("%s", (expression, ticks) => {
    expect(parseCron(expression).ok).toBe(true);
    expect(fires(expression, ticks.length)).toEqual(ticks);
  });

  it.each<[string, string[]]>([
    ["0 0 * * FRI", ["2030-01-04T00:00", "2030-01-11T00:00"]],
    ["0 0 13 * *", ["2030-01-13T00:00", "2030-02-13T00:00"]],
  ])("and * alone stands for no wish: %s", (expression, ticks) => {
    expect(fires(expression, ticks.length)).toEqual(ticks);
  });
});

it("a leap day jumps over a year that has none: 2096 is followed by 2104", () => {
  expect(iso(nextCronTick("0 0 29 2 *", "UTC", Date.UTC(2096, 1, 29)) ?? 0)).toBe("2104-02-29T00:00:00.000Z");
});

it("blanks and tabs around the fields are evened out, names are in upper case from then on", () => {
  expect(parseCron("  0\t9  * jan\t mon ")).toEqual({ ok: true, value: "0 9 * JAN MON" });
});

const FIVE_FIELDS = "Must be five fields: minute hour day month weekday";

const REFUSED: [string, string, string][] = [
  ["nothing", "", FIVE_FIELDS],
  ["blanks only", "   ", FIVE_FIELDS],
  ["four fields", "0 9 * *", FIVE_FIELDS],
  ["seconds", "0 0 9 * * *", "Seconds, years and macros such as @daily are not accepted."],
  ["years", "0 0 9 * * * 2030", "Seconds, years and macros such as @daily are not accepted."],
  ["macros", "@daily", "Seconds, years and macros such as @daily are not accepted."],
  ["reboot", "@reboot", "Seconds, years and macros such as @daily are not accepted."],
  ["L for the last day", "0 0 L * *", "Other characters such as L, W, # and ? are not accepted."],
  ["L with an offset", "0 0 L-2 * *", "Other characters such as L, W, # and ? are not accepted."],
  ["L for the last weekday", "0 0 * * 5L", "Other characters such as L, W, # and ? are not accepted."],
  ["a name with L", "0 0 * * FRIL", "Other characters such as L, W, # and ? are not accepted."],
  ["W", "0 0 15W * *", "Other characters such as L, W, # and ? are not accepted."],
  ["LW", "0 0 LW * *", "Other characters such as L, W, # and ? are not accepted."],
  ["#", "0 0 * * 5#2", "Other characters such as L, W, # and ? are not accepted."],
  ["?", "0 0 ? * *", "Other characters such as L, W, # and ? are not accepted."],
  ["+", "0 0 1 * +MON", "Other characters such as L, W, # and ? are not accepted."],
  ["a fraction", "1.5 * * * *", "Other characters"],
  ["a minute too many", "60 * * * *", "The minute must be from 0 to 59, not 60."],
  ["an hour too many", "0 24 * * *", "The hour must be from 0 to 23, not 24."],
  ["day 0", "0 0 0 * *", "The day must be from 1 to 31, not 0."],
  ["day 32", "0 0 32 * *", "The day must be from 1 to 31, not 32."],
  ["month 0", "0 0 1 0 *", "The month must be from 1 to 12, not 0."],
  ["month 13", "0 0 1 13 *", "The month must be from 1 to 12, not 13."],
  ["weekday 8", "0 0 * * 8", "The weekday must be from 0 to 7, not 8."],
  ["a number out of bounds inside a list and a range", "0,5-75 * * * *", "The minute must be from 0 to 59, not 75."],
  ["a number of any length", `${"9".repeat(200)} * * * *`, "The minute must be from 0 to 59"],
  ["a reversed range", "0 17-9 * * *", "'17-9'"],
  ["a reversed range of names", "0 0 * * FRI-MON", "'5-1'"],
  ["a step of 0", "*/0 * * * *", "0"],
  ["a step longer than its field", "*/61 * * * *", "steps"],
  ["a step without its field", "/5 * * * *", "'/5'"],
  ["a step of a number", "5/10 * * * *", "'5/10'"],
  ["two steps", "*/5/2 * * * *", "'*/5/2'"],
  ["an open range", "5- * * * *", "range"],
  ["a negative number", "-5 * * * *", "range"],
  ["a range of three", "1-5-9 * * * *", "'1-5-9'"],
  ["an empty place in a list", "1,,2 * * * *", "minute"],
  ["a name in the wrong field", "0 0 * MON *", "MON"],
  ["a name written out", "0 0 * * MONDAY", "MONDAY"],
  ["another word", "0 0 * * soon", "SOON"],
  ["the 30th of February", "0 0 30 2 *", "Never fires: no date matches it."],
  ["the 31st of months that have none", "0 0 31 4,6,9,11 *", "Never fires: no date matches it."],
  ["a line break", "0\n9 * * *", FIVE_FIELDS],
  ["a line break at the end", "0 9 * * *\n", "Must be five fields"],
  ["a non-breaking blank", "0\u00a09 * * *", FIVE_FIELDS],
  ["a wide blank", "0\u30009 * * *", FIVE_FIELDS],
  ["digits of another script", "\u0660 9 * * *", "Other characters"],
];

it.each(REFUSED)("refuses %s and says why: %j", (_, expression, words) => {
  const parsed = parseCron(expression);
  expect(parsed).toEqual({ ok: false, error: expect.stringContaining(words) });
});

it("no refusal takes long to be found", () => {
  const startedAt = performance.now();
  for (const [, expression] of REFUSED) parseCron(expression);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

it.each(["* * * * *", "0 0 29 2 *", "0 0 31 12 7", "0 0 29 2 1", "59 23 31 JAN-DEC/11 *", "*/59 */23 */31 */12 */7"])(
  "no expression is slow: a thousand ticks of %s in less than a second",
  (expression) => {
    const startedAt = performance.now();
    let at: number | undefined = NOON;
    for (let i = 0; i < 1_000 && at !== undefined; i++) at = nextCronTick(expression, "America/New_York", at);
    expect(performance.now() - startedAt).toBeLessThan(1_000);
  },
);

describe("a time zone", () => {
  it("may be any that the platform knows, and each of them can be reckoned with", () => {
    const zones = Intl.supportedValuesOf("timeZone");
    expect(zones.length).toBeGreaterThan(400);
    for (const zone of zones) {
      expect(isTimeZone(zone), zone).toBe(true);
      expect(nextCronTick("* * * * *", zone, NOON), zone).toBe(NOON + 60_000);
    }
  });

  it.each(["UTC", "utc", "europe/london", "Etc/GMT+5", "EST5EDT", "Asia/Calcutta", "GMT"])("may be %s", (zone) => {
    expect(isTimeZone(zone)).toBe(true);
    expect(nextCronTick("* * * * *", zone, NOON)).toBe(NOON + 60_000);
  });

  it.each(["", " ", "London", "Europe/Atlantis", "+01:00", "-0500", "5", "UTC ", " UTC", "UTC+1", "Z", "local", "\0"])(
    "may not be %j",
    (zone) => {
      expect(isTimeZone(zone)).toBe(false);
    },
  );
});
