// From a refusal of the inside to the error a client sees: one table, total over the refusals there are.

import type { BulkActionRefusal, FlowRefusal, JobRefusal, ScheduleRefusal, WebhookRefusal } from "../domain/refusal.ts";
import type { Result } from "../domain/result.ts";
import { ApiError, unavailable } from "./errors.ts";

type Refusal = JobRefusal | ScheduleRefusal | BulkActionRefusal | WebhookRefusal | FlowRefusal;

/** The value, or the refusal thrown as the client's error. */
export function unwrap<T>(answer: Result<T, Refusal>): T {
  if (answer.ok) return answer.value;
  throw errorOf(answer.error);
}

/** The client's error for a refusal. */
export function errorOf(refusal: Refusal): ApiError {
  switch (refusal.code) {
    case "unavailable":
      return unavailable(refusal.retryAfterSeconds);
    case "job_not_found":
      return jobNotFound();
    case "job_not_cancellable":
      return new ApiError(refusal.code, `The job is ${refusal.status} and can no longer be cancelled.`);
    case "job_not_retryable":
      return new ApiError(refusal.code, `The job is ${refusal.status}; only failed and cancelled jobs can be retried.`);
    case "job_not_editable":
      return new ApiError(refusal.code, `The job is ${refusal.status}: ${WHEN_EDITABLE}`);
    case "job_not_runnable":
      return new ApiError(refusal.code, `The job is ${refusal.status}; only pending and retrying jobs can be run.`);
    case "job_not_deletable":
      return new ApiError(
        refusal.code,
        `The job is ${refusal.status}. Cancel it first; only ended jobs can be deleted.`,
      );
    case "job_moved":
    case "schedule_moved":
    case "flow_moved":
      return unavailable(1);
    case "schedule_not_found":
      return new ApiError(refusal.code, "There is no such schedule.");
    case "bulk_action_not_found":
      return new ApiError(refusal.code, "There is no such bulk action.");
    case "flow_not_found":
      return new ApiError(refusal.code, "There is no such flow.");
    case "flow_limit_reached":
      return new ApiError("conflict", "The account has all the flows it may have: 10,000. Delete one first.");
    case "webhook_not_found":
      return new ApiError(refusal.code, "There is no such webhook.");
    case "schedule_archived":
      return new ApiError(refusal.code, "The schedule is archived and can no longer be changed.");
    case "schedule_completed":
      return new ApiError(refusal.code, "The schedule is completed and can no longer be changed.");
    case "schedule_status_changed":
      return new ApiError(refusal.code, `The schedule became ${refusal.status} meanwhile. Nothing was changed.`);
    case "lease_lost":
      return new ApiError(
        refusal.code,
        `This execution does not hold the job's lease any more: the job is ${refusal.status}. Nothing was changed.`,
      );
  }
}

const WHEN_EDITABLE = "all of a pending job can be changed, of a retrying one all but its time, of others nothing.";

export const jobNotFound = (): ApiError => new ApiError("job_not_found", "There is no such job.");
