// Wakes the owners of a page of rows together.

import { ask } from "../objects/addresses.ts";

/** Rows of one look. Each of their owners is an object that is opened. */
export const PAGE_SIZE = 100;

/** @returns how many answered that they are awake */
export async function wakeAll(wakes: readonly (() => Promise<boolean>)[]): Promise<number> {
  const answers = await Promise.all(wakes.map((wake) => ask(wake)));
  return answers.filter((answer) => answer.ok && answer.value).length;
}
