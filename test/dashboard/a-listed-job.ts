// A job as a list shows it, for tests of the dashboard.

import type { Job } from "../../dashboard/src/api/job.ts";

export const AT = "2026-11-27T06:00:00.000Z";

const PLAIN: Job = {
  id: "01a21bb9-682f-4005-8d10-c9f9c4977b87",
  schedule_id: null,
  name: "send a mail",
  handler: "send-mail",
  status: "pending",
  payload: null,
  payload_text: null,
  delivery: { type: "pull" },
  timeout: 30,
  max_retries: 3,
  backoff: null,
  tags: [],
  flow: null,
  callbacks: null,
  origin: "api",
  idempotency_key: null,
  scheduled_for: AT,
  run_at: AT,
  expires_at: null,
  attempts: 0,
  last_error: null,
  result: null,
  result_text: null,
  created_at: AT,
  updated_at: AT,
  completed_at: null,
  revision: 1,
  waiting_on: null,
};

export const aJob = (more: Partial<Job> = {}): Job => Object.assign({}, PLAIN, more);
