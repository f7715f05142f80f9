// The shape of every answer (contract §1).

import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { stringify } from "../domain/json-text.ts";
import type { ApiError } from "./errors.ts";
import { STATUS_OF } from "./errors.ts";

export interface Paging {
  readonly page: number;
  readonly pages: number;
  readonly size: number;
  readonly total: number;
  /** Walks on from here, whatever the length; null on the last page. Absent from lists that are short by nature. */
  readonly next_cursor?: string | null;
  /** Given when the search was broken off before the page was full: how far back it has looked. `next_cursor` goes on from there. */
  readonly searched_to?: string;
}

export const success = <T>(message: string, data: T) => ({ success: true, message, data });

/** Every JSON answer about the account's data is written here: what is carried as text leaves as that text. */
const written = (c: Context, answer: object, status: ContentfulStatusCode, headers: Record<string, string> = {}) =>
  c.body(stringify(answer), status, { ...headers, "Content-Type": "application/json" });

export const done = <T>(c: Context, message: string, data: T, status: 200 | 201 | 202 = 200) =>
  written(c, success(message, data), status);

export const listed = <T>(c: Context, message: string, data: readonly T[], paging: Paging) =>
  written(c, { success: true, message, data, meta: { paging } }, 200);

export function refused(c: Context, { code, message, errors, headers, data }: ApiError) {
  return written(c, { success: false, message, code, errors, data }, STATUS_OF[code], headers);
}
