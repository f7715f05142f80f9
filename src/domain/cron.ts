// Cron expressions in a time zone. croner walks the calendar in local time, Temporal knows the zones; what happens when
// a clock is put forward or back is ours (contract §6): a local time that does not exist is the first moment after the
// gap, one that exists twice is its first.

import { Cron } from "croner";
import { Temporal } from "temporal-polyfill";
import { err, ok, type Result } from "./result.ts";

const FIELD = /^[\d*,\-/A-Za-z]+$/;
const ACCEPTED =
  "five fields: minute hour day month weekday, each a number, *, a list, a range, a step, or a name (JAN, MON)";

/** @returns the expression in its plain form, or what is wrong with it */
export function parseCron(expression: string): Result<string, string> {
  const fields = expression.trim().split(/\s+/);
  if (fields.length !== 5)
    return err(`Must be ${ACCEPTED}. Seconds, years and macros such as @daily are not accepted.`);
  if (!fields.every((field) => FIELD.test(field)) || /[LW](?![A-Z])|#/i.test(withoutNames(fields)))
    return err(`Must be ${ACCEPTED}.`);
  const plain = fields.join(" ").toUpperCase();
  try {
    return localCron(plain).nextRun(new Date(0)) ? ok(plain) : err("Never fires: no date matches it.");
  } catch (fault) {
    return err(`Is not valid: ${fault instanceof Error ? fault.message.replace(/^CronPattern: /, "") : ACCEPTED}`);
  }
}

const withoutNames = (fields: readonly string[]): string =>
  fields.join(" ").replace(/JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC|SUN|MON|TUE|WED|THU|FRI|SAT/gi, "");

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

const localCron = (expression: string): Cron => new Cron(expression, { timezone: "UTC", mode: "5-part" });
