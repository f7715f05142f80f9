// Which time zones there are, and that every one that is accepted can be computed with.

import { describe, expect, it } from "vitest";
import { nextCronTick } from "../../../src/domain/cron.ts";
import {
  clockChangeAfter,
  formatInZone,
  instantOfWallClock,
  isTimeZone,
  wallClockAt,
} from "../../../src/domain/time-zone.ts";
import { NOON } from "./a-schedule.ts";

/** Names of old Java that ICU, and so `Intl`, still knows. Temporal forbids them. */
const FORBIDDEN = [
  ...["ACT", "AET", "AGT", "ART", "AST", "BET", "BST", "CAT", "CNT", "CST", "CTT", "EAT", "ECT", "IET", "IST", "JST"],
  ...["MIT", "NET", "NST", "PLT", "PNT", "PRT", "PST", "SST", "VST"],
];
/** Links of the time zone database, which `Intl.supportedValuesOf` leaves out. */
const LINKS = [
  "UTC",
  "utc",
  "europe/london",
  "Etc/GMT+5",
  "EST5EDT",
  "EST",
  "MST",
  "Asia/Calcutta",
  "GMT",
  "US/Pacific",
];
const ZONES = Intl.supportedValuesOf("timeZone");

/** Everything that is ever asked of a zone. */
const uses: [string, (zone: string) => unknown][] = [
  ["a fixed hour", (zone) => nextCronTick("30 2 * * *", zone, NOON)],
  ["any hour", (zone) => nextCronTick("30 * * * *", zone, NOON)],
  ["the clock at a moment", (zone) => wallClockAt(NOON, zone)],
  ["the moment of a time on the clock", (zone) => instantOfWallClock(NOON, zone)],
  ["the next clock change", (zone) => clockChangeAfter(NOON, zone) ?? "never"],
  ["a moment, written out", (zone) => formatInZone(NOON, zone)],
];

it("the platform knows hundreds of zones, and `Intl` knows the forbidden names, too", () => {
  expect(ZONES.length).toBeGreaterThan(400);
  for (const name of FORBIDDEN) expect(() => new Intl.DateTimeFormat("en", { timeZone: name }), name).not.toThrow();
});

it.each(uses)("every zone that is accepted can be computed with: %s", (_, use) => {
  for (const zone of [...ZONES, ...LINKS]) {
    expect(isTimeZone(zone), zone).toBe(true);
    expect(use(zone), zone).toBeDefined();
  }
});

it.each(FORBIDDEN)("%s is no zone: Temporal cannot compute with it", (name) => {
  expect(isTimeZone(name)).toBe(false);
  expect(isTimeZone(name.toLowerCase())).toBe(false);
});

it("no name of three letters is accepted that cannot be computed with", () => {
  const letters = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"];
  const names = letters.flatMap((a) => letters.flatMap((b) => letters.map((c) => a + b + c)));
  const accepted = names.filter(isTimeZone);
  expect(accepted).toContain("UTC");
  for (const name of accepted) for (const [, use] of uses) expect(use(name), name).toBeDefined();
});

it.each([
  ...["", " ", "London", "Europe/Atlantis", "+01:00", "-0500", "5", "UTC ", " UTC", "UTC+1", "Z", "local", "\0"],
  ...["2030-01-01T00:00[Europe/London]", "[Europe/London]", "Europe/London[u-ca=iso8601]", "x".repeat(255)],
])("%j is no zone", (name) => {
  expect(isTimeZone(name)).toBe(false);
});

describe("a time on the clock", () => {
  const zone = "Europe/London";
  const clock = (text: string) => Date.parse(`${text}Z`);

  it.each<[string, string, string]>([
    ["is one moment", "2027-06-01T09:00", "2027-06-01T08:00Z"],
    ["that is skipped is the first moment after the gap", "2027-03-28T01:30", "2027-03-28T01:00Z"],
    ["that comes twice is its first moment", "2027-10-31T01:30", "2027-10-31T00:30Z"],
    ["just before those that come twice", "2027-10-31T00:59:59.999", "2027-10-30T23:59:59.999Z"],
    ["just after those that come twice", "2027-10-31T02:00", "2027-10-31T02:00Z"],
    ["to the millisecond, before a gap", "2027-03-28T00:59:59.999", "2027-03-28T00:59:59.999Z"],
    ["to the millisecond, at a gap's end", "2027-03-28T02:00", "2027-03-28T01:00Z"],
  ])("%s: %s", (_, wallClock, moment) => {
    expect(new Date(instantOfWallClock(clock(wallClock), zone)).toISOString()).toBe(new Date(moment).toISOString());
  });

  it("is what the clock shows at its moment", () => {
    expect(wallClockAt(Date.parse("2027-06-01T08:00Z"), zone)).toBe(clock("2027-06-01T09:00"));
    expect(formatInZone(Date.parse("2027-06-01T08:00Z"), zone)).toBe("2027-06-01T09:00:00.000+01:00");
  });
});
