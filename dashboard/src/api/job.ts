// A job and an execution as the API shows them. The SDK has the types; here are the names that the pages use.

export type { JobStatus } from "../../../sdk/src/job.ts";
export type { WireExecution as Execution, WireJob as Job } from "../../../sdk/src/wire.ts";

import type { JobStatus } from "../../../sdk/src/job.ts";

export const STATUSES = ["pending", "queued", "running", "retrying", "completed", "failed", "cancelled"] as const;

/** Why an attempt, or a whole job, failed. */
export const ERROR_CODES = [
  "http_status",
  "timeout",
  "network",
  "redirect",
  "blocked_target",
  "handler_error",
  "lease_expired",
  "platform",
  "expired",
] as const;

/** Of a push. The usual one comes first. */
export const METHODS = ["POST", "GET", "PUT", "PATCH", "DELETE"] as const;

/** Of a delay, an expiry, an interval. */
export const UNITS = ["second", "minute", "hour", "day", "week"] as const;

/** What can be done to a job that exists. */
export type Verb = "cancel" | "retry" | "run" | "delete";

/** In which statuses the service allows it. */
const ALLOWED: Readonly<Record<Verb | "edit", readonly JobStatus[]>> = {
  run: ["pending", "retrying"],
  retry: ["failed", "cancelled"],
  cancel: ["pending", "queued", "running", "retrying"],
  edit: ["pending", "retrying"],
  delete: ["completed", "failed", "cancelled"],
};

export const statusesFor = (verb: Verb | "edit"): readonly JobStatus[] => ALLOWED[verb];

export const isAllowed = (verb: Verb | "edit", status: JobStatus): boolean => ALLOWED[verb].includes(status);
