// One live job, as others speak to it. Rules are decided in domain/, written by the keeper, carried out by the errands.
// RPC methods write; the alarm talks to the outside. An empty object means that D1's row is the whole truth.

import { DurableObject } from "cloudflare:workers";
import { standingOf } from "../accounts/standing.ts";
import {
  type Execution,
  type Fault,
  isEnded,
  type Job,
  type JobSpec,
  type JobView,
  type Json,
  newest,
  type SigningState,
  viewOf,
} from "../domain/job.ts";
import * as life from "../domain/life.ts";
import { confirm, isForgettable } from "../domain/reporting.ts";
import { err, ok } from "../domain/result.ts";
import { STALE_ARM_MS } from "../domain/timer.ts";
import { log, nameOf } from "../log.ts";
import { readExecution } from "../projection/executions-store.ts";
import { type JobRef, restoreJob } from "../projection/jobs-store.ts";
import { viewOfRow } from "../projection/rows.ts";
import { rowOfJob } from "../projection/snapshot.ts";
import { databaseOf } from "../projection/store.ts";
import { runErrands } from "./job-errands.ts";
import { JobKeeper, type Owned } from "./job-keeper.ts";
import type { Answer, Heartbeat, JobOwner, Leased, LiveExecutions } from "./owners.ts";
import { withdraw } from "./pull-queue/offers.ts";

/** When the alarm looks again after a fault nobody foresaw. */
const AFTER_FAULT_MS = 30_000;

export class JobObject extends DurableObject<Cloudflare.Env> implements JobOwner {
  readonly #keeper = new JobKeeper(this.ctx, this.env);

  async arm(spec: JobSpec, signing: SigningState | null): Promise<void> {
    const now = Date.now();
    if (now - spec.createdAt > STALE_ARM_MS) return this.poke({ accountId: spec.accountId, jobId: spec.id });
    if (!this.#keeper.record.read()) this.#keeper.write(life.arm(spec, signing), now);
  }

  async takeUp(ref: JobRef): Promise<boolean> {
    const owned = await this.#keeper.owned(ref);
    return owned.ok || owned.error.code === "job_not_found";
  }

  async poke(ref: JobRef): Promise<void> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok || !("job" in owned.value)) return;
    await this.#keeper.record.mendTimer(owned.value.job, Date.now());
    this.#keeper.reportLater();
  }

  async get(): Promise<JobView | null> {
    const job = this.#keeper.present();
    return job ? viewOf(job) : null;
  }

  async executions(): Promise<LiveExecutions | null> {
    const job = this.#keeper.present();
    return job ? { total: job.attempt, result: viewOf(job).result, held: job.executions } : null;
  }

  async cancel(ref: JobRef): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return err({ code: "job_not_cancellable", status: owned.value.row.status });
    const cancelled = this.#keeper.change(life.cancel);
    if (cancelled.ok) this.#keeper.flight?.controller.abort();
    if (cancelled.ok) this.ctx.waitUntil(withdraw(this.env, cancelled.value));
    return this.#shown(cancelled);
  }

  async cancelIfWaiting(ref: JobRef): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const running = "job" in owned.value && owned.value.job.phase.name === "running";
    return running ? err({ code: "job_not_cancellable", status: "running" }) : this.cancel(ref);
  }

  async retry(ref: JobRef): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    return "job" in owned.value ? this.#shown(this.#keeper.change(life.retry)) : this.#keeper.revive(ref);
  }

  async lease(ref: JobRef, executionId: string, workerId: string | null): Promise<Answer<Leased>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return err({ code: "lease_lost", status: owned.value.row.status });
    const leased = this.#keeper.change((job, now) => life.lease(job, executionId, workerId, now));
    return leased.ok ? ok(leasedOf(leased.value, executionId)) : leased;
  }

  async release(executionId: string): Promise<void> {
    this.#keeper.change((job, now) => life.release(job, executionId, now));
  }

  async complete(ref: JobRef, executionId: string, result: Json): Promise<Answer<JobView>> {
    return this.#settle(ref, executionId, { kind: "completed", result });
  }

  async fail(ref: JobRef, executionId: string, error: Fault, retryable: boolean): Promise<Answer<JobView>> {
    return this.#settle(ref, executionId, { kind: "failed", error, retryable, retryAfterMs: null });
  }

  async heartbeat(ref: JobRef, executionId: string): Promise<Answer<Heartbeat>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("job" in owned.value) {
      const beaten = this.#keeper.change((job, now) => life.heartbeat(job, executionId, now));
      if (beaten.ok) return ok({ leaseEndsAt: leasedOf(beaten.value, executionId).leaseEndsAt });
    }
    const known = await this.#execution(ref, owned.value, executionId);
    if (!known.ok) return known;
    const job = viewOfOwned(owned.value);
    const cancelled = job.delivery.type === "pull" && known.value?.status === "cancelled";
    return cancelled ? ok({ leaseEndsAt: null }) : err({ code: "lease_lost", status: job.status });
  }

  async confirm(revision: number, throughAttempt: number): Promise<void> {
    const { record } = this.#keeper;
    const now = Date.now();
    const job = record.read();
    if (!job) return;
    const confirmed = confirm(job, revision, throughAttempt);
    if (confirmed === job) return;
    if (isForgettable(confirmed, now)) return record.erase();
    record.write(confirmed, now);
    if (isEnded(confirmed.phase) && !confirmed.phase.confirmed) this.#keeper.reportLater();
  }

  async missing(): Promise<void> {
    const job = this.#keeper.present();
    if (!job) return;
    if (isEnded(job.phase)) return this.#keeper.record.erase();
    const standing = await standingOf(this.env, job.accountId, Date.now());
    if (standing.ok && standing.value.status === "gone") return this.#keeper.record.erase();
    const restored = await restoreJob(databaseOf(this.env.DB), rowOfJob(job));
    log("warn", "row_restored", { account_id: job.accountId, job_id: job.id, done: restored.ok && restored.value });
  }

  /** Never throws for what can be foreseen: the platform drops an alarm that keeps throwing, and with it the job. */
  override async alarm(): Promise<void> {
    this.#keeper.record.rang();
    try {
      await runErrands(this.#keeper, this.env);
    } catch (thrown) {
      log("error", "alarm_fault", { object: this.ctx.id.name, error: nameOf(thrown) });
      await this.#keeper.record.ringAfterFault(Date.now() + AFTER_FAULT_MS);
    }
  }

  /** A worker's report. The same one again is answered like the first; anything else after it is refused. */
  async #settle(ref: JobRef, executionId: string, outcome: life.Outcome): Promise<Answer<JobView>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    if ("job" in owned.value) {
      const settled = this.#keeper.change((job, now) => life.report(job, executionId, outcome, Math.random(), now));
      if (settled.ok) return this.#shown(settled);
    }
    const known = await this.#execution(ref, owned.value, executionId);
    if (!known.ok) return known;
    const job = viewOfOwned(owned.value);
    const saidBefore = job.delivery.type === "pull" && known.value?.status === outcome.kind;
    return saidBefore ? ok(job) : err({ code: "lease_lost", status: job.status });
  }

  /** An execution of ours, held here or only in the read model. */
  async #execution(ref: JobRef, owned: Owned, executionId: string): Promise<Answer<Execution | undefined>> {
    const held = "job" in owned ? owned.job.executions.find(({ id }) => id === executionId) : undefined;
    return held ? ok(held) : readExecution(databaseOf(this.env.DB), ref, executionId);
  }

  #shown(changed: Answer<Job>): Answer<JobView> {
    if (!changed.ok) return changed;
    this.#keeper.reportLater();
    return ok(viewOf(changed.value));
  }
}

const viewOfOwned = (owned: Owned): JobView => ("job" in owned ? viewOf(owned.job) : viewOfRow(owned.row));

function leasedOf(job: Job, executionId: string): Leased {
  const leaseEndsAt = job.phase.name === "running" ? job.phase.leaseEndsAt : 0;
  return { job: viewOf(job), executionId, attempt: newest(job)?.attempt ?? job.attempt, leaseEndsAt };
}
