ALTER TABLE `accounts` ADD `master_key_id` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `accounts` ADD `previous_master_key_id` text;
