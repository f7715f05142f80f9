// How a ScheduleObject keeps its schedule: it is read from here or from its row, written, and reported.

import { databaseOf } from "../../accounts/home.ts";
import { standingOf } from "../../accounts/standing.ts";
import { eventsOfSchedule } from "../../domain/event.ts";
import { type Applied, type FailedReport, reportAgain } from "../../domain/reporting.ts";
import { err, ok } from "../../domain/result.ts";
import { announced, confirmed, hasEnded, isOver, type Schedule, scheduleWakeAt } from "../../domain/schedule.ts";
import { upgradeSchedule } from "../../domain/upgrade.ts";
import { log } from "../../log.ts";
import { reportOfSchedule } from "../../store/report.ts";
import { readSchedule, restoreSchedule, type ScheduleRef } from "../../store/schedules-store.ts";
import { announce } from "../event/announce.ts";
import type { ScheduleAnswer } from "../owners.ts";
import { sendReport } from "../projector/send-report.ts";
import { StateRecord } from "../state-record.ts";

export class ScheduleKeeper {
  readonly record: StateRecord<Schedule>;
  readonly #ctx: DurableObjectState;
  readonly #env: Cloudflare.Env;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    this.#ctx = ctx;
    this.#env = env;
    const rules = { upgrade: upgradeSchedule, wakeAt: scheduleWakeAt, mayRingEarly: () => false };
    this.record = new StateRecord<Schedule>(ctx.storage, rules);
  }

  /** The schedule as held here, or as its row has it; one that has not ended is taken up. */
  async owned(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    const held = this.record.read();
    if (held) return ok(held);
    return this.#ctx.blockConcurrencyWhile(async (): Promise<ScheduleAnswer<Schedule>> => {
      const meanwhile = this.record.read();
      if (meanwhile) return ok(meanwhile);
      const row = await readSchedule(databaseOf(this.#env, ref.accountId), ref);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "schedule_not_found" });
      if (!hasEnded(row.value)) this.record.write(row.value, Date.now());
      return ok(row.value);
    });
  }

  /** Reports the present state to the read model. Repeated by the alarm if it fails. */
  async report(): Promise<void> {
    const schedule = this.record.read();
    if (schedule) await this.#hear(schedule.revision, await sendReport(this.#env, reportOfSchedule(schedule)));
  }

  reportLater(): void {
    this.#ctx.waitUntil(this.report());
  }

  /** Forgets a schedule that is over: its row is the whole truth from then on. @returns whether it did */
  async forgetIfOver(): Promise<boolean> {
    const schedule = this.record.read();
    if (!schedule || !isOver(schedule)) return false;
    await this.record.erase();
    return true;
  }

  async #hear(revision: number, receipt: Applied): Promise<void> {
    const schedule = this.record.read();
    if (!schedule) return;
    switch (receipt) {
      case "stored":
        if (schedule.revision !== revision) return;
        if (schedule.news.length === 0) this.record.remember(confirmed(schedule));
        else this.record.write(confirmed(schedule), Date.now());
        await this.forgetIfOver();
        return;
      case "announce":
        return schedule.news.length > 0 ? this.#announce(schedule) : undefined;
      case "missing":
        return schedule.news.length > 0 ? this.#announce(schedule) : this.#restore(schedule);
      case "unavailable":
      case "refused":
      case "moving":
        if (schedule.revision === revision) this.#reportAgain(schedule, receipt);
    }
  }

  /** News is told to those who asked before the read model learns of it: nobody can lose it in between. */
  async #announce(schedule: Schedule): Promise<void> {
    const { accountId, id, news, revision } = schedule;
    const standing = await standingOf(this.#env, accountId, Date.now);
    const signing = standing.ok ? standing.value.signing : null;
    const isTold = await announce(this.#env, { accountId, id, signing }, eventsOfSchedule(schedule));
    const present = this.record.read();
    if (!present) return;
    if (!isTold) return present.revision === revision ? this.#reportAgain(present, "unavailable") : undefined;
    this.record.remember(announced(present, news));
    await this.report();
  }

  /** Our row is gone: an ended schedule follows it, a live one belongs to a database that was taken back in time. */
  async #restore(schedule: Schedule): Promise<void> {
    if (hasEnded(schedule) && !schedule.clearing) return this.record.erase();
    const standing = await standingOf(this.#env, schedule.accountId, Date.now);
    if (standing.ok && standing.value.status === "gone") return this.record.erase();
    const restored = await restoreSchedule(databaseOf(this.#env, schedule.accountId), schedule);
    const done = restored.ok && restored.value;
    log("warn", "row_restored", { account_id: schedule.accountId, schedule_id: schedule.id, done });
    const present = this.record.read();
    if (present && !done) this.#reportAgain(present, "unavailable");
  }

  #reportAgain(schedule: Schedule, receipt: FailedReport): void {
    if (receipt !== "moving")
      log("warn", "report_failed", { account_id: schedule.accountId, schedule_id: schedule.id, reason: receipt });
    const now = Date.now();
    this.record.write(reportAgain(schedule, receipt, Math.random(), now), now);
  }
}
