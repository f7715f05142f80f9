// One schedule: its only writer and its timer. Each tick becomes a job on the path everyone's jobs take; the idempotency
// key makes it one. An empty object means that D1's row is the whole truth: it is over, or was never armed.

import { DurableObject } from "cloudflare:workers";
import type { JobView } from "../../domain/job.ts";
import { err, ok } from "../../domain/result.ts";
import type { Schedule, ScheduleSpec } from "../../domain/schedule.ts";
import * as life from "../../domain/schedule.ts";
import { viewOfSpec } from "../../store/rows.ts";
import type { ScheduleRef } from "../../store/schedules-store.ts";
import type { ScheduleAnswer, ScheduleOwner, Seen } from "../owners.ts";
import { countMade, runScheduleErrands, trigger } from "./errands.ts";
import { ScheduleKeeper } from "./schedule-keeper.ts";

type Step = (schedule: Schedule, now: number) => Schedule;

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
    return this.#changeBetweenTicks(ref, seen, (schedule, now) => life.amend(schedule, spec, now));
  }

  async pause(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#changeBetweenTicks(ref, null, life.pause);
  }

  async resume(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#change(ref, null, life.resume);
  }

  async trigger(ref: ScheduleRef, traceparent: string | null = null): Promise<ScheduleAnswer<JobView>> {
    const made = await trigger(this.#keeper, this.env, ref, traceparent);
    return made.ok ? ok(viewOfSpec(made.value)) : made;
  }

  async archive(ref: ScheduleRef): Promise<ScheduleAnswer<Schedule>> {
    return this.#change(ref, null, life.archive);
  }

  override async alarm(info?: AlarmInvocationInfo): Promise<void> {
    const { record } = this.#keeper;
    await record.ring(info?.retryCount ?? 0, this.ctx.id.name, () => runScheduleErrands(this.#keeper, this.env));
  }

  /** For what may put a due tick in the place of several. */
  async #changeBetweenTicks(ref: ScheduleRef, seen: Seen | null, step: Step): Promise<ScheduleAnswer<Schedule>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const counted = await countMade(this.#keeper, this.env, owned.value);
    return counted.ok ? this.#change(ref, seen, step) : counted;
  }

  async #change(ref: ScheduleRef, seen: Seen | null, step: Step): Promise<ScheduleAnswer<Schedule>> {
    const owned = await this.#keeper.owned(ref);
    if (!owned.ok) return owned;
    const schedule = owned.value;
    if (life.hasEnded(schedule)) {
      const { status } = schedule;
      if (seen && seen.status !== status) return err({ code: "schedule_status_changed", status });
      return err({ code: `schedule_${status}` });
    }
    if (seen && seen.revision !== schedule.revision) return err({ code: "schedule_moved" });
    const now = Date.now();
    const changed = step(schedule, now);
    if (changed.revision === schedule.revision) return ok(schedule);
    this.#keeper.record.write(changed, now);
    await this.#keeper.report();
    return ok(changed);
  }
}
