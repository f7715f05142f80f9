CREATE TABLE `accounts` (
	`id` text PRIMARY KEY NOT NULL,
	`name` text NOT NULL,
	`status` text NOT NULL,
	`signing_version` integer DEFAULT 1 NOT NULL,
	`overlap_ends_at` integer,
	`created_at` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `api_keys` (
	`hash` text PRIMARY KEY NOT NULL,
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`name` text NOT NULL,
	`prefix` text NOT NULL,
	`created_at` integer NOT NULL
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `api_keys_account` ON `api_keys` (`account_id`,`created_at`);--> statement-breakpoint
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
	`revision` integer NOT NULL,
	PRIMARY KEY(`account_id`, `job_id`, `attempt`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE TABLE `jobs` (
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`schedule_id` text,
	`name` text NOT NULL,
	`handler` text,
	`payload` text,
	`delivery` text NOT NULL,
	`timeout_seconds` integer NOT NULL,
	`max_retries` integer NOT NULL,
	`idempotency_key` text,
	`scheduled_for` integer NOT NULL,
	`created_at` integer NOT NULL,
	`status` text NOT NULL,
	`run_at` integer,
	`attempt` integer DEFAULT 0 NOT NULL,
	`started` integer DEFAULT 0 NOT NULL,
	`tries` integer DEFAULT 0 NOT NULL,
	`interruptions` integer DEFAULT 0 NOT NULL,
	`last_error` text,
	`result` text,
	`updated_at` integer NOT NULL,
	`completed_at` integer,
	`revision` integer DEFAULT 0 NOT NULL,
	`attention_at` integer,
	`sweeps` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`account_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `jobs_newest` ON `jobs` (`account_id`,`created_at`,`id`);--> statement-breakpoint
CREATE UNIQUE INDEX `jobs_idempotency` ON `jobs` (`account_id`,`idempotency_key`) WHERE idempotency_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_attention` ON `jobs` (`attention_at`) WHERE attention_at IS NOT NULL;--> statement-breakpoint
CREATE INDEX `jobs_schedule` ON `jobs` (`account_id`,`schedule_id`,`created_at`) WHERE schedule_id IS NOT NULL;--> statement-breakpoint
CREATE TABLE `retention_walk` (
	`id` integer PRIMARY KEY NOT NULL,
	`started_at` integer NOT NULL,
	`account_id` text NOT NULL,
	`created_at` integer NOT NULL,
	`job_id` text NOT NULL
);
