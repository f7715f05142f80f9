CREATE TABLE `schedules` (
	`account_id` text NOT NULL,
	`id` text NOT NULL,
	`status` text NOT NULL,
	`handler` text,
	`created_at` integer NOT NULL,
	`state` text NOT NULL,
	`revision` integer NOT NULL,
	`attention_at` integer,
	`sweeps` integer DEFAULT 0 NOT NULL,
	PRIMARY KEY(`account_id`, `id`)
) WITHOUT ROWID;
--> statement-breakpoint
CREATE INDEX `schedules_newest` ON `schedules` (`account_id`,`created_at`,`id`);--> statement-breakpoint
CREATE INDEX `schedules_attention` ON `schedules` (`attention_at`) WHERE attention_at IS NOT NULL;