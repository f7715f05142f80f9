// Reads the wall clock of a time zone.

/** The local date and time at a moment, as milliseconds: the moment at which a clock in UTC shows the same. */
export function wallClockMs(at: number, timeZone: string): number {
  const whole = Math.floor(at / 1_000) * 1_000;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    numberingSystem: "latn",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  const parts = new Map(format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]));
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.get(name) ?? 0;
  const shown = Date.UTC(part("year"), part("month") - 1, part("day"), part("hour"), part("minute"), part("second"));
  return shown + (at - whole);
}
