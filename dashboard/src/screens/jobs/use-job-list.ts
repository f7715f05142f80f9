// Reads a page of the list again and again, and keeps what is shown of it.

import { type Signal, signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { listJobs } from "../../api/jobs.ts";
import { ended } from "../../bulk/running.ts";
import { type Poll, usePoll } from "../../live/poll.ts";
import { type ListAnswer, type Listing, listingOf, refreshed, sizeFor } from "./listing.ts";

const ASK_EVERY_MS = 3_000;
const KEPT = 8;

/** The lists that were shown last, so that the way back shows one at once, at the place where it was left. */
const kept = new Map<string, Listing>();

function keep(key: string, listing: Listing): void {
  kept.delete(key);
  kept.set(key, listing);
  const [oldest] = kept.keys();
  if (kept.size > KEPT && oldest !== undefined) kept.delete(oldest);
}

/** Lists of one account must not be shown to the next. */
export const forgetLists = (): void => kept.clear();

export interface JobList {
  readonly listing: Signal<Listing | undefined>;
  readonly poll: Poll<ListAnswer>;
  /** Shows the list as it is now. */
  readonly update: () => void;
}

export function useJobList(query: URLSearchParams): JobList {
  const key = query.toString();
  const listing = useMemo(() => signal(kept.get(key)), [key]);
  const poll = usePoll<ListAnswer>(
    key,
    async (signal) => {
      const asked = new URLSearchParams(key);
      asked.set("size", String(sizeFor(listing.peek())));
      const { data, paging } = await listJobs(asked, signal);
      const answer = { jobs: data, paging: paging ?? { page: 1, pages: 1, size: data.length, total: data.length } };
      listing.value = refreshed(listing.peek(), answer);
      keep(key, listing.value);
      return answer;
    },
    ASK_EVERY_MS,
  );
  const update = () => {
    const shown = listing.peek();
    if (shown) listing.value = listingOf(shown.latest);
  };
  const changes = ended.value;
  useEffect(() => {
    if (changes > 0) void poll.refresh();
  }, [changes, poll]);
  return { listing, poll, update };
}
