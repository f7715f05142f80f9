// One example of everything that can stand in `data`.

import type * as v from "valibot";
import type { ANSWERS, AnswerName } from "./answers.ts";
import { OVERVIEW_EXAMPLE } from "./overview-answer.ts";

type Examples = { [Name in AnswerName]: v.InferInput<(typeof ANSWERS)[Name]> };

const JOB = "0b6f0a3c-9a53-4d6e-8f0e-3c2f3f1b7c55";
const EXECUTION = "7d44fe73-7a9f-4a3e-8f0c-52f2a8a7e2a1";
const WEBHOOK = "019bc0e0-5a80-400c-8e5d-2f9b6c1a7d10";
const ACCOUNT = "5a1a3c46-7d0f-4a57-a3b7-0f6a0c9e1d22";
const KEY = "c2f7d9b1-2f3e-4c55-9b1e-6b8a1f0d4e33";

const job: Examples["Job"] = {
  id: JOB,
  schedule_id: null,
  name: "Welcome mail",
  handler: "send-welcome",
  status: "pending",
  payload: { to: "ada@example.com" },
  delivery: {
    type: "push",
    http: { url: "https://example.com/jobs", method: "POST", headers: { "X-Team": "growth" } },
  },
  timeout: 30,
  max_retries: 3,
  backoff: null,
  tags: ["growth"],
  flow: null,
  callbacks: null,
  origin: "api",
  idempotency_key: null,
  scheduled_for: "2026-01-15T11:00:00.000Z",
  run_at: "2026-01-15T11:00:00.000Z",
  expires_at: null,
  attempts: 0,
  last_error: null,
  result: null,
  created_at: "2026-01-15T09:00:00.000Z",
  updated_at: "2026-01-15T09:00:00.000Z",
  completed_at: null,
  revision: 1,
};

const flow: Examples["Flow"] = {
  key: "mail-provider",
  concurrency: 5,
  rate: { limit: 100, period: { value: 1, unit: "minute" } },
  breaker: { failures: 10, pause: { value: 1, unit: "minute" } },
  paused: false,
  paused_until: null,
  waiting: 12,
  running: 5,
  oldest_waiting_since: "2026-01-15T08:59:58.000Z",
  revision: 2,
  created_at: "2026-01-10T12:00:00.000Z",
  updated_at: "2026-01-12T08:30:00.000Z",
};

const schedule: Examples["Schedule"] = {
  id: "e1f0c8a7-6b1d-4f6e-9a53-1d0e8f7c2b44",
  name: "Weekly report",
  description: null,
  status: "active",
  handler: null,
  cron: "0 9 * * 1",
  interval: null,
  timezone: "Europe/London",
  runs: null,
  stop_at: null,
  delivery: { type: "push", http: { url: "https://example.com/reports", method: "POST", headers: {} } },
  payload: null,
  timeout: 30,
  max_retries: 3,
  backoff: null,
  expires_after: null,
  tags: [],
  flow: null,
  callbacks: null,
  overlap: "allow",
  idempotency_key: null,
  next_run_at: "2026-01-19T09:00:00.000Z",
  last_run_at: null,
  run_count: 0,
  missed_runs: 0,
  skipped_runs: 0,
  created_at: "2026-01-15T09:00:00.000Z",
  updated_at: "2026-01-15T09:00:00.000Z",
  revision: 0,
};

const bulkAction: Examples["BulkAction"] = {
  id: "019bc0e0-5a80-4005-9b1e-6b8a1f0d4e33",
  action: "cancel",
  status: "running",
  matched: 300,
  done: 197,
  skipped: 3,
  failed: 0,
  created_at: "2026-01-15T09:00:00.000Z",
  completed_at: null,
};

const account: Examples["Account"] = {
  id: ACCOUNT,
  name: "growth",
  status: "active",
  database: 0,
  moving_to: null,
  created_at: "2026-01-15T09:00:00.000Z",
};

const apiKey: Examples["ApiKey"] = {
  id: KEY,
  name: "worker in Frankfurt",
  prefix: "chrns_AbCdEf",
  scope: "worker",
  expires_at: null,
  created_at: "2026-01-15T09:00:00.000Z",
};

export const DATA_EXAMPLES: Examples = {
  Nothing: null,
  Job: job,
  JobNow: {
    ...job,
    name: "Resize a picture",
    handler: "resize",
    status: "queued",
    payload: { picture: 4711 },
    delivery: { type: "pull" },
    waiting_on: {
      reason: "no_worker",
      message:
        "No worker has asked for `resize` since 2026-01-15 10:58:12 UTC; 214 jobs wait. Start a worker for this handler, or check " +
        "that its API key and handler name are right. A worker that is busy asks again when it has room.",
      since: "2026-01-15T11:00:00.003Z",
      until: null,
    },
  },
  JobOfBatch: { status: 201, job },
  Execution: {
    id: EXECUTION,
    job_id: JOB,
    attempt: 1,
    trigger: "scheduled",
    status: "failed",
    worker_id: null,
    due_at: "2026-01-15T11:00:00.000Z",
    started_at: "2026-01-15T11:00:00.004Z",
    completed_at: "2026-01-15T11:00:00.120Z",
    lateness_ms: 4,
    response: { status: 500, headers: { "content-type": "text/plain" }, body: "out of stamps", truncated: false },
    result: null,
    error: { code: "http_status", message: "The target answered 500." },
    progress: null,
  },
  BulkAction: bulkAction,
  BulkDryRun: {
    ...bulkAction,
    id: null,
    status: "completed",
    done: 0,
    skipped: 0,
    completed_at: "2026-01-15T09:00:00.000Z",
  },
  Schedule: schedule,
  Flow: flow,
  Tick: { utc: "2026-03-29T01:00:00.000Z", local: "2026-03-29T02:00:00.000+01:00" },
  Webhook: {
    id: WEBHOOK,
    url: "https://example.com/webhooks/chronos",
    events: ["job.failed", "job.recovered"],
    description: "Pages the team",
    enabled: true,
    disabled_reason: null,
    failing_since: null,
    created_at: "2026-01-15T09:00:00.000Z",
    updated_at: "2026-01-15T09:00:00.000Z",
  },
  JobEvent: {
    type: "job.failed",
    timestamp: "2026-01-15T11:00:07.412Z",
    data: {
      ...job,
      status: "failed",
      run_at: null,
      attempts: 4,
      last_error: { code: "http_status", message: "The target answered 500." },
      updated_at: "2026-01-15T11:00:07.412Z",
      completed_at: "2026-01-15T11:00:07.412Z",
      revision: 9,
    },
  },
  ScheduleEvent: {
    type: "schedule.missed",
    timestamp: "2026-01-26T09:00:03.120Z",
    data: { ...schedule, last_run_at: "2026-01-26T09:00:00.000Z", run_count: 1, missed_runs: 1, revision: 3 },
  },
  FlowEvent: {
    type: "flow.paused",
    timestamp: "2026-01-15T09:00:00.000Z",
    data: { ...flow, paused_until: "2026-01-15T09:01:00.000Z" },
  },
  TestEvent: { type: "webhook.test", timestamp: "2026-01-15T09:00:00.000Z", data: { webhook_id: WEBHOOK } },
  ApiKey: apiKey,
  NewApiKey: { ...apiKey, key: "chrns_…" },
  SigningSecret: { signing_secret: "whsec_…", previous_signing_secret: null, previous_valid_until: null },
  Claimed: {
    job_id: JOB,
    execution_id: EXECUTION,
    handler: "resize",
    attempt: 1,
    scheduled_for: "2026-01-15T11:00:00.000Z",
    payload: { picture: 4711 },
    timeout: 300,
    traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    lease_expires_at: "2026-01-15T11:05:00.000Z",
  },
  Reported: { status: 200, job: { ...job, status: "completed", result: { width: 640 } } },
  Handler: {
    handler: "resize",
    unavailable: false,
    waiting: 214,
    oldest_due_at: "2026-01-15T11:00:00.000Z",
    last_poll_at: "2026-01-15T11:04:58.120Z",
    workers: [{ worker_id: "worker-1", last_poll_at: "2026-01-15T11:04:58.120Z" }],
  },
  Heartbeat: { lease_expires_at: "2026-01-15T11:07:30.000Z", cancel_requested: false },
  Overview: OVERVIEW_EXAMPLE,
  Account: account,
  NewAccount: { ...account, api_key: "chrns_…", signing_secret: "whsec_…" },
  Deleted: { id: KEY },
  Health: { status: "ok" },
  About: {
    name: "Chronos on the edge",
    healthy: true,
    docs: "docs",
    openapi: "openapi.json",
    health: "health",
  },
  DeliveryBody: {
    job_id: JOB,
    handler: "send-welcome",
    execution_id: EXECUTION,
    scheduled_for: "2026-01-15T11:00:00.000Z",
    attempt: 1,
    payload: { to: "ada@example.com" },
  },
  Paging: { page: 1, pages: 1, size: 20, total: 1 },
};
