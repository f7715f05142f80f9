// The line above the list. It is always there: what it says changes with the selection, and the rows below it never move.

import type { Verb } from "../../api/job.ts";
import { countJobs, WORDS } from "../../bulk/words.ts";
import { Button } from "../../ui/button.tsx";
import { formatNumber } from "../../ui/number-format.ts";
import type { Listing } from "./listing.ts";
import { isEmpty, type Selected } from "./selection.ts";

const VERBS: readonly Verb[] = ["retry", "run", "cancel", "delete"];

interface ToolbarProps {
  readonly listing: Listing;
  readonly selected: Selected;
  readonly onSelectMatching: () => void;
  readonly onClear: () => void;
  readonly onUpdate: () => void;
  readonly onAct: (verb: Verb) => void;
}

export function Toolbar({ listing, selected, onSelectMatching, onClear, onUpdate, onAct }: ToolbarProps) {
  const { rows, paging } = listing;
  const news = newsOf(listing);
  if (isEmpty(selected))
    return (
      <div class="toolbar-place">
        <div class="toolbar">
          <span>{countJobs(paging.total)}</span>
          <span role="status" class="rest">
            {news && (
              <Button small onClick={onUpdate} title="Show the list as it is now (u)">
                {news} · Update
              </Button>
            )}
          </span>
        </div>
      </div>
    );
  const isPage = selected.kind === "some" && rows.length > 0 && rows.every(({ id }) => selected.ids.has(id));
  return (
    <div class="toolbar-place">
      <div class="toolbar selecting">
        <span>
          {selected.kind === "matching"
            ? `All ${countJobs(paging.total)} that match`
            : `${formatNumber(selected.ids.size)} selected`}
        </span>
        {VERBS.map((verb) => (
          <Button
            key={verb}
            small
            look={verb === "delete" || verb === "cancel" ? "danger" : undefined}
            onClick={() => onAct(verb)}
          >
            {WORDS[verb].verb}
          </Button>
        ))}
        {isPage && paging.total > rows.length && (
          <Button small look="plain" onClick={onSelectMatching}>
            Select all {countJobs(paging.total)} that match
          </Button>
        )}
        <span class="rest" />
        <Button small look="plain" onClick={onClear}>
          Clear
        </Button>
      </div>
    </div>
  );
}

/** `3 new, 2 gone`; empty while the list is as it is shown. */
export function newsOf({ fresh, gone }: Pick<Listing, "fresh" | "gone">): string {
  return [fresh > 0 && `${fresh} new`, gone.size > 0 && `${gone.size} gone`].filter(Boolean).join(", ");
}
