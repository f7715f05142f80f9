// Times without an offset (contract §2): how they are read, and which instant they mean in a time zone. Two references share
// nothing with the service: a table made by Python (wall-clock-reference.py), and a search through `Intl`, minute by minute.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PROJECT } from "../../local/settings.ts";
import { formatInstant, parseInstant } from "../../src/domain/instant.ts";
import { instantOfWallClock } from "../../src/domain/time-zone.ts";
import { parseWallClock } from "../../src/domain/wall-clock.ts";
import { DAY, HOUR, MINUTE, NOON } from "./a-job.ts";
import { offsetAt } from "./schedules/reference.ts";

describe("a time on the wall", () => {
  it.each([
    ["2030-01-01T12:00", NOON],
    ["2030-01-01T12:00:00", NOON],
    ["2030-01-01t12:00:00", NOON],
    ["2030-01-01T12:00:00.000", NOON],
    ["2030-01-01T12:00:00.1", NOON + 100],
    ["2030-01-01T12:00:00,123", NOON + 123],
    ["2030-01-01T12:00:00.001999999", NOON + 1],
    ["2030-01-01T11:59:59.999", NOON - 1],
    ["2030-01-01T00:00", NOON - 12 * HOUR],
    ["2030-01-01T23:59:59.999", NOON + 12 * HOUR - 1],
    ["2028-02-29T00:00", Date.UTC(2028, 1, 29)],
    ["2000-02-29T00:00", Date.UTC(2000, 1, 29)],
    ["0099-01-01T00:00", new Date(0).setUTCFullYear(99, 0, 1)],
  ])("is read from %s", (text, wallClock) => {
    expect(parseWallClock(text)).toBe(wallClock);
  });

  it.each([
    ["with Z", "2030-01-01T12:00:00Z"],
    ["with z", "2030-01-01T12:00z"],
    ["with an offset", "2030-01-01T12:00:00+01:00"],
    ["with an offset of hours", "2030-01-01T12:00-05"],
    ["with a zone in brackets", "2030-01-01T12:00[Europe/London]"],
    ["with a zone behind it", "2030-01-01T12:00 Europe/London"],
    ["without a time", "2030-01-01"],
    ["without a date", "12:00:00"],
    ["without minutes", "2030-01-01T12"],
    ["with an open time", "2030-01-01T"],
    ["with a blank for the T", "2030-01-01 12:00:00"],
    ["with something before it", " 2030-01-01T12:00:00"],
    ["with something after it", "2030-01-01T12:00:00 "],
    ["with a line after it", "2030-01-01T12:00:00\n"],
    ["with open seconds", "2030-01-01T12:00:"],
    ["with an empty fraction", "2030-01-01T12:00:00."],
    ["with a fraction of a minute", "2030-01-01T12:00.5"],
    ["with ten digits of a second", "2030-01-01T12:00:00.1234567890"],
    ["with short fields", "2030-1-1T12:00:00"],
    ["with a short hour", "2030-01-01T9:00"],
    ["with half a day in letters", "2030-01-01T09:00 PM"],
    ["with digits of another script", "٢٠٣٠-01-01T12:00"],
    ["without separators", "20300101T120000"],
    ["in a week date", "2030-W01-2T12:00:00"],
    ["in a date of days", "2030-001T12:00"],
    ["in digits alone", "1893499200000"],
    ["of month 0", "2030-00-01T12:00"],
    ["of month 13", "2030-13-01T12:00"],
    ["of day 0", "2030-01-00T12:00"],
    ["on 32 January", "2030-01-32T12:00"],
    ["on 31 April", "2030-04-31T12:00"],
    ["on 30 February", "2028-02-30T12:00"],
    ["on a leap day of no leap year", "2030-02-29T12:00"],
    ["on a leap day of a century", "2100-02-29T12:00"],
    ["at 24 o'clock", "2030-01-01T24:00"],
    ["at minute 60", "2030-01-01T12:60"],
    ["at a leap second", "2030-12-31T23:59:60"],
    ["in a year of five digits", "12030-01-01T12:00"],
    ["in a year with a sign", "+002030-01-01T12:00"],
    ["of words", "tomorrow"],
    ["of nothing", ""],
  ])("%s is none", (_, text) => {
    expect(parseWallClock(text)).toBeUndefined();
  });

  it("is an instant in UTC once a Z is behind it, and never both without and with one", () => {
    const text = fc.oneof(
      fc.integer({ min: Date.UTC(0, 0, 1), max: Date.UTC(9999, 0, 1) }).map((at) => formatInstant(at).slice(0, -1)),
      fc.stringMatching(/^[0-9]{4}-[0-9]{2}-[0-3][0-9]T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,10})?)?$/),
    );
    fc.assert(
      fc.property(text, (local) => {
        expect(parseWallClock(local)).toBe(parseInstant(`${local}Z`));
        expect([parseInstant(local), parseWallClock(`${local}Z`)]).toEqual([undefined, undefined]);
      }),
    );
  });
});

interface Change {
  readonly zone: string;
  readonly at: string;
  readonly times: [wall: string, instant: string][];
}

/** The clock changes of the table, each with the times around it. */
const changes = [
  ...readFileSync(join(PROJECT, "test/rules/wall-clock-reference.tsv"), "utf8")
    .trim()
    .split("\n")
    .reduce((found, line) => {
      const [zone = "", at = "", wall = "", instant = ""] = line.split("\t");
      const change: Change = found.get(`${zone} ${at}`) ?? { zone, at, times: [] };
      change.times.push([wall, instant]);
      return found.set(`${zone} ${at}`, change);
    }, new Map<string, Change>())
    .values(),
];

describe("the instant of a time on the wall, as Python has it", () => {
  it("is compared around both changes of 20 zones in one year, and around odd ones of the past", () => {
    const inOneYear = changes.filter(({ at }) => at.startsWith("2027"));
    const zones = new Set(inOneYear.map(({ zone }) => zone));
    expect([zones.size, inOneYear.length]).toEqual([20, 40]);
    expect(changes.length - inOneYear.length).toBeGreaterThan(30);
    for (const { times } of changes) expect(times).toHaveLength(9);
  });

  it.each(changes)("$zone, changed at $at", ({ zone, times }) => {
    const found = times.map(([wall]) => [wall, formatInstant(instantOfWallClock(parseWallClock(wall) ?? 0, zone))]);
    expect(found).toEqual(times);
  });
});

const ZONES = Intl.supportedValuesOf("timeZone");
/** Half hours, midnights, skipped days, two hours, Ramadan, minus an hour in winter. */
const HARD = [
  "Africa/Cairo",
  "Africa/Casablanca",
  "America/Caracas",
  "America/Sao_Paulo",
  "America/St_Johns",
  "Antarctica/Troll",
  "Asia/Beirut",
  "Asia/Pyongyang",
  "Australia/Lord_Howe",
  "Europe/Dublin",
  "Pacific/Apia",
];

/** No clock is further from UTC, a skipped day included. */
const FARTHEST = 26 * HOUR;

/** The reference: the first minute that shows the time or, if none does, the first that shows a later one. */
function searched(wall: number, zone: string): number {
  const minute = Math.floor(wall / MINUTE) * MINUTE;
  const around = Array.from({ length: (2 * FARTHEST) / MINUTE }, (_, i) => minute - FARTHEST + i * MINUTE);
  const shows = (at: number) => at + offsetAt(zone, at);
  const shown = around.find((at) => shows(at) === minute);
  return shown === undefined ? (around.find((at) => shows(at) > minute) ?? 0) : shown + (wall - minute);
}

/** The time on the wall at which a clock is changed next, as it would be without the change; noon if it is not in a year. */
function wallAtChange(zone: string, day: number): number {
  for (let at = day; at < day + 366 * DAY; at += DAY) {
    const offset = offsetAt(zone, at);
    if (offset === offsetAt(zone, at + DAY)) continue;
    while (offsetAt(zone, at) === offset) at += MINUTE;
    return at + offset;
  }
  return day + 12 * HOUR;
}

it("the instant of a time on the wall is what a search through the minutes finds", { timeout: 60_000 }, () => {
  const zones = fc.oneof(fc.constantFrom(...HARD), fc.constantFrom(...ZONES));
  const days = fc.integer({ min: Date.UTC(2007, 0, 1) / DAY, max: Date.UTC(2040, 0, 1) / DAY });
  const near = fc.integer({ min: -90 * MINUTE, max: 90 * MINUTE });
  const far = fc.integer({ min: -FARTHEST, max: FARTHEST });
  let skipped = 0;
  let twice = 0;
  const property = fc.property(zones, days, fc.oneof({ weight: 4, arbitrary: near }, far), (zone, day, ms) => {
    const wall = wallAtChange(zone, day * DAY) + ms;
    const instant = instantOfWallClock(wall, zone);
    expect(formatInstant(instant), `${formatInstant(wall)} in ${zone}`).toBe(formatInstant(searched(wall, zone)));
    const minute = Math.floor(instant / MINUTE) * MINUTE;
    const offset = offsetAt(zone, minute);
    if (instant + offset !== wall) skipped++;
    else if (offset - offsetAt(zone, minute + HOUR) === HOUR) twice++;
  });
  fc.assert(property, { numRuns: 400 });
  expect(Math.min(skipped, twice), `${skipped} times are skipped, ${twice} come twice`).toBeGreaterThan(0);
});
