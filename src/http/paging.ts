// Pages of a list: asked for by number or by cursor, told in `meta.paging`.

import * as v from "valibot";
import { createdAtOf } from "../domain/ids.ts";
import { formatInstant } from "../domain/instant.ts";
import { type ListStart, MAX_COUNTED } from "../store/list-jobs.ts";
import type { Paging } from "./envelope.ts";
import { invalid } from "./errors.ts";
import { integerText } from "./fields.ts";

const DEFAULT_SIZE = 20;
const MAX_SIZE = 100;

/** The query parameters of every list. */
export const PageQuery = {
  page: v.optional(integerText(1, 999_999_999), "1"),
  size: v.optional(integerText(1, MAX_SIZE), String(DEFAULT_SIZE)),
};

/** The first row of a numbered page. */
export const offsetOf = ({ page, size }: { page: number; size: number }): number => (page - 1) * size;

/** The same in a list whose count is capped: beyond it only a cursor walks on. */
function cappedOffset(asked: { page: number; size: number }): number {
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
interface Cursor {
  readonly page: number;
  readonly id: string;
}

const writeCursor = ({ page, id }: Cursor): string => btoa(`${page}.${id}`).replaceAll("=", "");

/** A cursor as a client sends it back. */
const cursor = v.pipe(
  v.string(),
  v.rawTransform(({ dataset, addIssue, NEVER }): Cursor => {
    const match = /^(\d{1,9})\.([0-9a-f-]{36})$/.exec(decoded(dataset.value));
    if (match) return { page: Number(match[1]), id: match[2] ?? "" };
    addIssue({ message: "Must be a `next_cursor` as a list gave it." });
    return NEVER;
  }),
);

/** The query parameters of a list that can be walked by pages or by a cursor. */
export const WalkQuery = {
  ...PageQuery,
  page: v.optional(PageQuery.page.wrapped),
  cursor: v.optional(cursor),
};

/** Where a page of a walk begins. */
export interface WalkStart {
  readonly page: number;
  readonly from: ListStart;
}

/** @throws ApiError when both are given, or the page lies too far behind the first */
export function startOf(asked: { cursor?: Cursor | undefined; page?: number | undefined; size: number }): WalkStart {
  const { cursor, page = 1, size } = asked;
  if (!cursor) return { page, from: { offset: cappedOffset({ page, size }) } };
  if (asked.page !== undefined) throw invalid("cursor", "Give either `cursor` or `page`, not both.");
  return { page: cursor.page, from: { after: cursor.id } };
}

/** How far a page has come. */
interface Walked {
  readonly total: number;
  /** The id behind which the next page begins; null on the last one. */
  readonly next: string | null;
  /** The last id that was looked at, where the search was broken off before the page was full. */
  readonly stoppedAt?: string | null;
}

export const walkedTo = ({ page }: WalkStart, size: number, { total, next, stoppedAt }: Walked): Paging => ({
  ...pagingOf(page, size, total),
  next_cursor: next && writeCursor({ id: next, page: page + 1 }),
  ...(stoppedAt != null && { searched_to: formatInstant(createdAtOf(stoppedAt)) }),
});

function decoded(text: string): string {
  try {
    return atob(text);
  } catch {
    return "";
  }
}
