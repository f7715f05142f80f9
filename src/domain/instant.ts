// Moments as they are written: ISO 8601 with an offset on the way in, UTC with milliseconds on the way out.

const ISO =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?([Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)$/;

/**
 * Reads an ISO 8601 date and time with an offset. What the calendar or the clock does not have (30 February, 24:01,
 * a leap second) is no instant.
 *
 * @returns epoch milliseconds, cut to the millisecond; undefined when the text is none
 */
export function parseInstant(text: string): number | undefined {
  const match = ISO.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second = "0", fraction = "", zone = "Z"] = match;
  const [Y, M, D, h, m, s] = [Number(year), Number(month), Number(day), Number(hour), Number(minute), Number(second)];
  if (M < 1 || M > 12 || D < 1 || D > daysIn(Y, M) || h > 23 || m > 59 || s > 59) return undefined;
  const local = new Date(0);
  local.setUTCFullYear(Y, M - 1, D);
  local.setUTCHours(h, m, s, Number(fraction.padEnd(3, "0").slice(0, 3)));
  return local.getTime() - offsetMs(zone);
}

/** `2026-01-15T09:00:00.000Z` */
export const formatInstant = (at: number): string => new Date(at).toISOString();

function daysIn(year: number, month: number): number {
  const lastDay = new Date(0);
  lastDay.setUTCFullYear(year, month, 0);
  return lastDay.getUTCDate();
}

function offsetMs(zone: string): number {
  if (zone === "Z" || zone === "z") return 0;
  const sign = zone.startsWith("-") ? -1 : 1;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(3).replace(":", ""));
  return sign * minutes * 60_000;
}
