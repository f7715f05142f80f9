// How a schedule recurs, and when its runs are, in words. Pure.

import type { Schedule } from "../../api/schedule.ts";

/** `every 6 hours`, `every minute` */
export function intervalWords({ value, unit }: { readonly value: number; readonly unit: string }): string {
  return value === 1 ? `every ${unit}` : `every ${value} ${unit}s`;
}

/** `0 6 * * *`, or the interval in words. */
export const recurrenceOf = ({ cron, interval }: Pick<Schedule, "cron" | "interval">): string =>
  cron ?? (interval ? intervalWords(interval) : "");

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] as const;

/** A run on the clock of its zone: `Sun 2027-03-28 02:00 +01:00`, with seconds only if there are any. */
export function localWords(local: string): { readonly clock: string; readonly offset: string } {
  const [, date = "", time = "", seconds = "", offset = ""] =
    /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)(:\d\d)\.\d+([+-]\d\d:\d\d)/.exec(local) ?? [];
  const day = DAYS[new Date(`${date}T00:00:00Z`).getUTCDay()] ?? "";
  return { clock: `${day} ${date} ${time}${seconds === ":00" ? "" : seconds}`, offset };
}
