import type { Operations } from "../operation.ts";

const JOB = "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55";
const EXECUTION = "7d44fe73-7a9f-4a3e-8f0c-52f2a8a7e2a1";

export const workers: Operations = {
  "GET /v1/handlers": {
    id: "listHandlers",
    tag: "Workers",
    summary: "List handlers",
    description:
      "Every handler that jobs were offered for, or workers asked for, in the last seven days, by name: how many jobs wait, and who " +
      "asks. At most a thousand are listed. Where the service cannot find out in time, `unavailable` is true and the rest is null.",
    answer: { data: "Handler", as: "page", message: "Handlers." },
    examples: { all: { summary: "The first twenty" } },
  },
  "POST /v1/worker/jobs/claim": {
    id: "claimJob",
    tag: "Workers",
    summary: "Claim jobs",
    description:
      "Waits up to `wait_time_seconds` for a job of one of these handlers, and answers the one that is due longest. A claim " +
      "takes a lease of the job's `timeout`; without a report or a heartbeat before it ends, the attempt has timed out. " +
      "When none comes in time, `data` is null. With `max_jobs`, `data` is an array of up to that many jobs, possibly empty, " +
      "and the answer comes as soon as there is one. " +
      "While it waits, the service may send spaces: JSON allows them before the object.",
    answer: { data: "Claimed", as: "claimed", message: "Job claimed." },
    examples: {
      now: { summary: "What is due now", body: { handlers: ["resize"], wait_time_seconds: 0, worker_id: "worker-1" } },
      wait: { summary: "Wait a second", body: { handlers: ["resize", "charge"], wait_time_seconds: 1 } },
      several: { summary: "Up to ten", body: { handlers: ["resize"], wait_time_seconds: 0, max_jobs: 10 } },
    },
  },
  "POST /v1/worker/jobs/report": {
    id: "reportJobs",
    tag: "Workers",
    summary: "Report up to a hundred executions",
    description:
      "Each report counts as if it had come alone, in this order: `complete` and `fail` in one call. `data` has an entry for each: " +
      "`status` is 200 with the `job`, or 404, 409 or 503 with a `code`. Send those of 503 again. The body may be 1 MB.",
    answer: { data: "Reported", as: "all", message: "Reports taken." },
    examples: {
      report: {
        summary: "One success, one failure",
        body: {
          reports: [
            { job_id: JOB, execution_id: EXECUTION, status: "completed", result: { width: 640 } },
            { job_id: JOB, execution_id: EXECUTION, status: "failed", error: { message: "the picture has no size" } },
          ],
        },
      },
    },
  },
  "POST /v1/worker/jobs/:job_id/start": {
    id: "startExecution",
    tag: "Workers",
    summary: "Start an execution from a Cloudflare Queue",
    description:
      "Takes the lease of an execution that reached the caller through a queue of its own. Of several that try, one gets it.",
    answer: { data: "Claimed", message: "Job started." },
    refuses: ["job_not_found", "lease_lost"],
    examples: {
      start: { summary: "The execution of a message", body: { execution_id: EXECUTION, worker_id: "consumer-1" } },
    },
  },
  "POST /v1/worker/jobs/:job_id/heartbeat": {
    id: "heartbeat",
    tag: "Workers",
    summary: "Keep a lease",
    description:
      "The lease becomes now + `timeout`, and never shorter. Of a cancelled execution `lease_expires_at` is null and " +
      "`cancel_requested` true. `progress` says how far the worker is; it is shown on the execution, and stays after its end.",
    answer: { data: "Heartbeat", message: "Heartbeat." },
    refuses: ["job_not_found", "lease_lost"],
    examples: {
      heartbeat: { summary: "Still at it", body: { execution_id: EXECUTION } },
      progress: { summary: "Three of eight", body: { execution_id: EXECUTION, progress: { done: 3, of: 8 } } },
    },
  },
  "POST /v1/worker/jobs/:job_id/complete": {
    id: "completeJob",
    tag: "Workers",
    summary: "Report success",
    description: "Repeating the same accepted report is 200 again.",
    answer: { data: "Job", message: "Job completed." },
    refuses: ["job_not_found", "lease_lost"],
    examples: { complete: { summary: "With a result", body: { execution_id: EXECUTION, result: { width: 640 } } } },
  },
  "POST /v1/worker/jobs/:job_id/fail": {
    id: "failJob",
    tag: "Workers",
    summary: "Report a failure",
    description: "The job is tried again while it has retries left, unless `retryable` is false.",
    answer: { data: "Job", message: "Failure recorded." },
    refuses: ["job_not_found", "lease_lost"],
    examples: {
      fail: {
        summary: "Try again later",
        body: { execution_id: EXECUTION, error: { name: "TypeError", message: "the picture has no size" } },
      },
      final: {
        summary: "Never try again",
        body: { execution_id: EXECUTION, error: { message: "the picture is gone" }, retryable: false },
      },
    },
  },
};
