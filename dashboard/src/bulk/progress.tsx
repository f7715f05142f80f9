// How far bulk actions are, in a corner of every screen; with failures, until somebody has read it.

import { abortBulkAction } from "../api/bulk-actions.ts";
import { adopt } from "../ui/adopt.ts";
import { ActionButton, Button } from "../ui/button.tsx";
import { formatNumber } from "../ui/number-format.ts";
import css from "./progress.css?inline";
import { dismiss, type Running, running, update } from "./running.ts";
import { countJobs, outcomeOf, WORDS } from "./words.ts";

adopt(css);

export const BulkProgress = () => (
  <ul class="bulk" aria-label="Bulk actions" aria-live="polite">
    {running.value.map((one) => (
      <One key={one.action.id} {...one} />
    ))}
  </ul>
);

function One({ action, expected }: Running) {
  const { id, status, done, skipped, failed } = action;
  if (status !== "running")
    return (
      <li class={failed > 0 ? "bad" : "good"}>
        <p>{outcomeOf(action)}</p>
        <Button look="plain" small aria-label="Close this message" onClick={() => dismiss(id)}>
          ✕
        </Button>
      </li>
    );
  const counted = done + skipped + failed;
  const whole = Math.max(expected, action.matched);
  return (
    <li>
      <div class="rest">
        <p>
          {WORDS[action.action].doing} {formatNumber(counted)} of {countJobs(whole)}
        </p>
        <progress value={counted} max={whole} aria-label="Progress" />
      </div>
      <ActionButton look="plain" small action={async () => update(await abortBulkAction(id))}>
        Abort
      </ActionButton>
    </li>
  );
}
