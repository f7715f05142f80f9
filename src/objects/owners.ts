// What the owners can be asked: the RPC surface of JobObject and ScheduleObject. Deployments of different age meet here,
// so methods only ever gain optional arguments.

import type { Execution, Fault, JobSpec, JobView, SigningState } from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import type { JobRefusal, ScheduleRefusal } from "../domain/refusal.ts";
import type { Result } from "../domain/result.ts";
import type { Schedule, ScheduleSpec } from "../domain/schedule.ts";
import type { JobRef } from "../projection/jobs-store.ts";
import type { ScheduleRef } from "../projection/schedules-store.ts";

export type Answer<T> = Result<T, JobRefusal>;
export type ScheduleAnswer<T> = Result<T, ScheduleRefusal>;

/** What a live job shows beside its view. */
export interface LiveExecutions {
  /** How many executions there are in all, here and in the read model. */
  readonly total: number;
  readonly result: JsonText | null;
  readonly held: readonly Execution[];
}

/** A job in the hands of a worker. */
export interface Leased {
  readonly job: JobView;
  readonly executionId: string;
  readonly attempt: number;
  readonly leaseEndsAt: number;
}

/** What a heartbeat is told: the lease goes on, or (null) the job was cancelled. */
export interface Heartbeat {
  readonly leaseEndsAt: number | null;
}

export interface JobOwner {
  /** The first word of a job, from the route that inserted its row. Said again, or late, it changes nothing. */
  arm(spec: JobSpec, signing: SigningState | null): Promise<void>;
  /**
   * Our time comes near: make state of the row if there is none. Nothing is reported, since nothing has changed.
   * @returns false when the row could not be read
   */
  takeUp(ref: JobRef): Promise<boolean>;
  /** Somebody misses us: make state of the row if there is none, mend the timer, report. */
  poke(ref: JobRef): Promise<void>;
  /** The job as it is at this moment; null when the row is the whole truth. */
  get(): Promise<JobView | null>;
  /** The executions the read model may not know yet; null when it knows all. */
  executions(): Promise<LiveExecutions | null>;
  cancel(ref: JobRef): Promise<Answer<JobView>>;
  /** Cancels what has not begun; an attempt in flight is left to its end. */
  cancelIfWaiting(ref: JobRef): Promise<Answer<JobView>>;
  retry(ref: JobRef): Promise<Answer<JobView>>;
  /** A worker takes the lease of an execution that was offered to it. */
  lease(ref: JobRef, executionId: string, workerId: string | null): Promise<Answer<Leased>>;
  /** The worker never learned of its lease. */
  release(executionId: string): Promise<void>;
  complete(ref: JobRef, executionId: string, result: JsonText | null): Promise<Answer<JobView>>;
  fail(ref: JobRef, executionId: string, error: Fault, retryable: boolean): Promise<Answer<JobView>>;
  heartbeat(ref: JobRef, executionId: string): Promise<Answer<Heartbeat>>;
  /** The read model holds what we sent of this revision. */
  confirm(revision: number, throughAttempt: number): Promise<void>;
  /** Our row is gone. An ended job follows it; a live one belongs to a database that was taken back in time. */
  missing(): Promise<void>;
}

/** A schedule as somebody looked at it. */
export type Seen = Pick<Schedule, "status" | "revision">;

export interface ScheduleOwner {
  /** Somebody counts on us: take up the schedule if its row is active, mend the timer, report. */
  poke(ref: ScheduleRef): Promise<void>;
  /** The schedule as it is at this moment. */
  get(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>>;
  /** @param seen what the change was laid over: another status meanwhile is a conflict, another revision has moved */
  amend(ref: ScheduleRef, spec: ScheduleSpec, seen: Seen): Promise<ScheduleAnswer<Schedule>>;
  archive(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>>;
  /** The read model holds this revision. */
  confirm(revision: number): Promise<void>;
  /** Our row is gone: an ended schedule follows it, an active one belongs to a database that was taken back in time. */
  missing(): Promise<void>;
}
