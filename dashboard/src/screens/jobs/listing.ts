// The rows of a list that changes while it is shown. Rows keep their places while somebody looks: a refresh changes what they
// say, counts those that are new, and leaves those that have gone until the person asks for the list as it is now.

import type { Paging } from "../../api/envelope.ts";
import type { Job } from "../../api/job.ts";

export interface ListAnswer {
  readonly jobs: readonly Job[];
  readonly paging: Paging;
}

export interface Listing {
  /** In the order in which they were first shown. */
  readonly rows: readonly Job[];
  /** Of the answer that the rows came from: it says where the next page begins. */
  readonly paging: Paging;
  /** Jobs of the latest answer that are not shown. */
  readonly fresh: number;
  /** Rows that the latest answer does not have any more. */
  readonly gone: ReadonlySet<string>;
  /** The latest answer, shown when the person asks for it. */
  readonly latest: ListAnswer;
}

export const listingOf = (answer: ListAnswer): Listing => ({
  rows: answer.jobs,
  paging: answer.paging,
  fresh: 0,
  gone: new Set(),
  latest: answer,
});

/** How many rows a page has. */
export const PAGE = 50;
/** The most that the service gives at once. */
const MOST = 100;

/** How many jobs to ask for, so that rows which new ones have pushed down are still among them. */
export const sizeFor = (shown: Listing | undefined): number => Math.min(PAGE + (shown?.fresh ?? 0), MOST);

/** The same rows, with what the answer says of them. Ids sort by creation, and the list begins with the newest. */
export function refreshed(shown: Listing | undefined, answer: ListAnswer): Listing {
  // With nothing on the screen there is nothing that could move.
  if (!shown || shown.rows.length === 0) return listingOf(answer);
  const found = new Map(answer.jobs.map((job) => [job.id, job]));
  const known = new Set(shown.rows.map(({ id }) => id));
  const lastShown = shown.rows.at(-1)?.id ?? "";
  // Below the answer's last row it says nothing, unless the list ends there.
  const lastFound = answer.paging.next_cursor ? (answer.jobs.at(-1)?.id ?? "") : "";
  const unknown = answer.jobs.filter(({ id }) => !known.has(id));
  // What moves up from the next page is appended, which moves nothing.
  const below = unknown.filter(({ id }) => id < lastShown).slice(0, Math.max(0, PAGE - shown.rows.length));
  const isFurther = below.length > 0 && below.at(-1)?.id === lastFound;
  return {
    rows: [...shown.rows.map((row) => newer(row, found.get(row.id))), ...below],
    paging: { ...(isFurther ? answer.paging : shown.paging), total: answer.paging.total },
    fresh: unknown.filter(({ id }) => id > lastShown).length,
    gone: new Set([...known].filter((id) => !found.has(id) && id >= lastFound)),
    latest: answer,
  };
}

/** A list is milliseconds behind: an answer may be older than what is shown. */
const newer = (row: Job, found: Job | undefined): Job => (found && found.revision >= row.revision ? found : row);
