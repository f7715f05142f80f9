CREATE TABLE `account_moves` (
	`account_id` text PRIMARY KEY NOT NULL,
	`stage` text NOT NULL,
	`attempt` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`signing_version` integer DEFAULT 1 NOT NULL,
	`overlap_ends_at` integer,
	`master_key_id` text NOT NULL,
	`previous_master_key_id` text,
	`created_at` integer NOT NULL,
	`database` integer DEFAULT 0 NOT NULL,
	`moving_to` integer,
	`move_attempt` integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE INDEX `accounts_moving` ON `accounts` (`moving_to`) WHERE moving_to IS NOT NULL;--> statement-breakpoint
CREATE TABLE `api_keys` (
	`hash` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`prefix` text NOT NULL,
	`scope` text NOT NULL,
	`expires_at` integer,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `api_keys_account` ON `api_keys` (`account_id`,`created_at`);--> statement-breakpoint
CREATE TABLE `bulk_actions` (
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`revision` integer NOT NULL,
	`report_due_at` integer,
	`sweeps` integer DEFAULT 0 NOT NULL,
	`state` text NOT NULL,
	PRIMARY KEY(`account_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `bulk_actions_report_due` ON `bulk_actions` (`report_due_at`) WHERE report_due_at IS NOT NULL;--> statement-breakpoint
CREATE TABLE `executions` (
	`account_id` text NOT NULL,
	`job_id` text NOT NULL,
	`attempt` integer NOT NULL,
	`id` text NOT NULL,
	`trigger` text NOT NULL,
	`status` text NOT NULL,
	`worker_id` text,
	`due_at` integer NOT NULL,
	`started_at` integer,
	`completed_at` integer,
	`response` text,
	`error` text,
	`progress` text,
	`revision` integer NOT NULL,
	`tally` integer,
	PRIMARY KEY(`account_id`, `job_id`, `attempt`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `failures` (
	`account_id` text NOT NULL,
	`slot` integer NOT NULL,
	`error_code` text NOT NULL,
	`handler` text NOT NULL,
	`host` text NOT NULL,
	`count` integer NOT NULL,
	`last_at` integer NOT NULL,
	`job_id` text NOT NULL,
	PRIMARY KEY(`account_id`, `slot`, `error_code`, `handler`, `host`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `flows` (
	`account_id` text NOT NULL,
	`key` text NOT NULL,
	`revision` integer NOT NULL,
	`state` text NOT NULL,
	PRIMARY KEY(`account_id`, `key`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `handlers` (
	`account_id` text NOT NULL,
	`handler` text NOT NULL,
	`seen_at` integer NOT NULL,
	PRIMARY KEY(`account_id`, `handler`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `jobs` (
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`status` text NOT NULL,
	`revision` integer DEFAULT 0 NOT NULL,
	`report_due_at` integer,
	`sweeps` integer DEFAULT 0 NOT NULL,
	`schedule_id` text,
	`origin` text NOT NULL,
	`name` text NOT NULL,
	`handler` text,
	`delivery` text NOT NULL,
	`timeout_seconds` integer NOT NULL,
	`max_retries` integer NOT NULL,
	`backoff` text,
	`expires_after_ms` integer,
	`tags` text,
	`flow` text,
	`callbacks` text,
	`idempotency_key` text,
	`traceparent` text,
	`scheduled_for` integer NOT NULL,
	`run_at` integer,
	`expires_at` integer,
	`trigger` text,
	`operation` text,
	`attempt` integer DEFAULT 0 NOT NULL,
	`started` integer DEFAULT 0 NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`interruptions` integer DEFAULT 0 NOT NULL,
	`last_error` text,
	`updated_at` integer NOT NULL,
	`completed_at` integer,
	`execution_id` text,
	`execution_trigger` text,
	`execution_status` text,
	`worker_id` text,
	`due_at` integer,
	`started_at` integer,
	`settled_at` integer,
	`response` text,
	`progress` text,
	`tally` integer,
	`payload` text,
	`result` text,
	PRIMARY KEY(`account_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_idempotency` ON `jobs` (`account_id`,`idempotency_key`) WHERE idempotency_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_report_due` ON `jobs` (`report_due_at`) WHERE report_due_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_status` ON `jobs` (`account_id`,`status`) WHERE status NOT IN ('pending', 'completed');--> statement-breakpoint
CREATE INDEX `jobs_schedule` ON `jobs` (`account_id`,`schedule_id`) WHERE schedule_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `look_ahead` (
	`id` integer PRIMARY KEY NOT NULL,
	`due_at` integer NOT NULL,
	`account_id` text NOT NULL,
	`job_id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `overview` (
	`account_id` text NOT NULL,
	`minute` integer NOT NULL,
	`started` integer DEFAULT 0 NOT NULL,
	`completed` integer DEFAULT 0 NOT NULL,
	`failed` integer DEFAULT 0 NOT NULL,
	`retried` integer DEFAULT 0 NOT NULL,
	`late_sum` integer DEFAULT 0 NOT NULL,
	`late_max` integer DEFAULT 0 NOT NULL,
	`late_10` integer DEFAULT 0 NOT NULL,
	`late_20` integer DEFAULT 0 NOT NULL,
	`late_50` integer DEFAULT 0 NOT NULL,
	`late_100` integer DEFAULT 0 NOT NULL,
	`late_200` integer DEFAULT 0 NOT NULL,
	`late_500` integer DEFAULT 0 NOT NULL,
	`late_1000` integer DEFAULT 0 NOT NULL,
	`late_2000` integer DEFAULT 0 NOT NULL,
	`late_5000` integer DEFAULT 0 NOT NULL,
	`late_10000` integer DEFAULT 0 NOT NULL,
	`late_30000` integer DEFAULT 0 NOT NULL,
	`late_60000` integer DEFAULT 0 NOT NULL,
	`late_300000` integer DEFAULT 0 NOT NULL,
	`late_900000` integer DEFAULT 0 NOT NULL,
	`late_3600000` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`account_id`, `minute`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `recount_walk` (
	`id` integer PRIMARY KEY NOT NULL,
	`step` integer NOT NULL,
	`account_id` text NOT NULL,
	`job_id` text NOT NULL,
	`attempt` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `retention_walk` (
	`id` integer PRIMARY KEY NOT NULL,
	`started_at` integer NOT NULL,
	`account_id` text NOT NULL,
	`job_id` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `schedules` (
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`status` text NOT NULL,
	`handler` text,
	`revision` integer NOT NULL,
	`report_due_at` integer,
	`sweeps` integer DEFAULT 0 NOT NULL,
	`idempotency_key` text,
	`state` text NOT NULL,
	PRIMARY KEY(`account_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `schedules_report_due` ON `schedules` (`report_due_at`) WHERE report_due_at IS NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX `schedules_idempotency` ON `schedules` (`account_id`,`idempotency_key`) WHERE idempotency_key IS NOT NULL;--> statement-breakpoint
CREATE TABLE `tally_epochs` (
	`id` integer PRIMARY KEY NOT NULL,
	`opened_at` integer NOT NULL,
	`claimed_at` integer,
	`walk` integer,
	`counted_at` integer
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `tombstones` (
	`id` text PRIMARY KEY NOT NULL,
	`deleted_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `webhooks` (
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`url` text NOT NULL,
	`events` text NOT NULL,
	`description` text,
	`enabled` integer NOT NULL,
	`disabled_reason` text,
	`failing_since` integer,
	`updated_at` integer NOT NULL,
	PRIMARY KEY(`account_id`, `id`)
) WITHOUT ROWID;
