// Time zones: which names exist, and how a moment and the clock on the wall translate into each other (contract §2, §6).
// Nothing else imports Temporal, so a name that is accepted here can be computed with everywhere.

import { Temporal } from "temporal-polyfill";
import type { WallClock } from "./wall-clock.ts";

/** Whether times can be computed in a zone of this name. `Intl` knows more names, such as `PST`, that Temporal refuses. */
export function isTimeZone(name: string): boolean {
  // Temporal also takes offsets, and a whole date with a zone in brackets.
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    return Number.isFinite(wallClockAt(0, name));
  } catch {
    return false;
  }
}

/** What the clock of a zone shows at a moment. */
export function wallClockAt(at: number, timeZone: string): WallClock {
  const local = zoned(at, timeZone).toPlainDateTime();
  return local.toZonedDateTime("UTC").epochMilliseconds;
}

/**
 * The moment at which the clock of a zone shows a time: the first one if it comes twice, the first moment after the gap
 * if a clock change skips it. Jobs and schedules share this rule (contract §2, §6).
 *
 * @returns epoch milliseconds
 */
export function instantOfWallClock(wallClock: WallClock, timeZone: string): number {
  const wanted = zoned(wallClock, "UTC").toPlainDateTime();
  const found = wanted.toZonedDateTime(timeZone, { disambiguation: "earlier" });
  if (found.toPlainDateTime().equals(wanted)) return found.epochMilliseconds;
  // In a gap, "earlier" is a moment before the change.
  return clockChangeAfter(found.epochMilliseconds, timeZone) ?? found.epochMilliseconds;
}

/** The first moment after another at which the clock of a zone is changed; undefined if it never is again. */
export function clockChangeAfter(at: number, timeZone: string): number | undefined {
  return zoned(at, timeZone).getTimeZoneTransition("next")?.epochMilliseconds;
}

/** A moment as the clock of a zone shows it, with its offset: `2026-03-29T02:00:00.000+01:00` */
export function formatInZone(at: number, timeZone: string): string {
  return zoned(at, timeZone).toString({ fractionalSecondDigits: 3, timeZoneName: "never" });
}

const zoned = (at: number, timeZone: string) => Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
