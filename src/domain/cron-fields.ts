// The five fields of a cron expression: what they may say, and what to tell someone who wrote something else.

import { err, ok, type Result } from "./result.ts";

/** What an expression allows. */
export interface CronFields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday; there is no 7. */
  readonly weekdays: ReadonlySet<number>;
  /** Of two day fields one is enough, unless one of them begins with `*`. */
  readonly needsBothDays: boolean;
  /** The hour begins with `*`: clock changes neither skip nor repeat anything (contract §6). */
  readonly inRealTime: boolean;
}

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** Names of the values, from `min` on. */
  readonly names: readonly string[];
}

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** 0 and 7 are Sunday. */
const WEEKDAY: Field = { name: "weekday", min: 0, max: 7, names: WEEKDAYS };

const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59, names: [] },
  { name: "hour", min: 0, max: 23, names: [] },
  { name: "day", min: 1, max: 31, names: [] },
  { name: "month", min: 1, max: 12, names: MONTHS },
  WEEKDAY,
];

const FIVE_FIELDS = "Must be five fields: minute hour day month weekday, such as `0 9 * * MON`.";

/** Shorthands of other crons, and how to write them in five fields. */
const NICKNAMES = new Map([
  ["@YEARLY", "0 0 1 1 *"],
  ["@ANNUALLY", "0 0 1 1 *"],
  ["@MONTHLY", "0 0 1 * *"],
  ["@WEEKLY", "0 0 * * 0"],
  ["@DAILY", "0 0 * * *"],
  ["@MIDNIGHT", "0 0 * * *"],
  ["@HOURLY", "0 * * * *"],
]);

/** The expression with single spaces and names in upper case. */
export const plainCron = (expression: string): string =>
  expression
    .replace(/^[ \t]+|[ \t]+$/g, "")
    .replace(/[ \t]+/g, " ")
    .replace(/[a-z]+/g, (letters) => letters.toUpperCase());

/** @returns what a plain expression allows, or what is wrong with it */
export function readCron(plain: string): Result<CronFields, string> {
  if (plain.startsWith("@")) return err(notNicknames(plain));
  if (/^(CRON_)?TZ=/.test(plain)) return err("Give the time zone in `timezone`, not in `cron`.");
  const texts = plain.split(" ");
  if (texts.length === 6 || texts.length === 7) return err(`${FIVE_FIELDS} Seconds and years are not accepted.`);
  if (texts.length !== 5) return err(FIVE_FIELDS);

  const allowed: number[][] = [];
  for (const [i, field] of FIELDS.entries()) {
    const values = valuesOf(field, texts[i] ?? "");
    if (!values.ok) return values;
    allowed.push(values.value);
  }
  const [minutes, hours, days, months, weekdays = []] = allowed;
  const [, hour = "", day = "", , weekday = ""] = texts;
  return ok({
    minutes: new Set(minutes),
    hours: new Set(hours),
    days: new Set(days),
    months: new Set(months),
    weekdays: new Set(weekdays.map((value) => value % 7)),
    needsBothDays: day.startsWith("*") || weekday.startsWith("*"),
    inRealTime: hour.startsWith("*"),
  });
}

function notNicknames(plain: string): string {
  const [nickname = ""] = plain.split(" ");
  const fields = NICKNAMES.get(plain);
  if (fields !== undefined) return `\`${nickname.toLowerCase()}\` is not accepted. Write \`${fields}\`.`;
  if (nickname === "@EVERY") return "`@every` is not accepted. Give an `interval` in place of `cron`.";
  return `${FIVE_FIELDS} Nicknames that begin with @ are not accepted.`;
}

function valuesOf(field: Field, text: string): Result<number[], string> {
  const values: number[] = [];
  for (const item of text.split(",")) {
    const some = valuesOfItem(field, item);
    if (!some.ok) return some;
    values.push(...some.value);
  }
  return ok(values);
}

const ITEM = /^(?:\*|(?<first>\d+|[A-Z]+)(?:-(?<last>\d+|[A-Z]+))?)(?:\/(?<step>\d+))?$/;

/** One entry of a list: `*`, a value or a range, and a step through `*` or a range. */
function valuesOfItem(field: Field, item: string): Result<number[], string> {
  const match = ITEM.exec(item);
  if (!match || isOtherDialect(item)) return err(unreadable(field, item));
  const { first, last, step } = match.groups ?? {};

  const from = first === undefined ? ok(field.min) : numberOf(field, first);
  if (!from.ok) return from;
  const to = last === undefined ? ok(first === undefined ? field.max : from.value) : numberOf(field, last);
  if (!to.ok) return to;
  // SUN is 0, but 7 at the end of a range.
  const end = field === WEEKDAY && last === "SUN" && from.value > 0 ? 7 : to.value;
  if (end < from.value) return err(backwards(field, item, from.value, end));

  if (step === undefined) return ok(stepped(from.value, end, 1));
  if (first !== undefined && last === undefined)
    return err(`The ${field.name} \`${item}\` has a step without a range. Write \`${first}-${field.max}/${step}\`.`);
  const by = Number(step);
  const longest = field === WEEKDAY ? 7 : field.max - field.min + 1;
  if (by < 1 || by > longest) return err(`The step of the ${field.name} must be from 1 to ${longest}, not ${step}.`);
  return ok(stepped(from.value, end, by));
}

function numberOf({ name, min, max, names }: Field, text: string): Result<number, string> {
  if (/^\d/.test(text)) {
    const value = Number(text);
    return value >= min && value <= max ? ok(value) : err(`The ${name} must be from ${min} to ${max}, not ${text}.`);
  }
  const index = names.indexOf(text);
  if (index >= 0) return ok(min + index);
  const known = names.length > 0 ? `, or one of ${names.join(", ")}` : "";
  return err(`The ${name} must be a number from ${min} to ${max}${known}, not \`${text}\`.`);
}

function stepped(from: number, to: number, by: number): number[] {
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, i) => from + i * by);
}

function backwards(field: Field, item: string, from: number, to: number): string {
  const { name, min } = field;
  const max = field === WEEKDAY ? 6 : field.max;
  const instead = from > max ? `${min}-${to}` : `${from}-${max},${min}-${to}`;
  return `The ${name} range \`${item.replace(/\/.*/, "")}\` runs backwards. Write \`${instead}\`.`;
}

/** L, W, # and ? as Quartz has them. */
const isOtherDialect = (item: string): boolean => /^(?:\d+|[A-Z]{3})?(?:L|W|LW)(?:-\d+)?$|[#?]/.test(item);

function unreadable({ name }: Field, item: string): string {
  if (item === "") return `The ${name} has an empty entry in its list.`;
  if (item === "?") return `The ${name} \`?\` is not accepted. Write \`*\`.`;
  if (isOtherDialect(item)) return `The ${name} must not use L, W, # or ?.`;
  // What has other characters is not repeated: it may be invisible, or long.
  const written = /^[\d*\-/A-Z]{1,40}$/.test(item) ? ` \`${item}\`` : "";
  return `The ${name}${written} cannot be read. Write a value, \`*\`, a range such as \`1-5\`, a step such as \`*/5\`, or a list of these.`;
}
