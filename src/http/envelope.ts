// The shape of every answer (contract §1).

import type { Context } from "hono";
import type { ApiError } from "./errors.ts";
import { STATUS_OF } from "./errors.ts";

export interface Paging {
  readonly page: number;
  readonly pages: number;
  readonly size: number;
  readonly total: number;
  /** Walks on from here, whatever the length; null on the last page. Absent from lists that are short by nature. */
  readonly next_cursor?: string | null;
}

export const success = <T>(message: string, data: T) => ({ success: true, message, data });

export const done = <T>(c: Context, message: string, data: T, status: 200 | 201 = 200) =>
  c.json(success(message, data), status);

export const listed = <T>(c: Context, message: string, data: readonly T[], paging: Paging) =>
  c.json({ success: true, message, data, meta: { paging } });

export function refused(c: Context, { code, message, errors, headers, data }: ApiError) {
  return c.json(
    { success: false, message, code, errors, ...(data === undefined ? {} : { data }) },
    STATUS_OF[code],
    headers,
  );
}
