// Values of arguments, read from text. What makes no sense is an error that names the argument and what would be right.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { InvalidArgumentError } from "commander";
import { type Delay, type FlowRate, type RawJson, rawJson } from "../sdk/src/index.ts";
import { usage } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

const UNITS: Record<string, Delay["unit"]> = {
  s: "second",
  m: "minute",
  min: "minute",
  h: "hour",
  d: "day",
  w: "week",
};

/** `90s`, `15m`, `2h`, `1d`, `1w`. */
export function duration(text: string): Delay {
  const [, digits = "", letter = ""] = /^(\d{1,9}) ?(s|m|min|h|d|w)$/.exec(text.trim()) ?? [];
  const unit = UNITS[letter];
  const value = Number(digits);
  if (unit === undefined || value < 1)
    throw new InvalidArgumentError("It must be a span such as 90s, 15m, 2h, 1d or 1w.");
  return { value, unit };
}

/** `100/1m`, `100/min`, `10/s`: so many starts in a span. */
export function rate(text: string): FlowRate {
  const [, limit = "", span = ""] = /^(\d{1,9}) ?(?:\/|per) ?(\S+)$/.exec(text.trim()) ?? [];
  if (span === "") throw new InvalidArgumentError("It must be a number and a span, such as 100/1m.");
  return { limit: Number(limit), period: duration(/^\d/.test(span) ? span : `1${span}`) };
}

const SECONDS = { second: 1, minute: 60, hour: 3_600, day: 86_400, week: 604_800 } as const;

export const seconds = (text: string): number => {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  const { value, unit } = duration(text);
  return value * SECONDS[unit];
};

export function count(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

/** For an option that may be given more than once, or with commas between its values. */
export const many = (text: string, before: string[] = []): string[] => [
  ...before,
  ...text.split(",").map((one) => one.trim()),
];

/** The same without commas. */
export const each = (text: string, before: string[] = []): string[] => [...before, text];

/** `Name: value` */
export function headers(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      if (colon < 1) throw usage(`--header must be "Name: value", not "${line}"`);
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
    }),
  );
}

/** JSON as it is written, `@file` for a file's content, `-` for the standard input. */
export async function payload(terminal: Terminal, given: string): Promise<RawJson> {
  const text =
    given === "-" ? await terminal.input() : given.startsWith("@") ? fileText(terminal, given.slice(1)) : given;
  try {
    return rawJson(text.trim());
  } catch (error) {
    const { message } = (error as Error).cause as Error;
    throw usage(`payload: it must be a JSON object, such as '{"to":"ada@example.com"}'; ${message}`);
  }
}

function fileText({ cwd }: Terminal, path: string): string {
  try {
    return readFileSync(resolve(cwd, path), "utf8");
  } catch (error) {
    throw usage(`payload: the file ${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`);
  }
}
