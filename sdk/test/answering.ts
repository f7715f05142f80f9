// A service that says what a test tells it to, over a line that records and breaks.

import type { Chronos } from "../src/index.ts";
import { Line } from "./line.ts";
import { setUp } from "./setup.ts";

export const said = (data: unknown, meta?: unknown): Response =>
  Response.json({ success: true, message: "OK", data, meta });

/**
 * Gives these answers, the last of them again and again.
 *
 * @param data of each answer if there are none of these
 */
export function answering(data: unknown, answers: (() => Response)[]): { chronos: Chronos; line: Line } {
  const line = new Line(async () => (answers.length > 1 ? answers.shift() : answers[0])?.() ?? said(data));
  return { chronos: setUp({ fetch: line.fetch }).chronos, line };
}
