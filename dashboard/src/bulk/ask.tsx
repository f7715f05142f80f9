// Asks before many jobs are changed, with the number of those that the service would select at this moment.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { type ApiError, asApiError } from "../api/api-error.ts";
import type { Selection } from "../api/bulk-action.ts";
import { countSelected } from "../api/bulk-actions.ts";
import type { Verb } from "../api/job.ts";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Problem } from "../ui/problem.tsx";
import { start } from "./running.ts";
import { countJobs, WORDS } from "./words.ts";

interface AskBulkProps {
  readonly verb: Verb;
  readonly selection: Selection;
  /** Which jobs those are, after "Of": "the jobs with status failed". */
  readonly of: string;
  readonly onClose: () => void;
  readonly onStarted?: () => void;
}

export function AskBulk({ verb, selection, of, onClose, onStarted }: AskBulkProps) {
  const count = useSignal<number | undefined>(undefined);
  const problem = useSignal<ApiError | undefined>(undefined);
  const isBusy = useSignal(false);
  const words = WORDS[verb];
  const attempt = async (step: () => Promise<void>) => {
    problem.value = undefined;
    try {
      await step();
    } catch (thrown) {
      problem.value = asApiError(thrown);
    }
  };
  useEffect(() => {
    void attempt(async () => {
      count.value = await countSelected(verb, selection);
    });
  }, []);
  const run = async () => {
    isBusy.value = true;
    await attempt(async () => {
      await start(verb, selection, count.value ?? 0);
      onStarted?.();
      onClose();
    });
    isBusy.value = false;
  };
  const n = count.value;
  return (
    <Dialog title={`${words.verb} ${n === undefined ? "jobs" : countJobs(n)}?`} onClose={onClose}>
      <div class="stack">
        <p>
          {n === undefined ? "Counting …" : `${countJobs(n)}, ${of}.`} {words.only} Others are skipped.
          {verb === "delete" && " Their executions and idempotency keys go with them. This cannot be undone."}
        </p>
        {problem.value && <Problem error={problem.value} />}
      </div>
      <footer>
        <Button onClick={onClose}>Keep as they are</Button>
        <Button
          look={verb === "delete" || verb === "cancel" ? "danger primary" : "primary"}
          disabled={isBusy.value || n === undefined || n === 0}
          onClick={() => void run()}
        >
          {words.verb} {n === undefined ? "" : countJobs(n)}
        </Button>
      </footer>
    </Dialog>
  );
}
