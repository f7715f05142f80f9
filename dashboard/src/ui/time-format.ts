// Times as people read them. Pure: the zone and the present moment are arguments.

export type Zone = "utc" | "local";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const UNITS = [
  [DAY, "d"],
  [HOUR, "h"],
  [MINUTE, "min"],
  [SECOND, "s"],
] as const;

/** A length of time in its two largest units: `1 h 5 min`; below a second in milliseconds, below ten with one decimal. */
export function formatLength(ms: number): string {
  if (ms < 0) return `−${formatLength(-ms)}`;
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${Math.floor(ms / 100) / 10} s`;
  const at = UNITS.findIndex(([unit]) => ms >= unit);
  const [unit, name] = UNITS[at] ?? [SECOND, "s"];
  const whole = `${Math.floor(ms / unit)} ${name}`;
  const [smaller, smallerName] = UNITS[at + 1] ?? [];
  const rest = smaller === undefined ? 0 : Math.floor((ms % unit) / smaller);
  return rest === 0 || ms >= 10 * DAY ? whole : `${whole} ${rest} ${smallerName}`;
}

/** How far a moment lies from now, in its largest unit: `3 min ago`, `in 2 h`, `now` within a second and a half. */
export function formatDistance(at: number, now: number): string {
  const away = Math.abs(at - now);
  if (away < 1.5 * SECOND) return "now";
  const [unit, name] = UNITS.find(([size]) => away >= size) ?? [SECOND, "s"];
  const count = `${Math.floor(away / unit)} ${name}`;
  return at > now ? `in ${count}` : `${count} ago`;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** To the second: `2026-11-27 06:15:03 UTC`, or with the browser's offset. With milliseconds where they matter. */
export function formatExact(at: number, zone: Zone, { milliseconds = false } = {}): string {
  const offsetMinutes = zone === "utc" ? 0 : -new Date(at).getTimezoneOffset();
  const text = new Date(at + offsetMinutes * MINUTE).toISOString();
  const clock = `${text.slice(0, 10)} ${text.slice(11, milliseconds ? 23 : 19)}`;
  return `${clock} ${zone === "utc" ? "UTC" : offsetName(offsetMinutes)}`;
}

/** Only the time of day, to the minute. */
export const formatClock = (at: number, zone: Zone): string => formatExact(at, zone).slice(11, 16);

function offsetName(minutes: number): string {
  const away = Math.abs(minutes);
  return `${minutes < 0 ? "−" : "+"}${two(Math.floor(away / 60))}:${two(away % 60)}`;
}
