// When a cron expression fires in a time zone. What happens when clocks are put forward or back is contract §6.

import { type CronFields, plainCron, readCron } from "./cron-fields.ts";
import { err, ok, type Result } from "./result.ts";
import { clockChangeAfter, instantOfWallClock, wallClockAt } from "./time-zone.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** No clock change is this large: those across the date line are of 24 hours. */
const MAX_SHIFT = 2 * DAY;
/** The Gregorian calendar repeats after 400 years: a date that does not come within them never does. */
const CALENDAR_CYCLE = 146_097 * DAY;

/** @returns the expression in its plain form, or what is wrong with it */
export function parseCron(expression: string): Result<string, string> {
  const plain = plainCron(expression);
  const fields = readCron(plain);
  if (!fields.ok) return fields;
  return firstMatch(fields.value, 0) === undefined ? err("Never fires: no date matches it.") : ok(plain);
}

/**
 * The first moment after `after` at which the expression fires; both in epoch milliseconds.
 *
 * @param expression as `parseCron` returned it
 * @returns undefined when there is none
 */
export function nextCronTick(expression: string, timeZone: string, after: number): number | undefined {
  const fields = fieldsOf(expression);
  return fields.inRealTime ? nextInRealTime(fields, timeZone, after) : nextOnTheClock(fields, timeZone, after);
}

/** The expression read last: a caller that counts ticks asks for the same one again and again. */
let last: { readonly expression: string; readonly fields: CronFields } | undefined;

function fieldsOf(expression: string): CronFields {
  if (last?.expression === expression) return last.fields;
  const fields = readCron(expression);
  if (!fields.ok) throw new Error("not an expression that parseCron returned");
  last = { expression, fields: fields.value };
  return fields.value;
}

/** Each time on the clock fires once: at the first moment it is shown, or after the gap if it never is. */
function nextOnTheClock(fields: CronFields, timeZone: string, after: number): number | undefined {
  let local = firstMatch(fields, wallClockAt(after, timeZone) + 1);
  while (local !== undefined) {
    const at = instantOfWallClock(local, timeZone);
    if (at > after) return at;
    local = firstMatch(fields, local + 1);
  }
  return undefined;
}

/** Every moment whose time on the clock matches: two if it comes twice, none if it is skipped. */
function nextInRealTime(fields: CronFields, timeZone: string, after: number): number | undefined {
  let from = after + 1;
  for (;;) {
    const offset = wallClockAt(from, timeZone) - from;
    const local = firstMatch(fields, from + offset);
    if (local === undefined) return undefined;
    const at = local - offset;
    const change = clockChangeAfter(from, timeZone);
    if (change === undefined || at < change) return at;
    // Only a change near `from` shows earlier times again, and only those near `at` can move the match: skip the others.
    from = change - from < MAX_SHIFT ? change : Math.max(change, at - MAX_SHIFT);
  }
}

/** The first minute that matches on a calendar without clock changes, at `from` or later. */
function firstMatch(fields: CronFields, from: number): number | undefined {
  let at = Math.ceil(from / MINUTE) * MINUTE;
  const end = at + CALENDAR_CYCLE;
  while (at < end) {
    const date = new Date(at);
    if (!fields.months.has(date.getUTCMonth() + 1)) at = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1);
    else if (!matchesDay(fields, date)) at = startOfNext(DAY, at);
    else if (!fields.hours.has(date.getUTCHours())) at = startOfNext(HOUR, at);
    else if (!fields.minutes.has(date.getUTCMinutes())) at += MINUTE;
    else return at;
  }
  return undefined;
}

const startOfNext = (unit: number, at: number): number => (Math.floor(at / unit) + 1) * unit;

function matchesDay({ days, weekdays, needsBothDays }: CronFields, date: Date): boolean {
  const day = days.has(date.getUTCDate());
  const weekday = weekdays.has(date.getUTCDay());
  return needsBothDays ? day && weekday : day || weekday;
}
