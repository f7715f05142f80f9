// All jobs, newest first: filters, pages, selection, and what can be done with many at once.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Selection } from "../../api/bulk-action.ts";
import { isAllowed, statusesFor, type Verb } from "../../api/job.ts";
import { latest } from "../../api/jobs.ts";
import { mayChange } from "../../api/session.ts";
import { href, navigate, place } from "../../app/router.ts";
import { AskBulk } from "../../bulk/ask.tsx";
import { WORDS } from "../../bulk/words.ts";
import { useKeys } from "../../keys/use-keys.ts";
import { adopt } from "../../ui/adopt.ts";
import { classOfButton } from "../../ui/button.tsx";
import { Loading, Problem, Stale } from "../../ui/problem.tsx";
import { toast } from "../../ui/toast.tsx";
import { bodyOf, filterIn, narrowed, queryOf, wordsFor } from "./filter.ts";
import { FilterBar } from "./filter-bar.tsx";
import { JobTable } from "./job-table.tsx";
import css from "./jobs.css?inline";
import type { Listing } from "./listing.ts";
import { NoJobs, Pages } from "./pages.tsx";
import { rowKeys } from "./row-keys.ts";
import { NONE, toggled, withPage, withRange } from "./selection.ts";
import { Toolbar } from "./toolbar.tsx";
import { useJobList } from "./use-job-list.ts";

adopt(css);

interface Asked {
  readonly verb: Verb;
  readonly selection: Selection;
  readonly of: string;
}

/** Those that an action is for, after their number. */
function ofSelected(count: number, selected: number): string {
  if (count < selected) return `of the ${selected} selected`;
  return count === 1 ? "the selected one" : "the selected ones";
}

export function Jobs() {
  const { query } = place();
  const filter = filterIn(query);
  const cursor = query.get("cursor");
  const asked = queryOf(filter);
  if (cursor) asked.set("cursor", cursor);

  const { listing, poll, update } = useJobList(asked);
  const before = useRef<Listing | undefined>(undefined);
  const isLoading = listing.value === undefined;
  // Until the new list is there, the old one stays, so that nothing flickers.
  const shown = listing.value ?? (poll.problem.value ? undefined : before.current);
  before.current = shown;

  const selected = useSignal(NONE);
  const acting = useSignal<Asked | null>(null);
  const key = asked.toString();
  useEffect(() => {
    selected.value = NONE;
  }, [key]);

  const ids = shown?.rows.map(({ id }) => id) ?? [];
  const toggle = (id: string, isRange: boolean) => {
    selected.value = (isRange ? withRange : toggled)(selected.value, id, ids);
  };
  const act = (verb: Verb) => {
    const { value } = selected;
    if (value.kind === "some") {
      const unfit = (shown?.rows ?? []).filter((row) => !isAllowed(verb, (latest(row) ?? row).status));
      const unfitIds = new Set(unfit.map(({ id }) => id));
      const ids = [...value.ids].filter((id) => !unfitIds.has(id));
      if (ids.length > 0)
        acting.value = { verb, selection: { job_ids: ids }, of: ofSelected(ids.length, value.ids.size) };
      else toast(WORDS[verb].only, { tone: "bad" });
      return;
    }
    const allowed = narrowed(filter, statusesFor(verb));
    if (allowed) acting.value = { verb, selection: { filter: bodyOf(allowed) }, of: wordsFor(allowed) };
    else toast(WORDS[verb].only, { tone: "bad" });
  };
  useKeys([
    ...rowKeys(toggle),
    { keys: "u", does: "Show the list as it is now", run: update },
    ...(mayChange.value ? [{ keys: "n", does: "New job", run: () => navigate(href("/jobs/new")) }] : []),
  ]);

  return (
    <div class="stack">
      <header class="row">
        <h1 class="rest">Jobs</h1>
        {mayChange.value && (
          <a class={classOfButton("primary")} href={href("/jobs/new")}>
            New job
          </a>
        )}
      </header>
      <FilterBar filter={filter} />
      {shown ? <Stale error={poll.problem.value} /> : !poll.problem.value && <Loading />}
      {!shown && poll.problem.value && <Problem error={poll.problem.value} onRetry={() => void poll.refresh()} />}
      {shown && (
        <section class="panel jobs-panel" aria-label="Jobs" aria-busy={isLoading}>
          <Toolbar
            listing={shown}
            selected={selected.value}
            onSelectMatching={() => (selected.value = { kind: "matching" })}
            onClear={() => (selected.value = NONE)}
            onUpdate={update}
            onAct={act}
          />
          {shown.rows.length > 0 ? (
            <JobTable
              rows={shown.rows}
              gone={shown.gone}
              selected={selected.value}
              onToggle={toggle}
              onTogglePage={() => (selected.value = withPage(selected.value, ids))}
            />
          ) : (
            <NoJobs filter={filter} paging={shown.paging} />
          )}
          <Pages filter={filter} isFirst={!cursor} listing={shown} />
        </section>
      )}
      {acting.value && (
        <AskBulk {...acting.value} onClose={() => (acting.value = null)} onStarted={() => (selected.value = NONE)} />
      )}
    </div>
  );
}
