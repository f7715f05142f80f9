// D1's tables. `WITHOUT ROWID` (added to the generated migration by hand, drizzle has no word for it) and few indexes:
// every row and every index entry written is paid for. Times are epoch milliseconds.

import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";
import type { MoveStage } from "../domain/account-move.ts";
import type { BulkAction } from "../domain/bulk-action.ts";
import type { EventType } from "../domain/event.ts";
import type { Flow } from "../domain/flow.ts";
import type {
  Callbacks,
  Delivery,
  ExecutionStatus,
  Fault,
  JobStatus,
  Origin,
  PushResponse,
  Trigger,
} from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import type { KeyScope } from "../domain/key-scope.ts";
import type { Backoff } from "../domain/retry-policy.ts";
import type { Schedule, ScheduleStatus } from "../domain/schedule.ts";
import type { FailureCode } from "../domain/tally.ts";

const counter = (name: string) => integer(name).notNull().default(0);

export const accounts = sqliteTable(
  "accounts",
  {
    id: text().primaryKey(),
    name: text().notNull(),
    status: text().$type<"active" | "suspended" | "deleted">().notNull(),
    /** Counts the rotations of the signing secret; the one before is in force beside it until the overlap ends. */
    signingVersion: integer("signing_version").notNull().default(1),
    overlapEndsAt: integer("overlap_ends_at"),
    /** Which master key this version of the secret, and the one before it, was first issued with. */
    masterKeyId: text("master_key_id").notNull(),
    previousMasterKeyId: text("previous_master_key_id"),
    createdAt: integer("created_at").notNull(),
    /** The number of the database that holds its rows, and of the one it moves to. */
    database: integer().notNull().default(0),
    movingTo: integer("moving_to"),
    /** Counts the tries of its moves: the switch of an earlier try finds a higher number, and does nothing. */
    moveAttempt: integer("move_attempt").notNull().default(0),
  },
  (t) => [index("accounts_moving").on(t.movingTo).where(sql`moving_to IS NOT NULL`)],
);

export const apiKeys = sqliteTable(
  "api_keys",
  {
    /** SHA-256 of the key, hex. The key itself is shown once and never stored. */
    hash: text().primaryKey(),
    accountId: text("account_id").notNull(),
    id: text().notNull(),
    name: text().notNull(),
    /** The key's first characters, so that people can tell their keys apart. */
    prefix: text().notNull(),
    scope: text().$type<KeyScope>().notNull(),
    /** null: it does not expire. */
    expiresAt: integer("expires_at"),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [index("api_keys_account").on(t.accountId, t.createdAt)],
);

/**
 * Statuses that a short, successful job never reports, so this partial index costs it nothing. A query finds the index by
 * repeating these very words.
 */
export const UNUSUAL = sql`status NOT IN ('pending', 'completed')`;

/**
 * A job with its newest execution. Without payload and result a row stays below 1,000 bytes (report.ts sees to it): beyond that
 * SQLite puts it on a page of its own. So those two are the last columns.
 */
export const jobs = sqliteTable(
  "jobs",
  {
    accountId: text("account_id").notNull(),
    /** Begins with the time the job was made: the primary key is the order of lists. */
    id: text().notNull(),
    status: text().$type<JobStatus>().notNull(),
    /**
     * The owner's revision this row shows. 0 until the first report, which for a waiting job is its first attempt; below 0 it
     * counts the changes that were made to a row without an owner.
     */
    revision: integer().notNull().default(0),
    /** By when the owner will have reported again; null once the job has ended. */
    reportDueAt: integer("report_due_at"),
    /** How often the sweeper has asked since the owner last reported. */
    sweeps: integer().notNull().default(0),

    scheduleId: text("schedule_id"),
    origin: text().$type<Origin>().notNull(),
    name: text().notNull(),
    handler: text(),
    delivery: text({ mode: "json" }).$type<Delivery>().notNull(),
    timeoutSeconds: integer("timeout_seconds").notNull(),
    maxRetries: integer("max_retries").notNull(),
    backoff: text({ mode: "json" }).$type<Backoff>(),
    expiresAfterMs: integer("expires_after_ms"),
    /** null: none. */
    tags: text({ mode: "json" }).$type<readonly string[]>(),
    flow: text(),
    callbacks: text({ mode: "json" }).$type<Callbacks>(),
    idempotencyKey: text("idempotency_key"),
    traceparent: text(),
    scheduledFor: integer("scheduled_for").notNull(),

    runAt: integer("run_at"),
    expiresAt: integer("expires_at"),
    /** What makes the next attempt start, if it is neither its time nor a retry. */
    trigger: text().$type<Trigger>(),
    /** The bulk actions that changed it last, newest first. */
    operation: text(),
    attempt: integer().notNull().default(0),
    started: integer().notNull().default(0),
    tries: integer().notNull().default(0),
    interruptions: integer().notNull().default(0),
    lastError: text("last_error", { mode: "json" }).$type<Fault>(),
    updatedAt: integer("updated_at").notNull(),
    completedAt: integer("completed_at"),

    /** The newest execution; its number is `attempt`, its error, if it failed, `last_error`. */
    executionId: text("execution_id"),
    executionTrigger: text("execution_trigger").$type<Trigger>(),
    executionStatus: text("execution_status").$type<ExecutionStatus>(),
    workerId: text("worker_id"),
    dueAt: integer("due_at"),
    startedAt: integer("started_at"),
    settledAt: integer("settled_at"),
    /** null as well when it is too large for this row: then the execution is in the executions table. */
    response: text({ mode: "json" }).$type<PushResponse>(),
    /** The same. */
    progress: text().$type<JsonText>(),
    /** The stamp it was counted with once it had settled, see domain/tally.ts. */
    tally: integer(),

    payload: text().$type<JsonText>(),
    result: text().$type<JsonText>(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.id] }),
    uniqueIndex("jobs_idempotency").on(t.accountId, t.idempotencyKey).where(sql`idempotency_key IS NOT NULL`),
    index("jobs_report_due").on(t.reportDueAt).where(sql`report_due_at IS NOT NULL`),
    index("jobs_status").on(t.accountId, t.status).where(UNUSUAL),
    index("jobs_schedule").on(t.accountId, t.scheduleId).where(sql`schedule_id IS NOT NULL`),
  ],
);

/** Executions that were superseded by a later attempt, and those whose response or progress is too large for the job's row. */
export const executions = sqliteTable(
  "executions",
  {
    accountId: text("account_id").notNull(),
    jobId: text("job_id").notNull(),
    attempt: integer().notNull(),
    id: text().notNull(),
    trigger: text().$type<Trigger>().notNull(),
    status: text().$type<ExecutionStatus>().notNull(),
    workerId: text("worker_id"),
    dueAt: integer("due_at").notNull(),
    startedAt: integer("started_at"),
    completedAt: integer("completed_at"),
    response: text({ mode: "json" }).$type<PushResponse>(),
    error: text({ mode: "json" }).$type<Fault>(),
    progress: text().$type<JsonText>(),
    revision: integer().notNull(),
    /** As in jobs; it moves here with its execution. */
    tally: integer(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.jobId, t.attempt] })],
);

export const schedules = sqliteTable(
  "schedules",
  {
    accountId: text("account_id").notNull(),
    /** Begins with the time the schedule was made: the primary key is the order of lists. */
    id: text().notNull(),
    status: text().$type<ScheduleStatus>().notNull(),
    handler: text(),
    revision: integer().notNull(),
    reportDueAt: integer("report_due_at"),
    sweeps: integer().notNull().default(0),
    idempotencyKey: text("idempotency_key"),
    /** The schedule as its owner last reported it, read through `upgradeSchedule`. */
    state: text({ mode: "json" }).$type<Schedule>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.id] }),
    index("schedules_report_due").on(t.reportDueAt).where(sql`report_due_at IS NOT NULL`),
    uniqueIndex("schedules_idempotency").on(t.accountId, t.idempotencyKey).where(sql`idempotency_key IS NOT NULL`),
  ],
);

/** The flows of an account: for lists. How a flow stands, its object knows. */
export const flows = sqliteTable(
  "flows",
  {
    accountId: text("account_id").notNull(),
    key: text().notNull(),
    revision: integer().notNull(),
    /** The flow as its object last wrote it, read through `upgradeFlow`. */
    state: text({ mode: "json" }).$type<Flow>().notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.key] })],
);

export const bulkActions = sqliteTable(
  "bulk_actions",
  {
    accountId: text("account_id").notNull(),
    /** Begins with the time it was asked for: the primary key is the order of lists. */
    id: text().notNull(),
    revision: integer().notNull(),
    /** By when its object will have reported again; null once it is over. */
    reportDueAt: integer("report_due_at"),
    sweeps: integer().notNull().default(0),
    /** The action as its object last reported it. */
    state: text({ mode: "json" }).$type<BulkAction>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.id] }),
    index("bulk_actions_report_due").on(t.reportDueAt).where(sql`report_due_at IS NOT NULL`),
  ],
);

/** The handlers an account has used of late. */
export const handlers = sqliteTable(
  "handlers",
  {
    accountId: text("account_id").notNull(),
    handler: text().notNull(),
    /** When it was last noted to be in use: at most once a day. */
    seenAt: integer("seen_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.handler] })],
);

/** Who is told of what happens in an account. */
export const webhooks = sqliteTable(
  "webhooks",
  {
    accountId: text("account_id").notNull(),
    /** Begins with the time it was made: the primary key is the order of lists. */
    id: text().notNull(),
    url: text().notNull(),
    events: text({ mode: "json" }).$type<readonly EventType[]>().notNull(),
    description: text(),
    enabled: integer({ mode: "boolean" }).notNull(),
    /** Why the service has disabled it; null when a person did, or it is enabled. */
    disabledReason: text("disabled_reason"),
    /** The first failure behind the last delivery that succeeded; null when there is none. */
    failingSince: integer("failing_since"),
    updatedAt: integer("updated_at").notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.id] })],
);

/**
 * The ids of what was deleted within the hour: a statement that would insert it once more may still be on its way. No two accounts share an
 * id, so none is kept beside it.
 */
export const tombstones = sqliteTable("tombstones", {
  id: text().primaryKey(),
  deletedAt: integer("deleted_at").notNull(),
});

/** How far the look ahead has come; one row. */
export const lookAhead = sqliteTable("look_ahead", {
  id: integer().primaryKey(),
  dueAt: integer("due_at").notNull(),
  accountId: text("account_id").notNull(),
  jobId: text("job_id").notNull(),
});

/** Where retention stopped on its walk through old rows; one row. */
export const retentionWalk = sqliteTable("retention_walk", {
  id: integer().primaryKey(),
  startedAt: integer("started_at").notNull(),
  accountId: text("account_id").notNull(),
  jobId: text("job_id").notNull(),
});

/**
 * What the overview shows: a row for each account and minute in which something was counted, and one with minute 0 for all that
 * was ever counted. `late_<n>` counts the starts that were at most n ms late and later than the bound before; what is later than
 * all of them is in `started` alone.
 */
export const overview = sqliteTable(
  "overview",
  {
    accountId: text("account_id").notNull(),
    /** The beginning of the minute; 0 is the total. */
    minute: integer().notNull(),
    started: counter("started"),
    completed: counter("completed"),
    failed: counter("failed"),
    retried: counter("retried"),
    lateSum: counter("late_sum"),
    lateMax: counter("late_max"),
    late10: counter("late_10"),
    late20: counter("late_20"),
    late50: counter("late_50"),
    late100: counter("late_100"),
    late200: counter("late_200"),
    late500: counter("late_500"),
    late1000: counter("late_1000"),
    late2000: counter("late_2000"),
    late5000: counter("late_5000"),
    late10000: counter("late_10000"),
    late30000: counter("late_30000"),
    late60000: counter("late_60000"),
    late300000: counter("late_300000"),
    late900000: counter("late_900000"),
    late3600000: counter("late_3600000"),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.minute] })],
);

/** Failures of a quarter of an hour, in groups. A text that there is none of is empty: the key has no NULL. */
export const failures = sqliteTable(
  "failures",
  {
    accountId: text("account_id").notNull(),
    slot: integer().notNull(),
    errorCode: text("error_code").$type<FailureCode>().notNull(),
    handler: text().notNull(),
    host: text().notNull(),
    count: integer().notNull(),
    /** The newest of them, and whose it is. */
    lastAt: integer("last_at").notNull(),
    jobId: text("job_id").notNull(),
  },
  (t) => [primaryKey({ columns: [t.accountId, t.slot, t.errorCode, t.handler, t.host] })],
);

/** Epochs whose stamps are on rows and whose counts are not in the overview yet: held in memory, or lost and to be recounted. */
export const tallyEpochs = sqliteTable("tally_epochs", {
  id: integer().primaryKey(),
  openedAt: integer("opened_at").notNull(),
  /** From then on nothing is stamped with it, and it is not flushed: its stamps are recounted. */
  claimedAt: integer("claimed_at"),
  /** The step at which the walk that recounts it began. */
  walk: integer(),
  /** Kept for a day afterwards, so that a batch that comes late finds it claimed. */
  countedAt: integer("counted_at"),
});

/** How far the recount has come; one row. */
export const recountWalk = sqliteTable("recount_walk", {
  id: integer().primaryKey(),
  /** Counts what the walk has written: a step that is repeated finds another number. */
  step: integer().notNull(),
  accountId: text("account_id").notNull(),
  jobId: text("job_id").notNull(),
  attempt: integer().notNull(),
});

/** How accounts stand in this database that move, or have moved from or to it. In most databases there are none. */
export const accountMoves = sqliteTable("account_moves", {
  accountId: text("account_id").primaryKey(),
  stage: text().$type<MoveStage>().notNull(),
  /** Counts the tries of all moves of the account. */
  attempt: integer().notNull(),
});
