// Every refusal a client can meet: when it comes, and how it reads. A code without words does not compile.

import { type ErrorCode, type FieldError, STATUS_OF } from "../http/errors.ts";

interface Refusal {
  /** When it comes. */
  readonly when: string;
  /** The answer's own `message`, as an example. */
  readonly message: string;
  readonly errors?: readonly FieldError[];
}

export const REFUSALS: Record<ErrorCode, Refusal> = {
  bad_request: {
    when:
      "The body is not JSON, or is not sent as `application/json`; it breaks off, or takes longer than 30 s to arrive; or the " +
      "`Host` header is not a host.",
    message: "The body is not valid JSON.",
  },
  handler_required_for_pull: {
    when: "The change would leave a pull schedule without a `handler`.",
    message: "A schedule whose delivery is pull needs a `handler`.",
  },
  unauthorized: {
    when: "The API key is missing, malformed, unknown, revoked or expired: the same answer for all five. On the operator's paths: the admin token.",
    message: "A valid API key is required: `Authorization: Bearer chrns_…`.",
  },
  account_suspended: {
    when: "The account is suspended. Its keys work again within 60 s after it is resumed: wait, and ask again.",
    message: "This account is suspended. Its keys work again once it is resumed.",
  },
  forbidden: {
    when: "The API key's scope does not include this. The message names the scope and what it may do.",
    message: "This API key has the scope `read`: it may only read, with GET, and not the signing secret.",
  },
  not_found: {
    when: "There is nothing at this path, or nothing of yours with this id.",
    message: "There is nothing at this path.",
  },
  job_not_found: { when: "There is no such job on this account.", message: "There is no such job." },
  schedule_not_found: { when: "There is no such schedule on this account.", message: "There is no such schedule." },
  method_not_allowed: {
    when: "The path is served, but not with this method. `Allow` names those that are.",
    message: "PATCH is not served here.",
  },
  conflict: {
    when: "The present state forbids it.",
    message: "This is the account's last API key of the scope `full` that does not expire. Create another one first.",
  },
  idempotency_key_conflict: {
    when: "A job (a schedule, where one was to be created) with this key exists already. `data` is that one, and nothing was created.",
    message: "A job with this idempotency key exists already.",
  },
  job_not_cancellable: {
    when: "The job has ended.",
    message: "The job is cancelled and can no longer be cancelled.",
  },
  job_not_retryable: {
    when: "The job neither failed nor was cancelled.",
    message: "The job is pending; only failed and cancelled jobs can be retried.",
  },
  job_not_editable: {
    when: "The job is neither pending nor retrying, or it is retrying and its time was to be changed.",
    message:
      "The job is running: all of a pending job can be changed, of a retrying one all but its time, of others nothing.",
  },
  job_not_runnable: {
    when: "The job is neither pending nor retrying.",
    message: "The job is running; only pending and retrying jobs can be run.",
  },
  job_not_deletable: {
    when: "The job has not ended.",
    message: "The job is pending. Cancel it first; only ended jobs can be deleted.",
  },
  bulk_action_not_found: {
    when: "There is no such bulk action on this account.",
    message: "There is no such bulk action.",
  },
  flow_not_found: { when: "Nobody has defined this flow on this account.", message: "There is no such flow." },
  webhook_not_found: { when: "There is no such webhook on this account.", message: "There is no such webhook." },
  precondition_failed: {
    when: "It has another revision than `If-Match` asks for. `data` is what it is now, and nothing was changed.",
    message: "It has changed since you read it. Nothing was changed.",
  },
  lease_lost: {
    when: "The execution no longer holds the job's lease: it expired, was superseded, or the job was cancelled.",
    message: "This execution does not hold the job's lease any more: the job is cancelled. Nothing was changed.",
  },
  schedule_archived: {
    when: "The schedule is archived.",
    message: "The schedule is archived and can no longer be changed.",
  },
  schedule_completed: {
    when: "The schedule is completed.",
    message: "The schedule is completed and can no longer be changed.",
  },
  schedule_status_changed: {
    when: "The schedule ended between reading and changing it.",
    message: "The schedule became archived meanwhile. Nothing was changed.",
  },
  payload_too_large: {
    when: "The body is larger than 256 KB (a batch of jobs or reports: 1 MB).",
    message: "The body may be at most 262144 bytes.",
  },
  validation_error: {
    when: "The request does not fit its schema. Unknown fields and query parameters are refused too.",
    message: "The request is not valid.",
    errors: [{ field: "colour", message: "There is no such field." }],
  },
  rate_limit_exceeded: {
    when: "More than 100 requests in 10 s with this API key (1,000 on worker endpoints), ten times as many with all keys of the account, or more than 30 unknown keys or wrong admin tokens from one address. `Retry-After` says when to come back.",
    message: "Too many requests with this API key. Please slow down.",
  },
  job_limit_reached: {
    when: "The account has as many jobs that have not ended as it may (`MAX_WAITING_JOBS` of the service). Nothing was created; `Retry-After` says when it is looked at again.",
    message: "An account may have 1000000 jobs that have not ended. Create more once some have ended.",
  },
  schedule_limit_reached: {
    when: "The account has as many active and paused schedules as it may (`MAX_SCHEDULES` of the service).",
    message: "An account may have 10000 active and paused schedules. Archive one first.",
  },
  poll_limit_reached: {
    when: "As many claims of the account wait for a job as may (`MAX_OPEN_POLLS` of the service). A claim that finds a job at once is not refused. `Retry-After` says when to poll again.",
    message:
      "An account may have 1000 claims that wait for a job. Let fewer workers poll, or claim with `wait_time_seconds` 0.",
  },
  internal_error: {
    when: "A fault nobody foresaw. Please report it with the answer's `X-Request-Id`.",
    message: "Something went wrong on our side.",
  },
  unavailable: {
    when: "A store cannot answer at the moment. `Retry-After` says when to try again.",
    message: "The service cannot answer at the moment. Please try again.",
  },
};

export const exampleOf = (code: ErrorCode) => {
  const { message, errors = [] } = REFUSALS[code];
  return { success: false, message, code, errors };
};

/** The codes of each status among these, in their order. */
export function byStatus(codes: readonly ErrorCode[]): Map<number, ErrorCode[]> {
  const found = new Map<number, ErrorCode[]>();
  for (const code of codes) found.set(STATUS_OF[code], [...(found.get(STATUS_OF[code]) ?? []), code]);
  return new Map([...found].sort(([one], [other]) => one - other));
}
