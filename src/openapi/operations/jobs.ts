import type { Operations } from "../operation.ts";

export const jobs: Operations = {
  "POST /v1/jobs": {
    id: "createJob",
    tag: "Jobs",
    summary: "Create a job",
    description:
      "Neither `delay` nor `scheduled_for`: as soon as possible. A 201 means that the job is stored and will run; of any " +
      'number of requests with one `idempotency_key`, at any time, exactly one is 201. With `on_conflict: "replace"` the job that ' +
      "holds the key becomes the new one while it is pending (200, the same id); once it has begun, the key moves to a new job (201). " +
      "A W3C `traceparent` header is kept, and goes out with each attempt; one that is malformed is ignored.",
    answer: { status: 201, otherwise: "Job replaced.", data: "Job", message: "Job created." },
    refuses: ["idempotency_key_conflict", "job_limit_reached"],
    examples: {
      push: {
        summary: "Pushed to your URL in two hours",
        body: {
          name: "Welcome mail",
          handler: "send-welcome",
          payload: { to: "ada@example.com" },
          delay: { value: 2, unit: "hour" },
          delivery: {
            type: "push",
            http: { url: "https://example.com/jobs", method: "POST", headers: { "X-Team": "growth" } },
          },
        },
      },
      pull: {
        summary: "For a worker that polls, tomorrow",
        body: {
          name: "Resize a picture",
          handler: "resize",
          payload: { picture: 4711 },
          delay: { value: 1, unit: "day" },
          timeout: 300,
          max_retries: 5,
        },
      },
      idempotent: {
        summary: "Safe to send again",
        body: {
          name: "Charge an order",
          handler: "charge",
          payload: { order: 4711 },
          delay: { value: 1, unit: "week" },
          idempotency_key: "order-4711",
        },
      },
      debounced: {
        summary: "A burst of edits becomes one job",
        body: {
          name: "Index a document",
          handler: "index",
          payload: { document: 4711 },
          delay: { value: 30, unit: "second" },
          idempotency_key: "index-4711",
          on_conflict: "replace",
        },
      },
      wallClock: {
        summary: "At nine on a clock in Berlin, or not at all",
        body: {
          name: "Morning digest",
          handler: "digest",
          scheduled_for: "2027-03-28T09:00",
          timezone: "Europe/Berlin",
          expires_after: { value: 2, unit: "hour" },
          backoff: { type: "list", delays: [60, 300, 1800] },
          tags: ["digest", "customer-17"],
        },
      },
    },
  },
  "POST /v1/jobs/batch": {
    id: "createJobs",
    tag: "Jobs",
    summary: "Create up to a hundred jobs",
    description:
      "All in one transaction: when one of them is not valid, or the store cannot answer, none is made. A field at fault is named " +
      "with its place, such as `jobs.3.name`. `data` has an entry for each, in order: `status` 201 with the new `job`, or 409 with " +
      "the `job` that holds its `idempotency_key`; of two with one key in the batch the first has it. 201 if any was made, else 200. " +
      "The body may be 1 MB. Counts as one request of the rate limit. A `traceparent` header holds for all of them.",
    answer: {
      status: 201,
      otherwise: "No job was created: their idempotency keys are in use.",
      data: "JobOfBatch",
      as: "all",
      message: "Jobs created.",
    },
    examples: {
      reminders: {
        summary: "Two reminders, safe to send again",
        body: {
          jobs: [
            {
              name: "Remind Ada",
              handler: "remind",
              payload: { to: "ada@example.com" },
              delay: { value: 1, unit: "day" },
              idempotency_key: "remind-ada",
              tags: ["reminder"],
            },
            {
              name: "Remind Grace",
              handler: "remind",
              payload: { to: "grace@example.com" },
              delay: { value: 1, unit: "day" },
              idempotency_key: "remind-grace",
              tags: ["reminder"],
            },
          ],
        },
      },
    },
  },
  "GET /v1/jobs": {
    id: "listJobs",
    tag: "Jobs",
    summary: "List jobs",
    description:
      "Newest first. The list reads the database that jobs report to and can be seconds behind; `GET /v1/jobs/{id}` is not. " +
      "A filter is searched for in at most 10,000 jobs. When they do not fill the page, `meta.paging.searched_to` says how far back " +
      "they go, and `next_cursor` searches on from there.",
    answer: { data: "Job", as: "page", message: "Jobs." },
    examples: {
      all: { summary: "The newest twenty" },
      failed: {
        summary: "Failed one-off jobs of a handler",
        query: { status: "failed", handler: "resize", schedule_id: "null" },
      },
      unanswered: {
        summary: "Failed because a host did not answer in time",
        query: { status: "failed", error_code: "timeout", host: "example.com" },
      },
      recent: { summary: "Created since a moment", query: { created_after: "2026-01-15T09:00:00Z", size: "50" } },
      tagged: { summary: "With a tag, of a flow", query: { tag: "reminder", flow: "mail" } },
      due: {
        summary: "Due within a day, whoever made them",
        query: {
          scheduled_after: "2026-01-15T09:00:00Z",
          scheduled_before: "2026-01-16T09:00:00Z",
          origin: "schedule",
        },
      },
    },
  },
  "GET /v1/jobs/:id": {
    id: "getJob",
    tag: "Jobs",
    summary: "Read a job",
    description:
      "The job as its owner knows it at this moment. `waiting_on` says why it has not run yet: the reason, since when it holds and " +
      "until when, and what you can do.",
    answer: { data: "JobNow", message: "Job." },
    refuses: ["job_not_found"],
  },
  "PATCH /v1/jobs/:id": {
    id: "updateJob",
    tag: "Jobs",
    summary: "Change a job",
    description:
      "All of a pending job can be changed, of a retrying one all but its time. What is left out stays, null goes back to the " +
      "default, `delay` counts from now. The change and an attempt that starts meanwhile never mix. With `If-Match` only the " +
      "revision that you have read is changed.",
    answer: { data: "Job", message: "Job changed." },
    refuses: ["job_not_found", "job_not_editable", "precondition_failed"],
    examples: {
      later: { summary: "An hour from now", body: { delay: { value: 1, unit: "hour" } } },
      other: {
        summary: "Other data, the same time",
        body: { payload: { to: "grace@example.com" }, max_retries: null },
      },
    },
  },
  "DELETE /v1/jobs/:id": {
    id: "deleteJob",
    tag: "Jobs",
    summary: "Delete a job that has ended",
    description: "The job, its executions and its idempotency key are gone at once.",
    answer: { data: "Nothing", message: "Job deleted." },
    refuses: ["job_not_found", "job_not_deletable", "precondition_failed"],
  },
  "POST /v1/jobs/:id/run": {
    id: "runJob",
    tag: "Jobs",
    summary: "Run a job now",
    description: "A pending or retrying job is due now; `scheduled_for` stays.",
    answer: { data: "Job", message: "Job is due now." },
    refuses: ["job_not_found", "job_not_runnable"],
  },
  "GET /v1/jobs/:id/executions": {
    id: "listExecutions",
    tag: "Jobs",
    summary: "List a job's executions",
    description: "Every attempt, oldest first: when it was due, how late it was, what came back.",
    answer: { data: "Execution", as: "page", message: "Executions." },
    refuses: ["job_not_found"],
    examples: { first: { summary: "The first five", query: { size: "5" } } },
  },
  "POST /v1/jobs/:id/cancel": {
    id: "cancelJob",
    tag: "Jobs",
    summary: "Cancel a job",
    description:
      "No attempt starts after the answer. One that is in flight can no longer change the job; a pull worker learns of it " +
      "from its next heartbeat or report.",
    answer: { data: "Job", message: "Job cancelled." },
    refuses: ["job_not_found", "job_not_cancellable"],
  },
  "POST /v1/jobs/:id/retry": {
    id: "retryJob",
    tag: "Jobs",
    summary: "Retry a job that failed or was cancelled",
    description: "The job is due now, with a fresh budget of retries.",
    answer: { data: "Job", message: "Job is due again." },
    refuses: ["job_not_found", "job_not_retryable"],
  },
};
