// A list that is read page by page: as an async iterator over all of it, or one page with its numbers.

import { isPassing } from "./api-error.ts";
import { type CallOptions, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import type { HttpCall } from "./http.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { retrying } from "./retrying.ts";

/**
 * One page of a list.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const { items, paging } = await chronos.jobs.list({ status: "failed" }).page({ page: 2 });
 * console.log(`page ${paging.page} of ${paging.pages}, ${items.length} jobs, ${paging.total} in all`);
 * ```
 */
export interface Page<T> {
  items: T[];
  paging: {
    page: number;
    /** Exact up to 10,000 items; there it stops. */
    pages: number;
    size: number;
    /** Exact up to 10,000. */
    total: number;
    /** Leads to the page after this one at any length of list; null on the last page. */
    nextCursor: string | null;
  };
}

/** Which page to read: a number from 1, or where the cursor of another page leads. Neither means the first. */
export interface PagePosition {
  page?: number | undefined;
  cursor?: string | undefined;
}

const POSITION: Fields<PagePosition> = { page: true, cursor: true };

/** Reads one page; without a size the service's own default applies. */
type ReadPage<T> = (position: PagePosition, size: number | undefined) => Promise<Page<T>>;

/** The most the service gives at once: iterating costs the fewest requests with it. */
const LARGEST_PAGE = 100;

/**
 * A list that has not been read yet. Iterate over it to read all of it, page after page as you go, or read one page.
 * What is created while you iterate is not shown; nothing is shown twice.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * for await (const job of chronos.jobs.list({ status: ["failed", "cancelled"] })) {
 *   await chronos.jobs.retry(job.id);
 * }
 * ```
 */
export class PagedList<T> implements AsyncIterable<T> {
  readonly #read: ReadPage<T>;
  readonly #size: number | undefined;

  /** @internal */
  constructor(read: ReadPage<T>, size: number | undefined) {
    this.#read = read;
    this.#size = size;
  }

  /** Reads one page, the first unless told otherwise. */
  async page(position: PagePosition = {}): Promise<Page<T>> {
    checkFields("The position of a page", position, POSITION);
    return this.#read(position, this.#size);
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    let position: PagePosition = {};
    for (;;) {
      const { items, paging } = await this.#read(position, this.#size ?? LARGEST_PAGE);
      yield* items;
      if (paging.nextCursor !== null) position = { cursor: paging.nextCursor };
      else if (position.cursor === undefined && paging.page < paging.pages) position = { page: paging.page + 1 };
      else return;
      if (items.length === 0) return;
    }
  }
}

/** The list behind a path, as `call` reads it. */
export function pagedList<T>(
  connection: Connection,
  call: {
    name: string;
    path: string;
    query: [string, string][];
    size: number | undefined;
    options: CallOptions | undefined;
  },
  read: (item: never) => T,
): PagedList<T> {
  const { name, path, query, size, options } = call;
  const limits = () => limitsOf(connection, name, options);
  limits();
  const readPage: ReadPage<T> = async ({ page, cursor }, pageSize) => {
    const asked = Object.entries({ page, cursor, size: pageSize }).flatMap(([field, value]): [string, string][] =>
      value === undefined ? [] : [[field, String(value)]],
    );
    const request: HttpCall = { method: "GET", path, query: [...query, ...asked] };
    const { data, meta } = await retrying(connection, request, limits(), isPassing);
    return pageOf((data as never[]).map(read), meta?.paging ?? {});
  };
  return new PagedList(readPage, size);
}

function pageOf<T>(items: T[], told: Record<string, unknown>): Page<T> {
  const number = (field: string, otherwise: number) => {
    const value = told[field];
    return typeof value === "number" ? value : otherwise;
  };
  const paging = {
    page: number("page", 1),
    pages: number("pages", 1),
    size: number("size", items.length),
    total: number("total", items.length),
    nextCursor: typeof told.next_cursor === "string" ? told.next_cursor : null,
  };
  return { items, paging };
}
