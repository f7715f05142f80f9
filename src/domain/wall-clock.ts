// A date and time as a clock on the wall shows it, without an offset (contract §2). time-zone.ts turns it into an instant.

/** What a clock shows, as epoch milliseconds as if it were UTC. Only a time zone makes it an instant. */
export type WallClock = number;

const LOCAL = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/;

/**
 * Reads an ISO 8601 date and time without an offset, such as `2027-03-28T09:00`. Seconds and their fraction are optional.
 * A text with a date or time that does not exist (30 February, 24:01, a leap second) is refused.
 *
 * @returns the time, cut to the millisecond; undefined when the text is none
 */
export function parseWallClock(text: string): WallClock | undefined {
  const match = LOCAL.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = "0", fraction = ""] = match;
  const [Y, M, D, h, m, s] = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (M < 1 || M > 12 || D < 1 || D > daysIn(Y, M) || h > 23 || m > 59 || s > 59) return undefined;
  const local = new Date(0);
  local.setUTCFullYear(Y, M - 1, D);
  return local.setUTCHours(h, m, s, Number(fraction.padEnd(3, "0").slice(0, 3)));
}

function daysIn(year: number, month: number): number {
  const lastDay = new Date(0);
  lastDay.setUTCFullYear(year, month, 0);
  return lastDay.getUTCDate();
}
