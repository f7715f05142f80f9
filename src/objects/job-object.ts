// One live job: its only writer, its timer, its delivery. Rules are decided in domain/; here they are asked for, written
// down and carried out. RPC methods write, the alarm talks to the outside.

import { DurableObject } from "cloudflare:workers";
import { standingOf } from "../accounts/standing.ts";
import { type Prepared, prepare } from "../delivery/prepare.ts";
import { push } from "../delivery/push.ts";
import { taskAt } from "../domain/agenda.ts";
import {
  type Execution,
  isEnded,
  type Job,
  type JobSpec,
  type JobView,
  newest,
  type SigningState,
  viewOf,
} from "../domain/job.ts";
import * as life from "../domain/life.ts";
import type { JobRefusal } from "../domain/refusal.ts";
import { err, ok, type Result } from "../domain/result.ts";
import { REPORT_AFTER_MS } from "../domain/timer.ts";
import { log, nameOf } from "../log.ts";
import { claimForRetry, type JobRef, readJob, restoreJob } from "../projection/jobs-store.ts";
import { hasEnded, type JobRow, jobOfRow } from "../projection/rows.ts";
import { rowOfJob, snapshotOf } from "../projection/snapshot.ts";
import { databaseOf } from "../projection/store.ts";
import { logExecution } from "./execution-log.ts";
import { JobRecord } from "./job-record.ts";

/** An `arm` of a job created longer ago than this is not trusted: the row is read instead (design, rule 2). */
const STALE_ARM_MS = 30_000;

/** When the alarm looks again after a fault nobody foresaw. */
const AFTER_FAULT_MS = 30_000;

/** A ring of the alarm does a handful of things at most; more would be a loop. */
const MAX_STEPS = 10;

export type Answer<T> = Result<T, JobRefusal>;

/** What an owner is asked about: a live job, or one that has ended and whose row is the whole truth. */
type Owned = { readonly job: Job } | { readonly row: JobRow };

/** What a live job shows beside its view. */
export interface LiveExecutions {
  /** How many executions there are in all, here and in the read model. */
  readonly total: number;
  readonly result: unknown;
  readonly held: readonly Execution[];
}

export class JobObject extends DurableObject<Cloudflare.Env> {
  readonly #record = new JobRecord(this.ctx.storage);
  /** The push this instance has in the air. One that is `running` and not here was started by an instance that died. */
  #flight: { readonly executionId: string; readonly controller: AbortController } | null = null;

  /** The first word of a job, from the route that inserted its row. Said again, or late, it changes nothing. */
  async arm(spec: JobSpec, signing: SigningState): Promise<void> {
    const now = Date.now();
    if (now - spec.createdAt > STALE_ARM_MS) return this.poke({ accountId: spec.accountId, jobId: spec.id });
    if (!this.#record.read()) this.#record.write(life.arm(spec, signing), now);
  }

  /** Somebody misses us: make state of the row if there is none, mend the timer, report. */
  async poke(ref: JobRef): Promise<void> {
    const owned = await this.#owned(ref);
    if (!owned.ok || !("job" in owned.value)) return;
    await this.#record.mendTimer(owned.value.job, Date.now());
    this.ctx.waitUntil(this.#report());
  }

  /** The job as it is at this moment; null when the row is the whole truth. */
  async get(): Promise<JobView | null> {
    const job = this.#present();
    return job ? viewOf(job) : null;
  }

  /** The executions the read model may not know yet; null when it knows all. */
  async executions(): Promise<LiveExecutions | null> {
    const job = this.#present();
    return job ? { total: job.attempt, result: viewOf(job).result, held: job.executions } : null;
  }

  async cancel(ref: JobRef): Promise<Answer<JobView>> {
    const owned = await this.#owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return err({ code: "job_not_cancellable", status: owned.value.row.status });
    const cancelled = this.#change(life.cancel);
    this.#flight?.controller.abort();
    return cancelled;
  }

  async retry(ref: JobRef): Promise<Answer<JobView>> {
    const owned = await this.#owned(ref);
    if (!owned.ok) return owned;
    if ("job" in owned.value) return this.#change(life.retry);
    return this.#revive(ref);
  }

  /** The read model holds what we sent of this revision. */
  async confirm(revision: number, throughAttempt: number): Promise<void> {
    const now = Date.now();
    const job = this.#record.read();
    if (!job) return;
    const confirmed = life.confirm(job, revision, throughAttempt);
    if (confirmed === job) return;
    if (taskAt(confirmed, null, now) === "forget") return this.#record.erase();
    this.#record.write(confirmed, now);
    if (isEnded(confirmed.phase) && !confirmed.phase.confirmed) this.ctx.waitUntil(this.#report());
  }

  /** Our row is gone. An ended job follows it; a live one belongs to a database that was taken back in time. */
  async missing(): Promise<void> {
    const job = this.#present();
    if (!job) return;
    if (isEnded(job.phase)) return this.#record.erase();
    const standing = await standingOf(this.env, job.accountId, Date.now());
    if (standing.ok && standing.value === "gone") return this.#record.erase();
    const restored = await restoreJob(databaseOf(this.env.DB), rowOfJob(job));
    log("warn", "row_restored", { account_id: job.accountId, job_id: job.id, done: restored.ok });
  }

  /** Never throws for what can be foreseen: the platform drops an alarm that keeps throwing, and with it the job. */
  override async alarm(): Promise<void> {
    this.#record.rang();
    try {
      await this.#work();
    } catch (thrown) {
      log("error", "alarm_fault", { object: this.ctx.id.name, error: nameOf(thrown) });
      await this.#record.ringAfterFault(Date.now() + AFTER_FAULT_MS);
    }
  }

  /** Does what is due, one thing after the other, until nothing is. */
  async #work(): Promise<void> {
    for (let step = 0; step < MAX_STEPS; step++) {
      const job = this.#record.read();
      if (!job) return;
      const now = Date.now();
      switch (taskAt(job, this.#flight?.executionId ?? null, now)) {
        case "rest":
          return this.#record.setTimer(job, now);
        case "deliver":
          await this.#deliver(job, now);
          break;
        case "interrupt":
        case "expire":
          this.#present();
          await this.#report();
          break;
        case "offer":
          this.#record.write(life.offerAgain(job, now) ?? job, now);
          await this.#report();
          break;
        case "report":
          this.#record.write(life.reported(job), now);
          await this.#report();
          break;
        case "report_end":
          this.#record.write(life.reportAgain(job, now), now);
          await this.#report();
          break;
        case "forget":
          return this.#record.erase();
      }
    }
    throw new Error("the alarm does not come to rest");
  }

  /** The attempt is due: it goes out, unless the account may not be served at the moment. */
  async #deliver(job: Job, now: number): Promise<void> {
    const standing = await standingOf(this.env, job.accountId, now);
    if (standing.ok && standing.value === "gone") return this.#record.erase();
    if (standing.ok && standing.value === "suspended") return this.#hold(job);
    const executionId = crypto.randomUUID();
    const prepared = await prepare(this.env, job, executionId, now);
    if (prepared?.kind === "unsigned") return this.#hold(job);
    if (prepared) return this.#push(job, executionId, prepared);
    const queued = this.#isStill(job) && life.enqueue(job, executionId, Date.now());
    if (queued) this.#record.write(queued, Date.now());
  }

  /** Between the write that says "running" and the request there is no await: what happens is what is written. */
  async #push(job: Job, executionId: string, prepared: Exclude<Prepared, { kind: "unsigned" }>): Promise<void> {
    const startedAt = Date.now();
    const running = this.#isStill(job) && life.start(job, executionId, startedAt);
    if (!running) return;
    const controller = new AbortController();
    this.#flight = { executionId, controller };
    this.#record.write(running, startedAt);
    const lasting = setTimeout(() => this.ctx.waitUntil(this.#report()), REPORT_AFTER_MS);
    const outcome: life.Outcome =
      prepared.kind === "blocked"
        ? { kind: "failed", error: prepared.error, retryable: false, retryAfterMs: null }
        : await push(prepared.request, job.timeoutSeconds * 1_000, controller.signal, Date.now);
    clearTimeout(lasting);
    this.#flight = null;
    await this.#settle(executionId, outcome);
  }

  async #settle(executionId: string, outcome: life.Outcome): Promise<void> {
    const now = Date.now();
    const job = this.#record.read();
    const settled = job && life.settle(job, executionId, outcome, Math.random(), now);
    if (!settled?.ok) return;
    this.#record.write(settled.value, now);
    this.#log(settled.value);
    await this.#report();
  }

  async #hold(job: Job): Promise<void> {
    if (!this.#isStill(job)) return;
    this.#record.write(life.hold(job, Date.now()), Date.now());
    await this.#report();
  }

  /** Whether nothing has changed the job while we waited for something. */
  #isStill(job: Job): boolean {
    return this.#record.read()?.revision === job.revision;
  }

  /** The job as it is now: an attempt whose instance died, or whose lease has run out, is over before anyone looks. */
  #present(): Job | undefined {
    const now = Date.now();
    const job = this.#record.read();
    if (!job) return undefined;
    const task = taskAt(job, this.#flight?.executionId ?? null, now);
    const over =
      task === "interrupt"
        ? life.interrupt(job, Math.random(), now)
        : task === "expire"
          ? life.expire(job, Math.random(), now)
          : undefined;
    if (!over) return job;
    this.#record.write(over, now);
    this.#log(over);
    return over;
  }

  /** The live job, made from its row if we are empty; other events wait meanwhile. */
  async #owned(ref: JobRef): Promise<Answer<Owned>> {
    const held = this.#present();
    if (held) return ok({ job: held });
    return this.ctx.blockConcurrencyWhile(async (): Promise<Answer<Owned>> => {
      const meanwhile = this.#present();
      if (meanwhile) return ok({ job: meanwhile });
      const row = await readJob(databaseOf(this.env.DB), ref);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "job_not_found" });
      const now = Date.now();
      const job = jobOfRow(row.value, now);
      if (!job) return ok({ row: row.value });
      this.#record.write(job, now);
      return ok({ job });
    });
  }

  /** A manual retry of an ended, forgotten job: the row is claimed first, so that retention cannot race us. */
  async #revive(ref: JobRef): Promise<Answer<JobView>> {
    return this.ctx.blockConcurrencyWhile(async (): Promise<Answer<JobView>> => {
      const now = Date.now();
      const row = await claimForRetry(databaseOf(this.env.DB), ref, now);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "job_not_found" });
      if (hasEnded(row.value)) return err({ code: "job_not_retryable", status: row.value.status });
      const job = this.#record.read() ?? jobOfRow(row.value, now);
      if (!job) return err({ code: "job_not_found" });
      this.#record.write(job, now);
      return ok(viewOf(job));
    });
  }

  /** Decides, writes, and has it reported behind the answer; the alarm is the guarantee. */
  #change(step: (job: Job, now: number) => life.Step): Answer<JobView> {
    const now = Date.now();
    const job = this.#record.read();
    if (!job) return err({ code: "job_not_found" });
    const next = step(job, now);
    if (!next.ok) return next;
    this.#record.write(next.value, now);
    if (next.value.phase.name === "cancelled") this.#log(next.value);
    this.ctx.waitUntil(this.#report());
    return ok(viewOf(next.value));
  }

  /** Sends the present state to the read model. A report that fails is made again by the alarm or asked for by the sweeper. */
  async #report(): Promise<void> {
    try {
      const job = this.#record.read();
      if (job) await this.env.SNAPSHOTS.send(snapshotOf(job), { contentType: "json" });
    } catch (thrown) {
      log("warn", "report_failed", { object: this.ctx.id.name, error: nameOf(thrown) });
    }
  }

  #log(job: Job): void {
    const execution = newest(job);
    if (execution && execution.completedAt !== null && execution.revision === job.revision)
      logExecution(job, execution);
  }
}
