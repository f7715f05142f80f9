// Sentences about bulk actions.

import type { BulkAction } from "../api/bulk-action.ts";
import type { Verb } from "../api/job.ts";
import { formatNumber } from "../ui/number-format.ts";

interface Words {
  /** What the button says. */
  readonly verb: string;
  readonly doing: string;
  readonly done: string;
  /** Why a job may be passed over. */
  readonly only: string;
}

export const WORDS: Readonly<Record<Verb, Words>> = {
  retry: { verb: "Retry", doing: "Retrying", done: "retried", only: "Only failed and cancelled jobs can be retried." },
  run: { verb: "Run now", doing: "Running", done: "due now", only: "Only pending and retrying jobs can be run now." },
  cancel: {
    verb: "Cancel",
    doing: "Cancelling",
    done: "cancelled",
    only: "Only jobs that have not ended can be cancelled.",
  },
  delete: { verb: "Delete", doing: "Deleting", done: "deleted", only: "Only jobs that have ended can be deleted." },
};

/** The service counts no further. */
const MOST_COUNTED = 10_000;

/** `1 job`, `1,200 jobs`, `10,000 or more jobs`. */
export const countJobs = (n: number): string =>
  n === 1 ? "1 job" : `${formatNumber(n)}${n >= MOST_COUNTED ? " or more" : ""} jobs`;

/** How it went: `1,180 jobs retried, 15 skipped because of their status, 5 failed.` */
export function outcomeOf({ action, status, done, skipped, failed }: BulkAction): string {
  const parts = [
    `${countJobs(done)} ${WORDS[action].done}`,
    skipped > 0 && `${formatNumber(skipped)} skipped because of ${skipped === 1 ? "its" : "their"} status`,
    failed > 0 && `${formatNumber(failed)} failed: the service could not reach ${failed === 1 ? "it" : "them"}`,
  ];
  return `${status === "aborted" ? "Aborted: " : ""}${parts.filter(Boolean).join(", ")}.`;
}
