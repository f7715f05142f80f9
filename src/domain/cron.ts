// Cron expressions in a time zone. croner walks the calendar in local time, Temporal knows the zones; what happens when
// a clock is put forward or back is ours (contract §6): a local time that does not exist is the first moment after the
// gap, one that exists twice is its first.

import { Cron } from "croner";
import { Temporal } from "temporal-polyfill";
import { err, ok, type Result } from "./result.ts";

const FIELD = /^[\d*,\-/A-Za-z]+$/;
const NAMES = /JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT/g;
/** croner takes the second Sunday for 7, and all of it for the whole week. */
const SUNDAY_ALONE = /SUN-SUN(\/\d+)?/g;
const ACCEPTED =
  "five fields: minute hour day month weekday, each a number, *, a list, a range, a step, or a name (JAN, MON)";

/** What the numbers of each field may be; 0 and 7 are Sunday. */
const BOUNDS = [
  { field: "minute", min: 0, max: 59 },
  { field: "hour", min: 0, max: 23 },
  { field: "day", min: 1, max: 31 },
  { field: "month", min: 1, max: 12 },
  { field: "weekday", min: 0, max: 7 },
] as const;

/** @returns the expression in its plain form, or what is wrong with it */
export function parseCron(expression: string): Result<string, string> {
  const plain = expression
    .replace(/^[ \t]+|[ \t]+$/g, "")
    .replace(/[ \t]+/g, " ")
    .toUpperCase();
  const fields = plain.split(" ");
  if (fields.length !== 5)
    return err(`Must be ${ACCEPTED}. Seconds, years and macros such as @daily are not accepted.`);
  if (!fields.every((field) => FIELD.test(field)) || /[LW](?![A-Z])/.test(plain.replace(NAMES, "")))
    return err(`Must be ${ACCEPTED}. Other characters such as L, W, # and ? are not accepted.`);
  const outside = outOfBounds(fields);
  if (outside !== undefined) return err(outside);
  try {
    const read = plain.replace(SUNDAY_ALONE, "SUN");
    return localCron(read).nextRun(new Date(0)) ? ok(read) : err("Never fires: no date matches it.");
  } catch (fault) {
    return err(`Is not valid: ${fault instanceof Error ? fault.message.replace(/^CronPattern: /, "") : ACCEPTED}`);
  }
}

/** The first number that its field does not know. croner would name days and months one too low. */
function outOfBounds(fields: readonly string[]): string | undefined {
  for (const [i, { field, min, max }] of BOUNDS.entries()) {
    const numbers = fields[i]?.replace(/\/\d+/g, "").match(/\d+/g) ?? [];
    const outside = numbers.find((number) => Number(number) < min || Number(number) > max);
    if (outside !== undefined) return `The ${field} must be from ${min} to ${max}, not ${outside}.`;
  }
  return undefined;
}

/** Whether the platform's time zone database knows a name. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

/**
 * The first moment after `after` at which the expression fires; both in epoch milliseconds.
 *
 * @returns undefined when there is none
 */
export function nextCronTick(expression: string, timeZone: string, after: number): number | undefined {
  const cron = localCron(expression);
  let local = cron.nextRun(new Date(localAt(after, timeZone)));
  while (local) {
    const at = momentOf(local.getTime(), timeZone);
    if (at > after) return at;
    local = cron.nextRun(local);
  }
  return undefined;
}

/** The clock on the wall, written as if it were UTC: a calendar without gaps for croner to walk in. */
function localAt(at: number, timeZone: string): number {
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone).toPlainDateTime();
  return local.toZonedDateTime("UTC").epochMilliseconds;
}

function momentOf(local: number, timeZone: string): number {
  const wanted = Temporal.Instant.fromEpochMilliseconds(local).toZonedDateTimeISO("UTC").toPlainDateTime();
  const found = wanted.toZonedDateTime(timeZone, { disambiguation: "earlier" });
  if (found.toPlainDateTime().equals(wanted)) return found.epochMilliseconds;
  return found.getTimeZoneTransition("next")?.epochMilliseconds ?? found.epochMilliseconds;
}

/** The expression read last: who counts ticks asks for the same one again and again. */
let last: { readonly expression: string; readonly cron: Cron } | undefined;

/** An offset of 0 and not the zone "UTC": croner walks nine times as fast without asking for a zone. */
function localCron(expression: string): Cron {
  if (last?.expression !== expression) {
    last = { expression, cron: new Cron(expression, { utcOffset: 0, mode: "5-part" }) };
  }
  return last.cron;
}
