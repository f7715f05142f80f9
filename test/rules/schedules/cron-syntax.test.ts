// What a cron expression may say, and what is said to somebody who wrote another one (contract §6).

import { describe, expect, it } from "vitest";
import { nextCronTick, parseCron } from "../../../src/domain/cron.ts";
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
    ["0 0 31,*/15 * 3", ["2030-01-02T00:00", "2030-01-09T00:00", "2030-01-16T00:00", "2030-01-23T00:00"]],
  ])("%s", (expression, ticks) => {
    expect(parseCron(expression).ok).toBe(true);
    expect(fires(expression, ticks.length)).toEqual(ticks);
  });
});

describe("a day field that begins with * restricts and adds nothing", () => {
  it.each<[string, string[]]>([
    ["0 0 * * FRI", ["2030-01-04T00:00", "2030-01-11T00:00"]],
    ["0 0 13 * *", ["2030-01-13T00:00", "2030-02-13T00:00"]],
    ["0 0 */1 * MON", ["2030-01-07T00:00", "2030-01-14T00:00", "2030-01-21T00:00"]],
    ["0 0 13 * */1", ["2030-01-13T00:00", "2030-02-13T00:00"]],
    ["0 0 */2 * MON", ["2030-01-07T00:00", "2030-01-21T00:00", "2030-02-11T00:00"]],
    ["0 0 1-7 * */7", ["2030-01-06T00:00", "2030-02-03T00:00", "2030-03-03T00:00"]],
    ["0 0 13 * */5", ["2030-01-13T00:00", "2030-09-13T00:00", "2030-10-13T00:00", "2030-12-13T00:00"]],
    ["0 0 *,13 * FRI", ["2030-01-04T00:00", "2030-01-11T00:00"]],
    ["0 0 */2 * */2", ["2030-01-03T00:00", "2030-01-05T00:00", "2030-01-13T00:00"]],
    ["0 0 29 2 */7", ["2032-02-29T00:00", "2060-02-29T00:00", "2088-02-29T00:00", "2128-02-29T00:00"]],
  ])("%s", (expression, ticks) => {
    expect(parseCron(expression).ok).toBe(true);
    expect(fires(expression, ticks.length)).toEqual(ticks);
  });
});

it("a leap day jumps over a year that has none: 2096 is followed by 2104", () => {
  expect(iso(nextCronTick("0 0 29 2 *", "UTC", Date.UTC(2096, 1, 29)) ?? 0)).toBe("2104-02-29T00:00:00.000Z");
});

it("blanks and tabs around the fields are evened out, names are in upper case from then on", () => {
  expect(parseCron("  0\t9  * jan\t mon ")).toEqual({ ok: true, value: "0 9 * JAN MON" });
});

const FIVE_FIELDS = "Must be five fields: minute hour day month weekday, such as `0 9 * * MON`.";
const NO_SECONDS = `${FIVE_FIELDS} Seconds and years are not accepted.`;
const WANTED = "Write a value, `*`, a range such as `1-5`, a step such as `*/5`, or a list of these.";

/** What is refused, and all that is said. */
const REFUSED: [string, string, string][] = [
  ["nothing", "", FIVE_FIELDS],
  ["blanks only", "   ", FIVE_FIELDS],
  ["four fields", "0 9 * *", FIVE_FIELDS],
  ["seconds", "0 0 9 * * *", NO_SECONDS],
  ["years", "0 0 9 * * * 2030", NO_SECONDS],
  ["more than any cron has", "0 0 9 * * * 2030 1", FIVE_FIELDS],
  ["@yearly", "@yearly", "`@yearly` is not accepted. Write `0 0 1 1 *`."],
  ["@annually", "@annually", "`@annually` is not accepted. Write `0 0 1 1 *`."],
  ["@monthly", "@monthly", "`@monthly` is not accepted. Write `0 0 1 * *`."],
  ["@weekly", "@weekly", "`@weekly` is not accepted. Write `0 0 * * 0`."],
  ["@daily", "@daily", "`@daily` is not accepted. Write `0 0 * * *`."],
  ["@daily in another case, among blanks", " @Daily ", "`@daily` is not accepted. Write `0 0 * * *`."],
  ["@midnight", "@midnight", "`@midnight` is not accepted. Write `0 0 * * *`."],
  ["@hourly", "@hourly", "`@hourly` is not accepted. Write `0 * * * *`."],
  ["@every", "@every 5m", "`@every` is not accepted. Give an `interval` in place of `cron`."],
  ["@reboot", "@reboot", `${FIVE_FIELDS} Nicknames that begin with @ are not accepted.`],
  ["a nickname nobody has", "@constructor", `${FIVE_FIELDS} Nicknames that begin with @ are not accepted.`],
  ["a zone", "TZ=Europe/London 0 9 * * *", "Give the time zone in `timezone`, not in `cron`."],
  ["a zone, as others write it", "CRON_TZ=UTC 0 9 * * *", "Give the time zone in `timezone`, not in `cron`."],
  ["L for the last day", "0 0 L * *", "The day must not use L, W, # or ?."],
  ["L with an offset", "0 0 L-2 * *", "The day must not use L, W, # or ?."],
  ["L for the last weekday", "0 0 * * 5L", "The weekday must not use L, W, # or ?."],
  ["a name with L", "0 0 * * FRIL", "The weekday must not use L, W, # or ?."],
  ["W", "0 0 15W * *", "The day must not use L, W, # or ?."],
  ["LW", "0 0 LW * *", "The day must not use L, W, # or ?."],
  ["#", "0 0 * * 5#2", "The weekday must not use L, W, # or ?."],
  ["?", "0 0 ? * *", "The day `?` is not accepted. Write `*`."],
  ["+", "0 0 1 * +MON", `The weekday cannot be read. ${WANTED}`],
  ["a fraction", "1.5 * * * *", `The minute cannot be read. ${WANTED}`],
  ["a minute too many", "60 * * * *", "The minute must be from 0 to 59, not 60."],
  ["an hour too many", "0 24 * * *", "The hour must be from 0 to 23, not 24."],
  ["day 0", "0 0 0 * *", "The day must be from 1 to 31, not 0."],
  ["day 32", "0 0 32 * *", "The day must be from 1 to 31, not 32."],
  ["month 0", "0 0 1 0 *", "The month must be from 1 to 12, not 0."],
  ["month 13", "0 0 1 13 *", "The month must be from 1 to 12, not 13."],
  ["weekday 8", "0 0 * * 8", "The weekday must be from 0 to 7, not 8."],
  ["a number out of bounds inside a list and a range", "0,5-75 * * * *", "The minute must be from 0 to 59, not 75."],
  ["a number of any length", `${"9".repeat(200)} * * * *`, `The minute must be from 0 to 59, not ${"9".repeat(200)}.`],
  ["a reversed range", "0 17-9 * * *", "The hour range `17-9` runs backwards. Write `17-23,0-9`."],
  ["a reversed range with a step", "50-9/5 * * * *", "The minute range `50-9` runs backwards. Write `50-59,0-9`."],
  ["a reversed range of days", "0 0 25-5 * *", "The day range `25-5` runs backwards. Write `25-31,1-5`."],
  ["a reversed range of names", "0 0 * * FRI-MON", "The weekday range `FRI-MON` runs backwards. Write `5-6,0-1`."],
  ["a range from the second Sunday", "0 0 * * 7-2", "The weekday range `7-2` runs backwards. Write `0-2`."],
  ["a step of 0", "*/0 * * * *", "The step of the minute must be from 1 to 60, not 0."],
  ["a step longer than its field", "*/61 * * * *", "The step of the minute must be from 1 to 60, not 61."],
  ["a step longer than a week", "0 0 * * */8", "The step of the weekday must be from 1 to 7, not 8."],
  ["a step without its field", "/5 * * * *", `The minute \`/5\` cannot be read. ${WANTED}`],
  ["a step without a number", "*/ * * * *", `The minute \`*/\` cannot be read. ${WANTED}`],
  ["a step of a number", "5/10 * * * *", "The minute `5/10` has a step without a range. Write `5-59/10`."],
  ["two steps", "*/5/2 * * * *", `The minute \`*/5/2\` cannot be read. ${WANTED}`],
  ["an open range", "5- * * * *", `The minute \`5-\` cannot be read. ${WANTED}`],
  ["a negative number", "-5 * * * *", `The minute \`-5\` cannot be read. ${WANTED}`],
  ["a range of three", "1-5-9 * * * *", `The minute \`1-5-9\` cannot be read. ${WANTED}`],
  ["a range from *", "*-5 * * * *", `The minute \`*-5\` cannot be read. ${WANTED}`],
  ["two stars", "** * * * *", `The minute \`**\` cannot be read. ${WANTED}`],
  ["an empty place in a list", "1,,2 * * * *", "The minute has an empty entry in its list."],
  ["a comma at the end", "0 0 * * MON,", "The weekday has an empty entry in its list."],
  ["a name where there are none", "MON 9 * * *", "The minute must be a number from 0 to 59, not `MON`."],
  [
    "a name in the wrong field",
    "0 0 * MON *",
    "The month must be a number from 1 to 12, or one of JAN, FEB, MAR, APR, MAY, JUN, JUL, AUG, SEP, OCT, NOV, DEC, not `MON`.",
  ],
  [
    "a name written out",
    "0 0 * * MONDAY",
    "The weekday must be a number from 0 to 7, or one of SUN, MON, TUE, WED, THU, FRI, SAT, not `MONDAY`.",
  ],
  ["a word with a digit", "0 0 * * MON1", `The weekday \`MON1\` cannot be read. ${WANTED}`],
  [
    "another word",
    "0 0 * * soon",
    "The weekday must be a number from 0 to 7, or one of SUN, MON, TUE, WED, THU, FRI, SAT, not `SOON`.",
  ],
  ["the 30th of February", "0 0 30 2 *", "Never fires: no date matches it."],
  ["the 30th of February, if it is an odd weekday", "0 0 30 2 */2", "Never fires: no date matches it."],
  ["the 31st of months that have none", "0 0 31 4,6,9,11 *", "Never fires: no date matches it."],
  ["a line break", "0\n9 * * *", FIVE_FIELDS],
  ["a line break at the end", "0 9 * * *\n", `The weekday cannot be read. ${WANTED}`],
  ["a non-breaking blank", "0\u00a09 * * *", FIVE_FIELDS],
  ["a wide blank", "0\u30009 * * *", FIVE_FIELDS],
  ["digits of another script", "\u0660 9 * * *", `The minute cannot be read. ${WANTED}`],
  ["a letter that is S only in upper case", "0 0 * * \u017fun", `The weekday cannot be read. ${WANTED}`],
];

it.each(REFUSED)("refuses %s and says why: %j", (_, expression, words) => {
  expect(parseCron(expression)).toEqual({ ok: false, error: words });
});

it("what a refusal says to write instead is accepted", () => {
  const instead = REFUSED.flatMap(([, , words]) =>
    [...words.matchAll(/Write `([^`]+)`/g)].map((match) => match[1] ?? ""),
  );
  expect(instead.length).toBeGreaterThan(10);
  for (const text of instead) {
    const expressions = text.includes(" ") ? [text] : [`${text} * * * *`, `0 0 ${text} * *`];
    expect(
      expressions.some((expression) => parseCron(expression).ok),
      text,
    ).toBe(true);
  }
});

it("no refusal takes long to be found", () => {
  const startedAt = performance.now();
  for (const [, expression] of REFUSED) parseCron(expression);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});

it.each([
  "* * * * *",
  "0 0 29 2 *",
  "0 * 29 2 */7",
  "0 0 31 12 7",
  "0 0 29 2 1",
  "59 23 31 JAN-DEC/11 *",
  "*/59 */23 */31 */12 */7",
])("no expression is slow: a thousand ticks of %s in less than a second", (expression) => {
  const startedAt = performance.now();
  let at: number | undefined = NOON;
  for (let i = 0; i < 1_000 && at !== undefined; i++) at = nextCronTick(expression, "America/New_York", at);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
