// A webhook as the API shows it, and what it may be called for.

export const EVENT_TYPES = [
  "job.completed",
  "job.failed",
  "job.cancelled",
  "job.recovered",
  "schedule.missed",
  "schedule.completed",
  "flow.paused",
  "flow.resumed",
] as const;

export interface Webhook {
  readonly id: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly description: string | null;
  readonly enabled: boolean;
  readonly disabled_reason: string | null;
  readonly failing_since: string | null;
  readonly created_at: string;
}
