// Clock changes in the way of a schedule: which runs they touch, and how. Pure, but for what the browser knows of time zones.

const MINUTE = 60_000;

/** A moment at which the clocks of a zone are changed. */
export interface ClockChange {
  readonly at: number;
  /** The offsets from UTC before and after it, in minutes. */
  readonly before: number;
  readonly after: number;
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** The offset of a zone from UTC at a moment, in minutes. UTC for a zone that the browser does not know. */
export function offsetAt(at: number, timeZone: string): number {
  const whole = Math.floor(at / 1_000) * 1_000;
  const parts = Object.fromEntries(
    formatOf(timeZone)
      .formatToParts(whole)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
  return (Date.UTC(year, month - 1, day, hour, minute, second) - whole) / MINUTE;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known) return known;
  const fields = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
  const options = {
    ...fields,
    second: "numeric",
    hourCycle: "h23",
    calendar: "gregory",
    numberingSystem: "latn",
  } as const;
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en", { ...options, timeZone });
  } catch {
    format = new Intl.DateTimeFormat("en", { ...options, timeZone: "UTC" });
  }
  formats.set(timeZone, format);
  return format;
}

/** A change of the clocks between two moments that have different offsets; undefined if they have the same. */
export function changeBetween(from: number, to: number, timeZone: string): ClockChange | undefined {
  const before = offsetAt(from, timeZone);
  if (before === offsetAt(to, timeZone)) return undefined;
  let [low, high] = [from, to];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetAt(middle, timeZone) === before) low = middle;
    else high = middle;
  }
  return { at: high, before, after: offsetAt(high, timeZone) };
}

/** How a change of the clocks touches a run. */
export type Touch = "first after the gap" | "first of two" | "second of two";

/** A run of a schedule, with the change of the clocks between the run before and this one. */
export interface MarkedRun {
  readonly at: number;
  readonly change: ClockChange | undefined;
  readonly touch: Touch | undefined;
}

/** Longer than any change of the clocks has been. */
const FAR_MS = 26 * 60 * MINUTE;

export function markRuns(runs: readonly number[], timeZone: string): MarkedRun[] {
  return runs.map((at, i) => {
    const before = runs[i - 1];
    const change = before === undefined ? undefined : changeBetween(before, at, timeZone);
    return { at, change, touch: touchOf(at, timeZone) };
  });
}

function touchOf(at: number, timeZone: string): Touch | undefined {
  const last = changeBetween(at - FAR_MS, at, timeZone);
  if (last?.at === at && last.after > last.before) return "first after the gap";
  if (last && last.after < last.before && at < last.at + (last.before - last.after) * MINUTE) return "second of two";
  const next = changeBetween(at, at + FAR_MS, timeZone);
  if (next && next.after < next.before && at >= next.at - (next.before - next.after) * MINUTE) return "first of two";
  return undefined;
}

/** `01:00`, as the clock shows it with that offset. */
export const clockAt = (at: number, offsetMinutes: number): string =>
  new Date(at + offsetMinutes * MINUTE).toISOString().slice(11, 16);

const dayAt = (at: number, offsetMinutes: number): string =>
  new Date(at + offsetMinutes * MINUTE).toISOString().slice(0, 10);

/** What happens to the clocks: `Clocks go forward on 2027-03-28: 01:00 becomes 02:00.` */
export function wordsOfChange({ at, before, after }: ClockChange): string {
  const way = after > before ? "forward" : "back";
  return `Clocks go ${way} on ${dayAt(at, before)}: ${clockAt(at, before)} becomes ${clockAt(at, after)}.`;
}

/** What that means for the run: why its time is not the usual one, or which of two it is. */
export function wordsOfTouch(touch: Touch): string {
  switch (touch) {
    case "first after the gap":
      return "The first moment after the hour that does not exist that day.";
    case "first of two":
      return "This time comes twice that day; this is the first.";
    case "second of two":
      return "This time comes twice that day; this is the second.";
  }
}
