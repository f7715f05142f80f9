// Moments as they are written: ISO 8601 with an offset on the way in, UTC with milliseconds on the way out.

import { parseWallClock } from "./wall-clock.ts";

/** A date and time, and the offset behind it. */
const WITH_OFFSET = /^(.+?)([Zz]|[+-](?:[01]\d|2[0-3])(?::?[0-5]\d)?)$/;

/**
 * Reads an ISO 8601 date and time with an offset. What the calendar or the clock does not have (30 February, 24:01,
 * a leap second) is no instant.
 *
 * @returns epoch milliseconds, cut to the millisecond; undefined when the text is none
 */
export function parseInstant(text: string): number | undefined {
  const [, local = "", offset = ""] = WITH_OFFSET.exec(text) ?? [];
  const wallClock = parseWallClock(local);
  return wallClock === undefined ? undefined : wallClock - offsetMs(offset);
}

/** `2026-01-15T09:00:00.000Z` */
export const formatInstant = (at: number): string => new Date(at).toISOString();

function offsetMs(offset: string): number {
  if (offset === "Z" || offset === "z") return 0;
  const sign = offset.startsWith("-") ? -1 : 1;
  const minutes = Number(offset.slice(1, 3)) * 60 + Number(offset.slice(3).replace(":", ""));
  return sign * minutes * 60_000;
}
