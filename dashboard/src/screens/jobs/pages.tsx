// Below the list: the way to older jobs, how far the search has looked, and sentences in place of rows.

import type { Paging } from "../../api/call.ts";
import { mayChange } from "../../api/session.ts";
import { href } from "../../app/router.ts";
import { classOfButton } from "../../ui/button.tsx";
import { Empty } from "../../ui/problem.tsx";
import { Exact } from "../../ui/time.tsx";
import { type Filter, queryOf } from "./filter.ts";
import type { Listing } from "./listing.ts";

interface PagesProps {
  readonly filter: Filter;
  readonly isFirst: boolean;
  readonly listing: Listing;
}

export function Pages({ filter, isFirst, listing: { paging, rows } }: PagesProps) {
  if (isFirst && !paging.next_cursor) return null;
  return (
    <nav class="pages row" aria-label="Pages">
      {!isFirst && (
        <a class={classOfButton(undefined, true)} href={href("/jobs", queryOf(filter))}>
          Newest
        </a>
      )}
      <span class="rest quiet">
        Page {paging.page}
        {paging.searched_to && rows.length > 0 && (
          <>
            , searched back to <Exact at={paging.searched_to} />
          </>
        )}
      </span>
      {paging.next_cursor && (
        <a class={classOfButton(undefined, true)} href={olderThan(filter, paging.next_cursor)} rel="next">
          {paging.searched_to ? "Search further back" : "Older"}
        </a>
      )}
    </nav>
  );
}

function olderThan(filter: Filter, cursor: string): string {
  const query = queryOf(filter);
  query.set("cursor", cursor);
  return href("/jobs", query);
}

export function NoJobs({ filter, paging }: { filter: Filter; paging: Paging }) {
  if (paging.searched_to)
    return (
      <Empty title="None so far">
        <p>
          The search has looked back to <Exact at={paging.searched_to} />: at 10,000 jobs.
        </p>
      </Empty>
    );
  if (filter.length > 0)
    return (
      <Empty title="No job matches">
        <p>
          <a href={href("/jobs")}>Remove all filters</a>
        </p>
      </Empty>
    );
  return (
    <Empty title="No jobs yet">
      <p>A job calls your service, or waits for your worker, at its time.</p>
      {mayChange.value && (
        <a class={classOfButton("primary")} href={href("/jobs/new")}>
          Create the first one
        </a>
      )}
    </Empty>
  );
}
