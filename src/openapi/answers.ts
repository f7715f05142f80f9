// What the service answers with, field by field. `describes` holds each schema to what the routes really show.

import * as v from "valibot";
import { EVENT_TYPES } from "../domain/event.ts";
import { FAULT_CODES } from "../domain/job.ts";
import type { showFlow } from "../domain/show-flow.ts";
import type { showExecution, showJob, showWaitingJob, showWaitingOn } from "../domain/show-job.ts";
import type { showSchedule, showTick } from "../domain/show-schedule.ts";
import type { showKey } from "../routes/api-keys.ts";
import type { showHandler } from "../routes/handlers.ts";
import type { showBulkAction, showDryRun } from "../routes/show-bulk-action.ts";
import type { showOverview } from "../routes/show-overview.ts";
import type { showWebhook } from "../routes/webhooks.ts";
import { count, time, uuid } from "./answer-parts.ts";
import { Overview } from "./overview-answer.ts";

/** Refuses, at compile time, a schema that lacks a field of what is shown. */
const describes =
  <Shown>() =>
  <S extends v.GenericSchema<{ [K in keyof Shown]: unknown }>>(schema: S) =>
    schema;

const anything = v.unknown();
const object = v.record(v.string(), v.unknown());
const texts = v.record(v.string(), v.string());

const JobStatus = v.picklist(["pending", "queued", "running", "retrying", "completed", "failed", "cancelled"]);
const Fault = v.object({ code: v.picklist(FAULT_CODES), message: v.pipe(v.string(), v.maxLength(4096)) });
const Delivery = v.variant("type", [
  v.object({
    type: v.literal("push"),
    http: v.object({
      url: v.string(),
      method: v.picklist(["GET", "POST", "PUT", "PATCH", "DELETE"]),
      headers: texts,
    }),
  }),
  v.object({ type: v.literal("pull"), queue: v.optional(v.string()) }),
]);

const Backoff = v.variant("type", [
  v.object({ type: v.literal("exponential"), initial: count, max: count, jitter: v.boolean() }),
  v.object({ type: v.literal("fixed"), initial: count, max: count, jitter: v.boolean() }),
  v.object({ type: v.literal("list"), delays: v.array(count) }),
]);
const Callback = v.object({ url: v.string(), headers: texts });
const Callbacks = v.object({
  completed: v.optional(v.pipe(Callback, v.description("Told when the job has completed."))),
  failed: v.optional(v.pipe(Callback, v.description("Told when the job has failed for good."))),
});
const Duration = v.object({ value: count, unit: v.picklist(["second", "minute", "hour", "day", "week"]) });

const Job = describes<ReturnType<typeof showJob>>()(
  v.object({
    id: uuid,
    schedule_id: v.nullable(uuid),
    name: v.string(),
    handler: v.nullable(v.string()),
    status: JobStatus,
    payload: v.nullable(object),
    delivery: Delivery,
    timeout: count,
    max_retries: count,
    backoff: v.nullable(Backoff),
    tags: v.array(v.string()),
    flow: v.nullable(v.string()),
    callbacks: v.nullable(Callbacks),
    origin: v.picklist(["api", "schedule", "event"]),
    idempotency_key: v.nullable(v.string()),
    scheduled_for: time,
    run_at: v.nullable(time),
    expires_at: v.nullable(time),
    attempts: count,
    last_error: v.nullable(Fault),
    result: anything,
    created_at: time,
    updated_at: time,
    completed_at: v.nullable(time),
    revision: count,
  }),
);

const Execution = describes<ReturnType<typeof showExecution>>()(
  v.object({
    id: uuid,
    job_id: uuid,
    attempt: count,
    trigger: v.picklist(["scheduled", "system_retry", "manual_retry", "manual_run"]),
    status: v.picklist(["queued", "running", "completed", "failed", "timed_out", "cancelled", "interrupted"]),
    worker_id: v.nullable(v.string()),
    due_at: time,
    started_at: v.nullable(time),
    completed_at: v.nullable(time),
    lateness_ms: v.nullable(v.pipe(v.number(), v.metadata({ type: "integer" }))),
    response: v.nullable(v.object({ status: count, headers: texts, body: v.string(), truncated: v.boolean() })),
    result: anything,
    error: v.nullable(Fault),
    progress: anything,
  }),
);

const Schedule = describes<ReturnType<typeof showSchedule>>()(
  v.object({
    id: uuid,
    name: v.string(),
    description: v.nullable(v.string()),
    status: v.picklist(["active", "paused", "completed", "archived"]),
    handler: v.nullable(v.string()),
    cron: v.nullable(v.string()),
    interval: v.nullable(Duration),
    timezone: v.string(),
    runs: v.nullable(count),
    stop_at: v.nullable(time),
    delivery: Delivery,
    payload: v.nullable(object),
    timeout: count,
    max_retries: count,
    backoff: v.nullable(Backoff),
    expires_after: v.nullable(Duration),
    tags: v.array(v.string()),
    flow: v.nullable(v.string()),
    callbacks: v.nullable(Callbacks),
    overlap: v.picklist(["allow", "skip"]),
    idempotency_key: v.nullable(v.string()),
    next_run_at: v.nullable(time),
    last_run_at: v.nullable(time),
    run_count: count,
    missed_runs: count,
    skipped_runs: count,
    created_at: time,
    updated_at: time,
    revision: count,
  }),
);

const Flow = describes<ReturnType<typeof showFlow>>()(
  v.object({
    key: v.pipe(v.string(), v.description("Its name: the `flow` of its jobs.")),
    concurrency: v.nullable(count),
    rate: v.nullable(v.object({ limit: count, period: Duration })),
    breaker: v.nullable(v.object({ failures: count, pause: Duration })),
    paused: v.boolean(),
    paused_until: v.nullable(time),
    waiting: v.pipe(count, v.description("Attempts that are due and wait for their turn.")),
    running: count,
    oldest_waiting_since: v.nullable(time),
    revision: count,
    created_at: time,
    updated_at: time,
  }),
);

const counted = {
  action: v.picklist(["cancel", "retry", "run", "delete"]),
  status: v.picklist(["running", "completed", "aborted"]),
  matched: count,
  done: count,
  skipped: count,
  failed: count,
  created_at: time,
  completed_at: v.nullable(time),
};
const BulkAction = describes<ReturnType<typeof showBulkAction>>()(v.object({ id: uuid, ...counted }));
const BulkDryRun = describes<ReturnType<typeof showDryRun>>()(v.object({ id: v.null(), ...counted }));

const Tick = describes<ReturnType<typeof showTick>>()(v.object({ utc: time, local: time }));

const Webhook = describes<ReturnType<typeof showWebhook>>()(
  v.object({
    id: uuid,
    url: v.string(),
    events: v.array(v.picklist(EVENT_TYPES)),
    description: v.nullable(v.string()),
    enabled: v.boolean(),
    disabled_reason: v.nullable(v.string()),
    failing_since: v.nullable(time),
    created_at: time,
    updated_at: time,
  }),
);

/** What is sent to a webhook, or to a job's callback. */
const event = <const T extends readonly [string, ...string[]], S extends v.GenericSchema>(types: T, data: S) =>
  v.object({
    type: v.pipe(v.picklist(types), v.description("What happened.")),
    timestamp: time,
    data,
  });

const ApiKey = describes<ReturnType<typeof showKey>>()(
  v.object({
    id: uuid,
    name: v.string(),
    prefix: v.string(),
    scope: v.picklist(["full", "read", "create", "worker"]),
    expires_at: v.pipe(v.nullable(time), v.description("When the key stops working; null: never.")),
    created_at: time,
  }),
);

const Claimed = v.object({
  job_id: uuid,
  execution_id: uuid,
  handler: v.nullable(v.string()),
  attempt: count,
  scheduled_for: time,
  payload: v.nullable(object),
  timeout: count,
  traceparent: v.optional(v.string()),
  lease_expires_at: time,
});

const Account = v.object({
  id: uuid,
  name: v.string(),
  status: v.picklist(["active", "suspended"]),
  database: count,
  moving_to: v.nullable(count),
  created_at: time,
});

const WaitingOn = describes<ReturnType<typeof showWaitingOn>>()(
  v.object({
    reason: v.picklist([
      "not_due",
      "backoff",
      "waiting_for_worker",
      "no_worker",
      "queue_not_bound",
      "account_suspended",
      "flow_paused",
      "flow_limited",
      "overdue",
    ]),
    message: v.pipe(v.string(), v.metadata({ description: "For people: what it waits for, and what you can do." })),
    since: time,
    until: v.nullable(time),
  }),
);
const JobNow = describes<ReturnType<typeof showWaitingJob>>()(
  v.object({ ...Job.entries, waiting_on: v.nullable(WaitingOn) }),
);

const Handler = describes<ReturnType<typeof showHandler>>()(
  v.variant("unavailable", [
    v.object({
      handler: v.string(),
      unavailable: v.literal(false),
      waiting: count,
      oldest_due_at: v.nullable(time),
      last_poll_at: v.nullable(time),
      workers: v.array(v.object({ worker_id: v.string(), last_poll_at: time })),
    }),
    v.object({
      handler: v.string(),
      unavailable: v.literal(true),
      waiting: v.null(),
      oldest_due_at: v.null(),
      last_poll_at: v.null(),
      workers: v.null(),
    }),
  ]),
);

/** Everything that can stand in `data`, by the name it has in the document. */
export const ANSWERS = {
  Job,
  JobNow,
  JobOfBatch: v.object({
    status: v.picklist([201, 409]),
    code: v.optional(v.literal("idempotency_key_conflict")),
    job: Job,
  }),
  Execution,
  BulkAction,
  BulkDryRun,
  Schedule,
  Flow,
  Tick,
  Webhook,
  JobEvent: event(["job.completed", "job.failed", "job.cancelled", "job.recovered"], Job),
  ScheduleEvent: event(["schedule.missed", "schedule.completed"], Schedule),
  FlowEvent: event(["flow.paused", "flow.resumed"], Flow),
  TestEvent: event(["webhook.test"], v.object({ webhook_id: uuid })),
  ApiKey,
  NewApiKey: v.object({ ...ApiKey.entries, key: v.string() }),
  SigningSecret: v.object({
    signing_secret: v.string(),
    previous_signing_secret: v.nullable(v.string()),
    previous_valid_until: v.nullable(time),
  }),
  Claimed,
  Reported: v.object({
    status: v.picklist([200, 404, 409, 503]),
    code: v.optional(v.picklist(["job_not_found", "lease_lost", "unavailable"])),
    job: v.optional(Job),
  }),
  Handler,
  Heartbeat: v.object({ lease_expires_at: v.nullable(time), cancel_requested: v.boolean() }),
  Overview: describes<ReturnType<typeof showOverview>>()(Overview),
  Account,
  NewAccount: v.object({ ...Account.entries, api_key: v.string(), signing_secret: v.string() }),
  Deleted: v.object({ id: uuid }),
  Nothing: v.null(),
  Health: v.object({ status: v.picklist(["ok", "degraded"]), unanswered: v.optional(v.array(v.string())) }),
  About: v.object({
    name: v.literal("Chronos on the edge"),
    healthy: v.boolean(),
    docs: v.string(),
    openapi: v.string(),
    health: v.string(),
  }),
  DeliveryBody: v.object({
    job_id: uuid,
    handler: v.nullable(v.string()),
    execution_id: uuid,
    scheduled_for: time,
    attempt: count,
    payload: v.nullable(object),
  }),
  Paging: v.object({
    page: count,
    pages: count,
    size: count,
    total: count,
    next_cursor: v.optional(v.nullable(v.string())),
    searched_to: v.optional(time),
  }),
};

export type AnswerName = keyof typeof ANSWERS;
