// Asks the owners of a page of jobs for the change, side by side, and sorts their answers.

import type { BulkAction, Outcomes } from "../../domain/bulk-action.ts";
import type { JobRefusal } from "../../domain/refusal.ts";
import { type Asked, cancelJob, deleteJob, retryJob, runJob } from "../job/change-job.ts";
import type { Answer } from "../owners.ts";

/** How many are asked at a time: an object that is opened holds memory and, in the embedded service, files. */
const SIDE_BY_SIDE = 25;

/** How long it waits after these. In the embedded service all objects share one thread, and requests wait while it is busy. */
const PAUSE_MS = 5;

type Outcome = "done" | "skipped" | "unreached";

interface Asking {
  readonly env: Cloudflare.Env;
  readonly later: Asked["later"];
  readonly action: BulkAction;
  /** Whether none of these jobs has been asked before, not even by an instance that died. */
  readonly isFirst: boolean;
}

export async function askJobs(asking: Asking, jobIds: readonly string[]): Promise<Outcomes> {
  const outcomes: Outcome[] = [];
  for (let first = 0; first < jobIds.length; first += SIDE_BY_SIDE) {
    const some = jobIds.slice(first, first + SIDE_BY_SIDE);
    outcomes.push(...(await Promise.all(some.map(async (jobId) => outcomeOf(await askJob(asking, jobId), asking)))));
    await scheduler.wait(PAUSE_MS);
  }
  const count = (outcome: Outcome) => outcomes.filter((one) => one === outcome).length;
  const unreached = jobIds.filter((_, i) => outcomes[i] === "unreached");
  return { done: count("done"), skipped: count("skipped"), unreached };
}

function askJob({ env, later, action }: Asking, jobId: string): Promise<Answer<unknown>> {
  const asked: Asked = { env, later, ref: { accountId: action.accountId, jobId }, operation: action.id };
  switch (action.action) {
    case "cancel":
      return cancelJob(asked);
    case "retry":
      return retryJob(asked);
    case "run":
      return runJob(asked);
    case "delete":
      return deleteJob(asked, null);
  }
}

function outcomeOf(answer: Answer<unknown>, { action, isFirst }: Asking): Outcome {
  if (answer.ok) return "done";
  const { code }: JobRefusal = answer.error;
  switch (code) {
    case "job_not_found": // what was there when the page began, and is asked for once more, was deleted by this action
      return action.action === "delete" && !isFirst ? "done" : "skipped";
    case "unavailable":
    case "job_moved":
      return "unreached";
    case "job_not_cancellable":
    case "job_not_retryable":
    case "job_not_editable":
    case "job_not_runnable":
    case "job_not_deletable":
    case "lease_lost":
      return "skipped";
  }
}
