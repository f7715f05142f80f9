// One live job, as others speak to it. Rules are decided in domain/, written by the keeper, carried out by the errands.
// RPC methods write; the alarm talks to the outside. An empty object means that D1's row is the whole truth.

import { DurableObject } from "cloudflare:workers";
import { databaseOf } from "../../accounts/home.ts";
import { hasMade } from "../../domain/bulk-action.ts";
import type { SlotUse } from "../../domain/flow.ts";
import { called, slotUse } from "../../domain/flow-claim.ts";
import {
  type Execution,
  type Fault,
  isOver,
  type Job,
  type JobEdit,
  type JobSpec,
  type JobView,
  newest,
  type SigningState,
  viewOf,
} from "../../domain/job.ts";
import type { JsonText } from "../../domain/json-text.ts";
import * as life from "../../domain/life.ts";
import type { StateRefusal } from "../../domain/refusal.ts";
import { isFullOfUntold } from "../../domain/reporting.ts";
import { err, ok } from "../../domain/result.ts";
import { STALE_ARM_MS } from "../../domain/timer.ts";
import { waitOf } from "../../domain/waiting-on.ts";
import { readExecution } from "../../store/executions-store.ts";
import type { JobRef } from "../../store/jobs-store.ts";
import { executionOfRow, hasEnded, type JobRow, viewOfRow } from "../../store/rows.ts";
import type { Answer, Heartbeat, JobOwner, Leased, LiveExecutions, LiveJob } from "../owners.ts";
import { withdraw } from "../pull-queue/offers.ts";
import { runErrands } from "./errands.ts";
import { mayBeTaken } from "./flow-turn.ts";
import { JobKeeper, type Owned } from "./job-keeper.ts";

export class JobObject extends DurableObject<Cloudflare.Env> implements JobOwner {
  readonly #keeper = new JobKeeper(this.ctx, this.env);

  async arm(spec: JobSpec, signing: SigningState | null): Promise<void> {
    const now = Date.now();
    const ref = { accountId: spec.accountId, jobId: spec.id };
    if (now - spec.createdAt > STALE_ARM_MS) await this.wake(ref);
    else if (!this.#keeper.record.read()) this.#keeper.write(life.arm(spec, signing), now);
  }

  async wake(ref: JobRef): Promise<boolean> {
    const held = this.#keeper.present();
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned.error.code === "job_not_found";
    await this.#keeper.record.mendAlarm(Date.now());
    if (held) this.#keeper.reportLater(); // what has just been read from its row is known there
    return true;
  }

  async get(): Promise<LiveJob | null> {
    const job = this.#keeper.present();
    return job ? { ...viewOf(job), wait: waitOf(job) } : null;
  }

  async executions(): Promise<LiveExecutions | null> {
    const job = this.#keeper.present();
    return job ? { total: job.attempt, result: viewOf(job).result, held: job.executions } : null;
  }

  async cancel(ref: JobRef, operation: string | null = null): Promise<Answer<JobView>> {
    return this.#cancel(await this.#keeper.owned(ref), operation);
  }

  async cancelFar(ref: JobRef, operation: string | null = null): Promise<Answer<JobView>> {
    return this.#cancel(await this.#keeper.takenUp(ref), operation);
  }

  async #cancel(owned: Answer<Owned>, operation: string | null): Promise<Answer<JobView>> {
    if (!owned.ok) return owned;
    if ("row" in owned.value) return refusalOfRow("job_not_cancellable", owned.value.row, operation);
    const { job } = owned.value;
    const cancelled = this.#keeper.change(life.onceFor(operation, life.cancel));
    // Of a bulk action that was repeated the job may live again: its new attempt is left alone.
    if (cancelled.ok && cancelled.value !== job) this.#keeper.flight?.controller.abort();
    if (cancelled.ok && cancelled.value !== job) this.ctx.waitUntil(withdraw(this.env, cancelled.value));
    return this.#recorded(cancelled);
  }

  async cancelIfWaiting(ref: JobRef): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const running = "job" in owned.value && owned.value.job.phase.name === "running";
    return running ? err({ code: "job_not_cancellable", status: "running" }) : this.cancel(ref);
  }

  async retry(ref: JobRef, operation: string | null = null): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return this.#keeper.revive(ref, owned.value.row.revision, operation);
    const retried = this.#keeper.change((job, now) =>
      isFullOfUntold(job)
        ? err({ code: "unavailable", retryAfterSeconds: 60 })
        : life.onceFor(operation, life.retry)(job, now),
    );
    return this.#recorded(retried);
  }

  async run(ref: JobRef, operation: string | null = null): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return refusalOfRow("job_not_runnable", owned.value.row, operation);
    return this.#recorded(this.#keeper.change(life.onceFor(operation, life.run)));
  }

  async edit(ref: JobRef, edit: JobEdit, seen: number | null): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return refusalOfRow("job_not_editable", owned.value.row);
    if (seen !== null && owned.value.job.revision !== seen) return err({ code: "job_moved" });
    return this.#recorded(this.#keeper.change((job, now) => life.edit(job, edit, now)));
  }

  async dropKey(ref: JobRef): Promise<Answer<null>> {
    const dropped = await this.#keeper.dropKey(ref);
    return dropped.ok ? ok(null) : dropped;
  }

  async remove(ref: JobRef, seen: number | null): Promise<Answer<null>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const { status, revision } = viewOfOwned(owned.value);
    if (!isOver(status)) return err({ code: "job_not_deletable", status });
    return seen === null || seen === revision ? this.#keeper.remove(ref) : err({ code: "job_moved" });
  }

  async turn(_ref: JobRef, flow: string, attempt: number, until?: number): Promise<SlotUse> {
    const job = this.#keeper.present();
    const now = Date.now();
    const use = slotUse(job, flow, attempt, now);
    if (use.until !== null && job?.claim?.turnAt === null) this.#keeper.write(called(job, now, until), now);
    return use;
  }

  async lease(ref: JobRef, executionId: string, workerId: string | null): Promise<Answer<Leased>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return err({ code: "lease_lost", status: owned.value.row.status });
    const turn = await mayBeTaken(this.#keeper.record, this.env, owned.value.job);
    if (turn === "unknown") return err({ code: "unavailable", retryAfterSeconds: 5 });
    if (turn === "wait") return err({ code: "lease_lost", status: "queued" });
    const leased = this.#keeper.change((job, now) => life.lease(job, executionId, workerId, now));
    return leased.ok ? ok(leasedOf(leased.value, executionId)) : leased;
  }

  async release(executionId: string): Promise<void> {
    this.#keeper.change((job, now) => life.release(job, executionId, now));
  }

  async complete(ref: JobRef, executionId: string, result: JsonText | null): Promise<Answer<JobView>> {
    return this.#settle(ref, executionId, { kind: "completed", result });
  }

  async fail(ref: JobRef, executionId: string, error: Fault, retryable: boolean): Promise<Answer<JobView>> {
    return this.#settle(ref, executionId, { kind: "failed", error, retryable, retryAfterMs: null });
  }

  async heartbeat(ref: JobRef, executionId: string, progress: JsonText | null = null): Promise<Answer<Heartbeat>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("job" in owned.value) {
      const beaten = this.#keeper.change((job, now) => life.heartbeat(job, executionId, now, progress));
      if (beaten.ok) return ok({ leaseEndsAt: leasedOf(beaten.value, executionId).leaseEndsAt });
    }
    const known = await this.#execution(ref, owned.value, executionId);
    if (!known.ok) return known;
    const job = viewOfOwned(owned.value);
    const cancelled = job.delivery.type === "pull" && known.value?.status === "cancelled";
    return cancelled ? ok({ leaseEndsAt: null }) : err({ code: "lease_lost", status: job.status });
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    await this.#keeper.record.ring(info?.retryCount ?? 0, this.ctx.id.name, () => runErrands(this.#keeper, this.env));
  }

  /** A worker's report. The same one again is answered like the first; anything else after it is refused. */
  async #settle(ref: JobRef, executionId: string, outcome: life.Outcome): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("job" in owned.value) {
      const settled = this.#keeper.change((job, now) => life.report(job, executionId, outcome, Math.random(), now));
      if (settled.ok) {
        this.#keeper.reportLater();
        return ok(viewOf(settled.value));
      }
    }
    const known = await this.#execution(ref, owned.value, executionId);
    if (!known.ok) return known;
    const job = viewOfOwned(owned.value);
    const saidBefore = job.delivery.type === "pull" && known.value?.status === outcome.kind;
    return saidBefore ? ok(job) : err({ code: "lease_lost", status: job.status });
  }

  /** An execution of ours, held here or only in the read model. */
  async #execution(ref: JobRef, owned: Owned, executionId: string): Promise<Answer<Execution | undefined>> {
    const known = "job" in owned ? owned.job.executions : [executionOfRow(owned.row)];
    const held = known.find((one) => one?.id === executionId);
    return held ? ok(held) : readExecution(databaseOf(this.env, ref.accountId), ref, executionId);
  }

  /** A person's change: its row follows before the answer, so that a list read next shows it. */
  async #recorded(changed: Answer<Job>): Promise<Answer<JobView>> {
    if (!changed.ok) return changed;
    await this.#keeper.report();
    return ok(viewOf(changed.value));
  }
}

/** A row that has ended forbids it; one without an owner is not ours to change. */
function refusalOfRow(code: StateRefusal["code"], row: JobRow, operation: string | null = null): Answer<JobView> {
  if (!hasEnded(row)) return err({ code: "job_moved" });
  if (operation !== null && hasMade(row.operation, operation)) return ok(viewOfRow(row));
  return err({ code, status: row.status });
}

const viewOfOwned = (owned: Owned): JobView => ("job" in owned ? viewOf(owned.job) : viewOfRow(owned.row));

function leasedOf(job: Job, executionId: string): Leased {
  const leaseEndsAt = job.phase.name === "running" ? job.phase.leaseEndsAt : 0;
  return { job: viewOf(job), executionId, attempt: newest(job)?.attempt ?? job.attempt, leaseEndsAt };
}
