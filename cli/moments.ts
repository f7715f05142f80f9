// Times and spans for people.

const UNITS = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
] as const;

/** `3 min`, `2 h 5 min`: at most two units, rounded down. */
export function span(ms: number): string {
  const first = UNITS.findIndex(([unitMs]) => ms >= unitMs);
  if (first === -1) return `${Math.max(0, Math.floor(ms))} ms`;
  const [unitMs, name] = UNITS[first] ?? UNITS[3];
  const whole = `${Math.floor(ms / unitMs)} ${name}`;
  const next = UNITS[first + 1];
  const rest = next === undefined ? 0 : Math.floor((ms % unitMs) / next[0]);
  return rest === 0 || next === undefined ? whole : `${whole} ${rest} ${next[1]}`;
}

/** `in 2 h`, `3 min ago`, `now`. */
export function relative(at: Date | null, now: number): string {
  if (at === null) return "";
  const ms = at.getTime() - now;
  if (Math.abs(ms) < 1_000) return "now";
  return ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}

/** The moment, and how far away it is. */
export const moment = (at: Date | null, now: number): string =>
  at === null ? "" : `${at.toISOString()} (${relative(at, now)})`;
