// Stored shapes live for years: every state is read through here.

import type { AccountMove } from "./account-move.ts";
import type { BulkAction } from "./bulk-action.ts";
import type { Flow } from "./flow.ts";
import type { Job } from "./job.ts";
import type { Schedule } from "./schedule.ts";

export const JOB_VERSION = 1;
export const SCHEDULE_VERSION = 1;
export const BULK_ACTION_VERSION = 1;
export const FLOW_VERSION = 1;
export const ACCOUNT_MOVE_VERSION = 1;

/** What a newer deployment wrote. It is left untouched: the caller is told to come back, the alarm tries again later. */
export class NewerShapeError extends Error {
  override readonly name = "NewerShapeError";
}

/** @param stored what a JobObject holds: a job of any version up to ours */
export function upgradeJob(stored: { readonly v: number }): Job {
  if (stored.v > JOB_VERSION) throw new NewerShapeError(`job of version ${stored.v}`);
  return stored as Job;
}

/** @param stored what a ScheduleObject or a row holds: a schedule of any version up to ours */
export function upgradeSchedule(stored: { readonly v: number }): Schedule {
  if (stored.v > SCHEDULE_VERSION) throw new NewerShapeError(`schedule of version ${stored.v}`);
  return stored as Schedule;
}

/** @param stored what a BulkActionObject or a row holds: a bulk action of any version up to ours */
export function upgradeBulkAction(stored: { readonly v: number }): BulkAction {
  if (stored.v > BULK_ACTION_VERSION) throw new NewerShapeError(`bulk action of version ${stored.v}`);
  return stored as BulkAction;
}

/** @param stored what a FlowObject or a row holds: a flow of any version up to ours */
export function upgradeFlow(stored: { readonly v: number }): Flow {
  if (stored.v > FLOW_VERSION) throw new NewerShapeError(`flow of version ${stored.v}`);
  return stored as Flow;
}

/** @param stored what an AccountMoveObject holds: a move of any version up to ours */
export function upgradeAccountMove(stored: { readonly v: number }): AccountMove {
  if (stored.v > ACCOUNT_MOVE_VERSION) throw new NewerShapeError(`account move of version ${stored.v}`);
  return stored as AccountMove;
}
