// The hour field decides what a clock change does (contract §6). Twenty zones, both changes, against a reference that
// shares nothing with the service: it reads the clock off `Intl` at each minute and knows the contract's rule by heart.

import { describe, expect, it } from "vitest";
import { nextCronTick } from "../../../src/domain/cron.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const YEAR = Date.UTC(2027, 0, 1);

/** Changes by an hour, by half of one, by two; at night and at midnight; north and south of the equator. */
const ZONES = [
  "Europe/London",
  "Europe/Dublin",
  "Europe/Berlin",
  "Europe/Chisinau",
  "Atlantic/Azores",
  "America/New_York",
  "America/Los_Angeles",
  "America/St_Johns",
  "America/Havana",
  "America/Santiago",
  "America/Nuuk",
  "Asia/Beirut",
  "Asia/Jerusalem",
  "Africa/Cairo",
  "Antarctica/Troll",
  "Australia/Sydney",
  "Australia/Adelaide",
  "Australia/Lord_Howe",
  "Pacific/Auckland",
  "Pacific/Chatham",
];

/** First those whose hour begins with `*`, then those that go by the clock. */
const EXPRESSIONS = [
  "* * * * *",
  "*/15 * * * *",
  "0 * * * *",
  "45 * * * *",
  "10 */2 * * *",
  "30 */1 * * *",
  "5-59/7 *,4 * * *",
  "0,7,52 *,5-7 * * *",
  "3,33 */3,1 * * *",
  "*/10 */5,2-3 * * *",
  "0 */23 * * *",
  "20 * * * SUN",
  "*/20 * */2 * *",
  "0 */2 */1 * SAT-SUN",
  "30 0 * * *",
  "30 1 * * *",
  "15,45 2 * * *",
  "*/15 0-3 * * *",
  "*/30 23,0,1,2 * * *",
  "0 0-23 * * *",
  "*/15 0-23/1 * * *",
  "25 4,* * * *",
  "0,7,52 0,*/2 * * *",
  "59 23 * * *",
  "0 9 */2 * MON,FRI",
  "10 2 */1 * SAT-SUN",
];

/** The reference: a clock on the wall. */
class Clock {
  readonly #format: Intl.DateTimeFormat;
  readonly #seen = new Map<number, number>();

  constructor(timeZone: string) {
    const numeric = "numeric" as const;
    const date = { year: numeric, month: numeric, day: numeric } as const;
    const time = { hour: numeric, minute: numeric, second: numeric, hourCycle: "h23" } as const;
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone, calendar: "gregory", ...date, ...time });
  }

  /** What it shows, as if it were UTC. */
  at(moment: number): number {
    const seen = this.#seen.get(moment) ?? this.#read(moment);
    this.#seen.set(moment, seen);
    return seen;
  }

  #read(moment: number): number {
    const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = this.#format
      .formatToParts(moment)
      .flatMap(({ type, value }) => (type === "literal" ? [] : [Number(value)]));
    return Date.UTC(year, month - 1, day, hour, minute, second);
  }

  /** The minutes of a year at which it is changed, and by how much. */
  changes(from: number): { at: number; by: number }[] {
    const offset = (moment: number) => this.at(moment) - moment;
    const found: { at: number; by: number }[] = [];
    for (let day = from; day < from + 365 * DAY; day += DAY) {
      if (offset(day) === offset(day + DAY)) continue;
      let at = day;
      while (offset(at) === offset(day)) at += MINUTE;
      found.push({ at, by: offset(at) - offset(day) });
    }
    return found;
  }
}

/** The reference: whether a field holds a number. */
function holds(field: string, value: number, min: number, max: number): boolean {
  const names = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
  const number = (text: string) => (names.includes(text) ? names.indexOf(text) : Number(text));
  return field.split(",").some((part) => {
    const [range = "", step = "1"] = part.split("/");
    const [low = min, high = low] = range === "*" ? [min, max] : range.split("-").map(number);
    // SAT-SUN is Saturday and the Sunday after it.
    const top = high < low ? high + 7 : high;
    const candidate = high < low && value < low ? value + 7 : value;
    return candidate >= low && candidate <= top && (candidate - low) % Number(step) === 0;
  });
}

/** The reference: whether the clock's face matches. */
function matches(expression: string, local: number): boolean {
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = expression.split(" ");
  const face = new Date(local);
  const isDay = holds(day, face.getUTCDate(), 1, 31);
  const isWeekday = holds(weekday, face.getUTCDay(), 0, 6);
  const together = day[0] === "*" || weekday[0] === "*";
  return (
    holds(minute, face.getUTCMinutes(), 0, 59) &&
    holds(hour, face.getUTCHours(), 0, 23) &&
    holds(month, face.getUTCMonth() + 1, 1, 12) &&
    (together ? isDay && isWeekday : isDay || isWeekday)
  );
}

/** The reference: minute after minute, what fires. */
function referenceTicks(expression: string, clock: Clock, from: number, until: number): number[] {
  const byRealTime = expression.split(" ")[1]?.[0] === "*";
  const ticks: number[] = [];
  // The first time on the clock that has not been shown yet.
  let unseen = clock.at(from);
  for (let moment = from; moment < until; moment += MINUTE) {
    const shown = clock.at(moment);
    if (byRealTime) {
      if (matches(expression, shown)) ticks.push(moment);
      continue;
    }
    let fires = false;
    for (; unseen <= shown; unseen += MINUTE) fires ||= matches(expression, unseen);
    if (fires) ticks.push(moment);
  }
  return ticks;
}

function ticks(expression: string, zone: string, from: number, until: number): number[] {
  const found: number[] = [];
  let tick = nextCronTick(expression, zone, from - 1);
  while (tick !== undefined && tick < until) {
    found.push(tick);
    tick = nextCronTick(expression, zone, tick);
  }
  return found;
}

const readable = (moments: number[]): string[] => moments.map((moment) => new Date(moment).toISOString());

describe.each(ZONES)("%s", (zone) => {
  const clock = new Clock(zone);
  const changes = clock.changes(YEAR);

  it("is put forward once a year and back once", () => {
    expect(changes.map(({ by }) => Math.sign(by)).sort()).toEqual([-1, 1]);
  });

  it.each(EXPRESSIONS)("a day before to two days after each change: %s", (expression) => {
    let compared = 0;
    for (const { at } of changes) {
      const expected = referenceTicks(expression, clock, at - DAY, at + 2 * DAY);
      expect(readable(ticks(expression, zone, at - DAY, at + 2 * DAY))).toEqual(readable(expected));
      compared += expected.length;
    }
    expect(compared).toBeGreaterThan(0);
  });

  it("every 15 minutes is every 15 minutes, whatever the clock does", () => {
    for (const { at } of changes) {
      const found = ticks("*/15 * * * *", zone, at - DAY, at + DAY);
      expect(new Set(found.slice(1).map((tick, i) => tick - (found[i] ?? 0)))).toEqual(new Set([15 * MINUTE]));
    }
  });

  it("a moment in the middle of what comes twice is followed by the next one in real time", () => {
    const back = changes.find(({ by }) => by < 0);
    const at = back?.at ?? 0;
    for (const after of [at - 1, at, at + 1, at + 7 * MINUTE, at + 30 * MINUTE])
      expect(nextCronTick("*/15 * * * *", zone, after)).toBe((Math.floor(after / (15 * MINUTE)) + 1) * 15 * MINUTE);
  });
});
