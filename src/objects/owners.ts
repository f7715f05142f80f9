// What the owners can be asked: the RPC surface of JobObject, ScheduleObject and BulkActionObject. Deployments of different age meet here,
// so methods only ever gain optional arguments.

import type { BulkAction } from "../domain/bulk-action.ts";
import type { AskedFlow, FlowView, SlotEnd, SlotUse, Ticket } from "../domain/flow.ts";
import type { Execution, Fault, JobEdit, JobSpec, JobView, SigningState } from "../domain/job.ts";
import type { JsonText } from "../domain/json-text.ts";
import type { BulkActionRefusal, FlowRefusal, JobRefusal, ScheduleRefusal } from "../domain/refusal.ts";
import type { Result } from "../domain/result.ts";
import type { Schedule, ScheduleSpec } from "../domain/schedule.ts";
import type { InLine, Wait } from "../domain/waiting-on.ts";
import type { BulkActionRef } from "../store/bulk-actions-store.ts";
import type { FlowRef } from "../store/flows-store.ts";
import type { JobRef } from "../store/jobs-store.ts";
import type { ScheduleRef } from "../store/schedules-store.ts";

export type Answer<T> = Result<T, JobRefusal>;
export type ScheduleAnswer<T> = Result<T, ScheduleRefusal>;
export type BulkActionAnswer<T> = Result<T, BulkActionRefusal>;

/** A live job, with what it waits for; a deployment before this one does not tell. */
export interface LiveJob extends JobView {
  readonly wait?: Wait | null;
}

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
  /** From whoever inserted the row, once. Repeated, or late, it changes nothing. */
  arm(spec: JobSpec, signing: SigningState | null): Promise<void>;
  /**
   * Called when our time comes near, or we are overdue: load the row if there is no state, repair the alarm, report.
   *
   * @returns false when the row could not be read
   */
  wake(ref: JobRef): Promise<boolean>;
  /** The job as it is at this moment; null when the row is the whole truth. */
  get(): Promise<LiveJob | null>;
  /** The executions the read model may not know yet; null when it knows all. */
  executions(): Promise<LiveExecutions | null>;
  /** @param operation a bulk action: asked for again with the same one, it changes nothing; so are `retry` and `run` */
  cancel(ref: JobRef, operation?: string | null): Promise<Answer<JobView>>;
  /** The same for a job far ahead whose row is left to its owner: it is taken up first. */
  cancelFar(ref: JobRef, operation?: string | null): Promise<Answer<JobView>>;
  /** Cancels what has not begun; an attempt in flight is left to its end. */
  cancelIfWaiting(ref: JobRef): Promise<Answer<JobView>>;
  retry(ref: JobRef, operation?: string | null): Promise<Answer<JobView>>;
  run(ref: JobRef, operation?: string | null): Promise<Answer<JobView>>;
  /** @param seen the revision the change was laid over; null: it is a change of everything, whatever there was */
  edit(ref: JobRef, edit: JobEdit, seen: number | null): Promise<Answer<JobView>>;
  /** The idempotency key becomes another job's. */
  dropKey(ref: JobRef): Promise<Answer<null>>;
  /** Deletes a job that has ended. */
  remove(ref: JobRef, seen: number | null): Promise<Answer<null>>;
  /**
   * Its flow calls: it is the turn of this attempt. Also asked later, whether the slot is still used.
   *
   * @param until when the turn is valid; without it, for as long as any
   * @returns how the slot is used
   */
  turn(ref: JobRef, flow: string, attempt: number, until?: number): Promise<SlotUse>;
  /** A worker takes the lease of an execution that was offered to it. */
  lease(ref: JobRef, executionId: string, workerId: string | null): Promise<Answer<Leased>>;
  /** The worker never learned of its lease. */
  release(executionId: string): Promise<void>;
  complete(ref: JobRef, executionId: string, result: JsonText | null): Promise<Answer<JobView>>;
  fail(ref: JobRef, executionId: string, error: Fault, retryable: boolean): Promise<Answer<JobView>>;
  /** @param progress how far the worker is; without it, what it said before stays */
  heartbeat(ref: JobRef, executionId: string, progress?: JsonText | null): Promise<Answer<Heartbeat>>;
}

/** Whether an attempt may start: now, when it is called, or without a flow's leave, since nobody has defined the flow. */
export type Turn = "now" | "wait" | "free";

export interface FlowOwner {
  /** A job's owner, before each attempt. Asked again for the same attempt, the answer is the present one. */
  ask(ref: FlowRef, ticket: Ticket): Promise<Turn>;
  /**
   * The attempt is over, or needs neither slot nor place. Said again, it changes nothing.
   *
   * @param startedAt null: it never started
   */
  release(ref: FlowRef, ticket: Ticket, end: SlotEnd, startedAt?: number | null): Promise<void>;
  /** null: nobody has defined it. */
  get(ref: FlowRef): Promise<FlowView | null>;
  place(ref: FlowRef, ticket: Ticket): Promise<InLine | null>;
  /**
   * @param seen the revisions one of which it must have; null: any, or none
   */
  put(ref: FlowRef, asked: AskedFlow, seen: readonly number[] | null): Promise<FlowAnswer<PutFlow>>;
  pause(ref: FlowRef): Promise<FlowAnswer<FlowView>>;
  resume(ref: FlowRef): Promise<FlowAnswer<FlowView>>;
  remove(ref: FlowRef, seen: readonly number[] | null): Promise<FlowAnswer<null>>;
}

export type FlowAnswer<T> = Result<T, FlowRefusal>;
export interface PutFlow {
  readonly flow: FlowView;
  readonly created: boolean;
}

/** A schedule as somebody looked at it. */
export type Seen = Pick<Schedule, "status" | "revision">;

export interface ScheduleOwner {
  /** As for jobs. */
  wake(ref: ScheduleRef): Promise<boolean>;
  /** The schedule as it is at this moment. */
  get(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>>;
  /** @param seen what the change was laid over: an end meanwhile is a conflict, another revision has moved */
  amend(ref: ScheduleRef, spec: ScheduleSpec, seen: Seen): Promise<ScheduleAnswer<Schedule>>;
  /** Asked for again, neither this nor `resume` changes anything. */
  pause(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>>;
  resume(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>>;
  /** Makes a job that is due now. Asked for again, it makes another one. */
  trigger(ref: ScheduleRef, traceparent?: string | null): Promise<ScheduleAnswer<JobView>>;
  archive(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>>;
}

export interface BulkActionOwner {
  /** As for jobs. */
  wake(ref: BulkActionRef): Promise<boolean>;
  /** The bulk action as it is at this moment. */
  get(ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>>;
  /** No page is begun from now on. Of one that has ended: as it is. */
  abort(ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>>;
}

export interface AccountMover {
  /** Takes up the move that the directory has announced. @returns false when that cannot be read at the moment */
  wake(accountId: string): Promise<boolean>;
}
