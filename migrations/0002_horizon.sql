CREATE TABLE `horizon_walk` (
	`id` integer PRIMARY KEY NOT NULL,
	`due_at` integer NOT NULL,
	`account_id` text NOT NULL,
	`job_id` text NOT NULL
);
