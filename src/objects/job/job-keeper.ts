// How a JobObject changes its job: it is read, decided upon in domain/, written, logged and reported. Nothing here talks
// to a target or a worker.

import { databaseOf } from "../../accounts/home.ts";
import { standingOf } from "../../accounts/standing.ts";
import { taskAt } from "../../domain/agenda.ts";
import { hasMade } from "../../domain/bulk-action.ts";
import { eventsOf, hasCallback } from "../../domain/event.ts";
import { uselessSince } from "../../domain/flow-claim.ts";
import type { Execution, Job, JobView } from "../../domain/job.ts";
import { isEnded, newest, statusOf, viewOf, withSigning } from "../../domain/job.ts";
import * as life from "../../domain/life.ts";
import {
  type Applied,
  announced,
  confirm,
  type FailedReport,
  isForgettable,
  isRepeated,
  isUnannounced,
  reportAgain,
} from "../../domain/reporting.ts";
import { err, ok } from "../../domain/result.ts";
import { mayRingEarly, wakeAt } from "../../domain/timer.ts";
import { upgradeJob } from "../../domain/upgrade.ts";
import { log } from "../../log.ts";
import {
  claimForRetry,
  claimRow,
  deleteEnded,
  dropKeyOfEnded,
  type JobRef,
  readJob,
  restoreJob,
} from "../../store/jobs-store.ts";
import { removeOrphanJob } from "../../store/orphans.ts";
import { type JobReport, reportOf, rowOfJob } from "../../store/report.ts";
import { hasEnded, isContested, isOwnerless, type JobRow, jobOfRow, viewOfRow } from "../../store/rows.ts";
import { askOwner, scheduleAt } from "../addresses.ts";
import { announce } from "../event/announce.ts";
import type { Answer } from "../owners.ts";
import { sendReport } from "../projector/send-report.ts";
import { withdraw } from "../pull-queue/offers.ts";
import { StateRecord } from "../state-record.ts";
import { logExecution } from "./execution-log.ts";
import { giveBack } from "./flow-turn.ts";

/** What an owner is asked about: a live job, or one that has ended, or is far ahead, and whose row is the whole truth. */
export type Owned = { readonly job: Job } | { readonly row: JobRow };

export class JobKeeper {
  readonly record: StateRecord<Job>;
  readonly #ctx: DurableObjectState;
  readonly #env: Cloudflare.Env;
  /** The push this instance has in the air. One that is `running` and not here was started by an instance that died. */
  flight: { readonly executionId: string; readonly controller: AbortController } | null = null;

  #givingBack: Promise<void> | undefined;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    this.#ctx = ctx;
    this.#env = env;
    this.record = new StateRecord(ctx.storage, { upgrade: upgradeJob, wakeAt, mayRingEarly });
  }

  /** The job as it is now: an attempt whose instance died, or whose lease has run out, is over before anyone looks. */
  present(): Job | undefined {
    if (this.settleOverdue()) this.reportLater();
    return this.record.read();
  }

  /** Settles an attempt whose instance died, or whose lease has run out. @returns whether there was one */
  settleOverdue(): boolean {
    const job = this.record.read();
    const now = Date.now();
    const over = job && this.#overdue(job, now);
    if (!over) return false;
    this.write(over, now);
    if (job.phase.name === "queued") this.#ctx.waitUntil(withdraw(this.#env, over));
    return true;
  }

  /** The live job, made from its row if there is none here; other events wait meanwhile. */
  owned(ref: JobRef): Promise<Answer<Owned>> {
    return this.#heldOrMade(ref, isOwnerless);
  }

  /** The same of a job however far ahead it is. */
  takenUp(ref: JobRef): Promise<Answer<Owned>> {
    return this.#heldOrMade(ref, () => false);
  }

  async #heldOrMade(ref: JobRef, isLeft: (row: JobRow, now: number) => boolean): Promise<Answer<Owned>> {
    const held = this.present();
    if (held) return ok({ job: held });
    return this.#ctx.blockConcurrencyWhile(async (): Promise<Answer<Owned>> => {
      const meanwhile = this.present();
      if (meanwhile) return ok({ job: meanwhile });
      const row = await readJob(databaseOf(this.#env, ref.accountId), ref);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "job_not_found" });
      const now = Date.now();
      const found = isLeft(row.value, now) ? undefined : jobOfRow(row.value, now);
      if (!found) return ok({ row: row.value });
      const standing = await standingOf(this.#env, ref.accountId, Date.now);
      if (standing.ok && standing.value.status === "gone") {
        await removeOrphanJob(databaseOf(this.#env, ref.accountId), ref);
        return err({ code: "job_not_found" });
      }
      const job = withSigning(found, standing.ok ? standing.value.signing : null);
      const late = await this.#isLate(row.value);
      if (!late.ok) return late;
      const taken = late.value ? life.cancel(job, now) : ok(job);
      if (!taken.ok) return taken;
      const claimed = isContested(row.value, now)
        ? await claimRow(databaseOf(this.#env, ref.accountId), ref, row.value)
        : ok(true);
      if (!claimed.ok) return claimed;
      if (!claimed.value) return err({ code: "job_moved" });
      this.write(taken.value, now);
      return ok({ job: taken.value });
    });
  }

  /** Its insert was applied so late that its schedule had been archived and had cleared up: it must not run any more. */
  async #isLate({ accountId, scheduleId, revision }: JobRow): Promise<Answer<boolean>> {
    if (scheduleId === null || revision > 0) return ok(false);
    const ref = { accountId, scheduleId };
    const schedule = await askOwner(() => scheduleAt(this.#env, ref).get(ref));
    if (!schedule.ok) return schedule.error.code === "unavailable" ? err(schedule.error) : ok(false);
    return ok(schedule.value.status === "archived");
  }

  /** A manual retry of an ended, forgotten job: the row is claimed first, so that retention cannot race us. */
  async revive(ref: JobRef, seen: number, operation: string | null): Promise<Answer<JobView>> {
    return this.#ctx.blockConcurrencyWhile(async (): Promise<Answer<JobView>> => {
      const now = Date.now();
      const row = await claimForRetry(databaseOf(this.#env, ref.accountId), ref, seen, operation, now);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "job_not_found" });
      const isMade = operation === null || hasMade(row.value.operation, operation);
      if (operation !== null && isMade && hasEnded(row.value)) return ok(viewOfRow(row.value));
      const isRetryable = hasEnded(row.value) && row.value.status !== "completed";
      if (isRetryable && row.value.revision !== seen) return err({ code: "job_moved" });
      if (!isMade || hasEnded(row.value) || isOwnerless(row.value, now))
        return err({ code: "job_not_retryable", status: row.value.status });
      const job = this.record.read() ?? jobOfRow(row.value, now);
      if (!job) return err({ code: "job_not_found" });
      this.write(job, now);
      return ok(viewOf(job));
    });
  }

  /** Deletes a job that has ended, here and in the read model; what an `arm` still under way must find stays a moment. */
  async remove(ref: JobRef): Promise<Answer<null>> {
    const unheard = this.record.read();
    if (unheard && isUnannounced(unheard)) await this.report(); // whoever asked is told of the end before it goes
    return this.#ctx.blockConcurrencyWhile(async (): Promise<Answer<null>> => {
      const held = this.record.read();
      if (held && !isEnded(held.phase)) return err({ code: "job_not_deletable", status: statusOf(held) });
      if (held && isUnannounced(held)) return err({ code: "unavailable", retryAfterSeconds: 5 });
      if (held && isEnded(held.phase) && !held.phase.confirmed) await this.report();
      const deleted = await deleteEnded(databaseOf(this.#env, ref.accountId), ref, null, Date.now());
      if (!deleted.ok) return deleted;
      if (!deleted.value) return err({ code: "unavailable", retryAfterSeconds: 5 });
      await this.#letGo(this.record.read());
      return ok(null);
    });
  }

  /** The row of an ended job is gone: so is its state, but for what an `arm` still under way must find. */
  async #letGo(job: Job | undefined): Promise<void> {
    const now = Date.now();
    if (!job || !isEnded(job.phase)) return;
    if (now >= job.keepUntil) return this.record.erase();
    if (!job.phase.confirmed)
      this.record.write({ ...job, reportAt: null, phase: { ...job.phase, confirmed: true } }, now);
  }

  /** Another job gets this one's key: it is free when the row no longer has it. */
  async dropKey(ref: JobRef): Promise<Answer<unknown>> {
    const owned = await this.owned(ref);
    if (!owned.ok) return owned;
    if ("row" in owned.value) return dropKeyOfEnded(databaseOf(this.#env, ref.accountId), ref);
    const dropped = this.change(life.dropKey);
    await this.report();
    const isUnheard = (this.record.read()?.editedAt ?? 0) > 0;
    return dropped.ok && isUnheard ? err({ code: "unavailable", retryAfterSeconds: 5 }) : dropped;
  }

  /** Decides and writes; the alarm sees to it that the change is reported. */
  change(step: (job: Job, now: number) => Answer<Job>): Answer<Job> {
    const now = Date.now();
    const job = this.record.read();
    if (!job) return err({ code: "job_not_found" });
    const next = step(job, now);
    if (next.ok && next.value !== job) this.write(next.value, now);
    return next;
  }

  /** Writes a job and logs the execution this change ended. */
  write(job: Job, now: number): void {
    this.record.write(job, now);
    if (uselessSince(job) !== null) this.giveBackLater();
    const execution: Execution | undefined = newest(job);
    if (execution && execution.completedAt !== null && execution.revision === job.revision)
      logExecution(job, execution);
  }

  /** The account is gone, and with it the job: its row, which the sweeper would ask about for ever, and its state. */
  async abandon(): Promise<void> {
    const job = this.record.read();
    if (job) {
      const ref = { accountId: job.accountId, jobId: job.id };
      await removeOrphanJob(databaseOf(this.#env, ref.accountId), ref);
    }
    await this.record.erase();
  }

  /** Reports the present state to the read model, and lets go of what that has confirmed. Repeated by the alarm if it fails. */
  async report(): Promise<void> {
    const job = this.record.read();
    if (!job) return;
    if (hasCallback(job)) return this.#announce(job);
    const report = reportOf(job);
    await this.#hear(report, await sendReport(this.#env, report));
  }

  /** An end is told to those who asked before the read model learns of it: nobody can lose it in between. */
  async #announce(job: Job): Promise<void> {
    const isTold = await announce(this.#env, job, eventsOf(job));
    const present = this.record.read();
    if (!present) return;
    if (!isTold) return this.#failed(present, job.revision, "unavailable");
    this.record.remember(announced(present, job));
    await this.report();
  }

  reportLater(): void {
    this.#ctx.waitUntil(this.report());
  }

  /** Gives its flow back what the job needs no more. Repeated by the alarm if it fails. */
  giveBack(): Promise<void> {
    this.#givingBack ??= giveBack(this.record, this.#env).finally(() => {
      this.#givingBack = undefined;
    });
    return this.#givingBack;
  }

  giveBackLater(): void {
    this.#ctx.waitUntil(this.giveBack());
  }

  /** Between the look at the job and what follows from it there is no await. */
  async #hear(report: JobReport, receipt: Applied): Promise<void> {
    const job = this.record.read();
    if (!job) return;
    switch (receipt) {
      case "stored":
        return this.#confirmed(job, report);
      case "announce":
        return isUnannounced(job) ? this.#announce(job) : undefined;
      case "missing":
        return isUnannounced(job) ? this.#announce(job) : this.#restore(job);
      case "unavailable":
      case "refused":
      case "moving":
        this.#failed(job, report.revision, receipt);
    }
  }

  async #confirmed(job: Job, report: JobReport): Promise<void> {
    const now = Date.now();
    const confirmed = confirm(job, report);
    if (isForgettable(confirmed, now)) return this.record.erase();
    if (confirmed === job) return;
    // What is stored still says that a report is due. A job that waits or is being pushed soon changes and may as well report
    // once more; one that a worker holds, and one that has ended, would do so at every ring.
    const changesSoon = confirmed.phase.name === "waiting" || (confirmed.phase.name === "running" && this.flight);
    // What is only remembered goes with an instance that is idle: if that has happened, two attempts are let go, and it is written.
    const letGo = job.executions.length - confirmed.executions.length;
    if (changesSoon && job.untold.length === 0 && letGo < 2) this.record.remember(confirmed);
    else this.record.write(confirmed, now);
  }

  /** Our row is gone. An ended job follows it; a live one belongs to a database that was taken back in time. */
  async #restore(job: Job): Promise<void> {
    if (isEnded(job.phase)) return this.#letGo(job);
    const standing = await standingOf(this.#env, job.accountId, Date.now);
    if (standing.ok && standing.value.status === "gone") return this.record.erase();
    const restored = await restoreJob(databaseOf(this.#env, job.accountId), rowOfJob(job));
    log("warn", "row_restored", { account_id: job.accountId, job_id: job.id, done: restored.ok && restored.value });
    const present = this.record.read();
    if (present && !(restored.ok && restored.value)) this.#reportAgain(present, "unavailable");
  }

  #failed(job: Job, revision: number, receipt: FailedReport): void {
    if (isRepeated(job, revision, Date.now())) this.#reportAgain(job, receipt);
  }

  #reportAgain(job: Job, receipt: FailedReport): void {
    if (receipt !== "moving")
      log("warn", "report_failed", { account_id: job.accountId, job_id: job.id, reason: receipt });
    const now = Date.now();
    this.record.write(reportAgain(job, receipt, Math.random(), now), now);
  }

  #overdue(job: Job, now: number): Job | undefined {
    switch (taskAt(job, this.flight?.executionId ?? null, now)) {
      case "interrupt":
        return life.interrupt(job, Math.random(), now);
      case "expire":
        return life.expire(job, Math.random(), now);
      case "give-up":
        return life.giveUp(job, now);
      default:
        return undefined;
    }
  }
}
