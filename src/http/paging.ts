// Pages of a list: asked for by number or by cursor, told in `meta.paging`.

import * as v from "valibot";
import { MAX_COUNTED } from "../store/jobs-store.ts";
import type { Paging } from "./envelope.ts";
import { invalid } from "./errors.ts";
import { integerText } from "./fields.ts";

export const DEFAULT_SIZE = 20;
export const MAX_SIZE = 100;

/** The query parameters of every list. */
export const PageQuery = {
  page: v.optional(integerText(1, 999_999_999), "1"),
  size: v.optional(integerText(1, MAX_SIZE), String(DEFAULT_SIZE)),
};

/** The first row of a numbered page. */
export const offsetOf = ({ page, size }: { page: number; size: number }): number => (page - 1) * size;

/** The same in a list whose count is capped: beyond it only a cursor walks on. */
export function cappedOffset(asked: { page: number; size: number }): number {
  const offset = offsetOf(asked);
  if (offset < MAX_COUNTED) return offset;
  throw invalid("page", `Pages end at ${MAX_COUNTED} entries. Follow \`meta.paging.next_cursor\` to go on.`);
}

export const pagingOf = (page: number, size: number, total: number): Paging => ({
  page,
  pages: Math.ceil(total / size),
  size,
  total,
});

/** The id behind which a page begins. It remembers the number of that page, so that a walk counts on. */
export interface Cursor {
  readonly page: number;
  readonly id: string;
}

export const writeCursor = ({ page, id }: Cursor): string => btoa(`${page}.${id}`).replaceAll("=", "");

/** A cursor as a client sends it back. */
export const cursor = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): Cursor => {
    const match = /^(\d{1,9})\.([0-9a-f-]{36})$/.exec(decoded(dataset.value));
    if (match) return { page: Number(match[1]), id: match[2] ?? "" };
    addIssue({ message: "Must be a `next_cursor` as a list gave it." });
    return NEVER;
  }),
);

function decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
