// A schedule and its runs as the API shows them.

import type { WireFireTime, WireSchedule } from "../../../sdk/src/wire-schedule.ts";

/** As the API shows it, with the text of its payload as it was sent. */
export type Schedule = WireSchedule & { readonly payload_text?: string | null };

/** A run to come: in UTC, and on the clock of the schedule's zone. */
export type Tick = WireFireTime;

export const SCHEDULE_STATUSES = ["active", "paused", "completed", "archived"] as const;
