// One schedule: its only writer and its timer. Each tick becomes a job on the path everyone's jobs take; the idempotency
// key makes it one. An empty object means that D1's row is the whole truth: it is over, or was never armed.

import { DurableObject } from "cloudflare:workers";
import { standingOf } from "../accounts/standing.ts";
import { err, ok } from "../domain/result.ts";
import type { Schedule, ScheduleSpec } from "../domain/schedule.ts";
import * as life from "../domain/schedule.ts";
import { upgradeSchedule } from "../domain/upgrade.ts";
import { log, nameOf } from "../log.ts";
import { insertSchedule, readSchedule, type ScheduleRef } from "../projection/schedules-store.ts";
import { databaseOf } from "../projection/store.ts";
import type { ScheduleAnswer, ScheduleOwner, Seen } from "./owners.ts";
import { countMade, runScheduleErrands } from "./schedule-errands.ts";
import { reportSchedule } from "./schedule-reports.ts";
import { StateRecord } from "./state-record.ts";

/** When the alarm looks again after a fault nobody foresaw. */
const AFTER_FAULT_MS = 30_000;

export class ScheduleObject extends DurableObject<Cloudflare.Env> implements ScheduleOwner {
  readonly #record = new StateRecord<Schedule>(this.ctx.storage, {
    upgrade: upgradeSchedule,
    wakeAt: life.scheduleWakeAt,
    bearsEarlyRing: () => false,
  });

  async poke(ref: ScheduleRef): Promise<void> {
    const owned = await this.#owned(ref);
    if (!owned.ok || !this.#record.read()) return;
    await this.#record.mendTimer(owned.value, Date.now());
    if (owned.value.revision > 0) this.ctx.waitUntil(reportSchedule(this.env, owned.value));
  }

  async get(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#owned(ref);
  }

  async amend(ref: ScheduleRef, spec: ScheduleSpec, seen: Seen): Promise<ScheduleAnswer<Schedule>> {
    const owned = await this.#owned(ref);
    if (!owned.ok) return owned;
    const counted = await countMade(this.#record, this.env, owned.value);
    if (!counted.ok) return counted;
    return this.#change(ref, seen, (schedule, now) => life.amend(schedule, spec, now));
  }

  async archive(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#change(ref, null, life.archive);
  }

  async confirm(revision: number): Promise<void> {
    const schedule = this.#record.read();
    if (!schedule || schedule.status === "active" || schedule.clearing) return;
    if (schedule.revision === revision) await this.#record.erase();
  }

  async missing(): Promise<void> {
    const schedule = this.#record.read();
    if (!schedule || schedule.clearing) return;
    if (schedule.status !== "active") return this.#record.erase();
    const standing = await standingOf(this.env, schedule.accountId, Date.now);
    if (standing.ok && standing.value.status === "gone") return this.#record.erase();
    const restored = await insertSchedule(databaseOf(this.env.DB), schedule);
    log("warn", "row_restored", {
      account_id: schedule.accountId,
      schedule_id: schedule.id,
      done: restored.ok && restored.value,
    });
  }

  /** Never throws for what can be foreseen, see JobObject. */
  override async alarm(): Promise<void> {
    this.#record.rang();
    try {
      await runScheduleErrands(this.#record, this.env);
    } catch (thrown) {
      log("error", "alarm_fault", { object: this.ctx.id.name, error: nameOf(thrown) });
      await this.#record.ringAfterFault(Date.now() + AFTER_FAULT_MS);
    }
  }

  /** The schedule as held here, or as its row has it; an active row is taken up. */
  async #owned(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    const held = this.#record.read();
    if (held) return ok(held);
    return this.ctx.blockConcurrencyWhile(async (): Promise<ScheduleAnswer<Schedule>> => {
      const meanwhile = this.#record.read();
      if (meanwhile) return ok(meanwhile);
      const row = await readSchedule(databaseOf(this.env.DB), ref);
      if (!row.ok) return row;
      if (!row.value) return err({ code: "schedule_not_found" });
      if (row.value.status === "active") this.#record.write(row.value, Date.now());
      return ok(row.value);
    });
  }

  async #change(
    ref: ScheduleRef,
    seen: Seen | null,
    step: (schedule: Schedule, now: number) => Schedule,
  ): Promise<ScheduleAnswer<Schedule>> {
    const owned = await this.#owned(ref);
    if (!owned.ok) return owned;
    const { status, revision } = owned.value;
    if (seen && seen.status !== status) return err({ code: "schedule_status_changed", status });
    if (status !== "active") return err({ code: `schedule_${status}` });
    if (seen && seen.revision !== revision) return err({ code: "schedule_moved" });
    const now = Date.now();
    const changed = step(this.#record.read() ?? owned.value, now);
    this.#record.write(changed, now);
    this.ctx.waitUntil(reportSchedule(this.env, changed));
    return ok(changed);
  }
}
