import type { Operations } from "../operation.ts";

export const bulkActions: Operations = {
  "POST /v1/bulk-actions": {
    id: "createBulkAction",
    tag: "Bulk actions",
    summary: "Cancel, retry, run or delete many jobs",
    description:
      "Give either `filter`, as in lists, or `job_ids`. It runs behind the answer, 100 jobs after 100, newest first, and goes on " +
      "where it was after a crash: each job is changed at most once. Jobs that are created after the request are never touched. " +
      "With `dry_run` nothing is changed: the answer is 200 with the number of jobs that match, up to 10,000. After a 503 the bulk " +
      "action may have been accepted: look into the list.",
    answer: {
      status: 202,
      otherwise: "Nothing was changed.",
      otherwiseData: "BulkDryRun",
      data: "BulkAction",
      message: "Bulk action accepted.",
    },
    examples: {
      tagged: { summary: "Cancel a campaign", body: { action: "cancel", filter: { tag: "newsletter-17" } } },
      failed: {
        summary: "Retry what failed since a moment",
        body: { action: "retry", filter: { status: "failed", created_after: "2026-01-15T09:00:00Z" } },
      },
      ids: {
        summary: "Delete these",
        body: { action: "delete", job_ids: ["0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55"] },
      },
      all: { summary: "Cancel everything", body: { action: "cancel", filter: { all: true } } },
    },
  },
  "GET /v1/bulk-actions": {
    id: "listBulkActions",
    tag: "Bulk actions",
    summary: "List bulk actions",
    description:
      "Newest first. Of one that runs, the list can be some seconds behind; `GET /v1/bulk-actions/{id}` is not. A bulk action is " +
      "kept as long as an ended job.",
    answer: { data: "BulkAction", as: "page", message: "Bulk actions." },
    examples: { all: { summary: "The newest twenty" } },
  },
  "GET /v1/bulk-actions/:id": {
    id: "getBulkAction",
    tag: "Bulk actions",
    summary: "Read a bulk action",
    description: "How far it has come at this moment.",
    answer: { data: "BulkAction", message: "Bulk action." },
    refuses: ["bulk_action_not_found"],
  },
  "POST /v1/bulk-actions/:id/abort": {
    id: "abortBulkAction",
    tag: "Bulk actions",
    summary: "Abort a bulk action",
    description:
      "Up to 100 jobs may be under way: they are still changed and counted, and `completed_at` is null until then. No other job is " +
      "touched, and what has been done stays. One that is over stays as it is, and is the answer.",
    answer: { data: "BulkAction", message: "Bulk action aborted." },
    refuses: ["bulk_action_not_found"],
  },
};
