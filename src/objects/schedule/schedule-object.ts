// One schedule: its only writer and its timer. Each tick becomes a job on the path everyone's jobs take; the idempotency
// key makes it one. An empty object means that D1's row is the whole truth: it is over, or was never armed.

import { DurableObject } from "cloudflare:workers";
import { err, ok } from "../../domain/result.ts";
import type { Schedule, ScheduleSpec } from "../../domain/schedule.ts";
import * as life from "../../domain/schedule.ts";
import type { ScheduleRef } from "../../store/schedules-store.ts";
import type { ScheduleAnswer, ScheduleOwner, Seen } from "../owners.ts";
import { countMade, runScheduleErrands } from "./errands.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";

export class ScheduleObject extends DurableObject<Cloudflare.Env> implements ScheduleOwner {
  readonly #keeper = new ScheduleKeeper(this.ctx, this.env);

  async wake(ref: ScheduleRef): Promise<boolean> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned.error.code === "schedule_not_found";
    await this.#keeper.record.mendAlarm(Date.now());
    if (owned.value.revision > 0) this.#keeper.reportLater();
    return true;
  }

  async get(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#keeper.owned(ref);
  }

  async amend(ref: ScheduleRef, spec: ScheduleSpec, seen: Seen): Promise<ScheduleAnswer<Schedule>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const counted = await countMade(this.#keeper, this.env, owned.value);
    if (!counted.ok) return counted;
    return this.#change(ref, seen, (schedule, now) => life.amend(schedule, spec, now));
  }

  async archive(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#change(ref, null, life.archive);
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const { record } = this.#keeper;
    await record.ring(info?.retryCount ?? 0, this.ctx.id.name, () => runScheduleErrands(this.#keeper, this.env));
  }

  async #change(
    ref: ScheduleRef,
    seen: Seen | null,
    step: (schedule: Schedule, now: number) => Schedule,
  ): Promise<ScheduleAnswer<Schedule>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const { status, revision } = owned.value;
    if (seen && seen.status !== status) return err({ code: "schedule_status_changed", status });
    if (status !== "active") return err({ code: `schedule_${status}` });
    if (seen && seen.revision !== revision) return err({ code: "schedule_moved" });
    const { record } = this.#keeper;
    const now = Date.now();
    const changed = step(record.read() ?? owned.value, now);
    record.write(changed, now);
    await this.#keeper.report();
    return ok(changed);
  }
}
