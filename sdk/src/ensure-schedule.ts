// Makes the schedule of a key what a spec says, however many processes ask for it at once.

import { ChronosApiError, PreconditionFailedError, ScheduleKeyConflictError } from "./api-error.ts";
import type { CallLimits } from "./call-options.ts";
import { type Connection, pauseMs } from "./connection.ts";
import { ChronosError } from "./errors.ts";
import { childrenOf } from "./json-scan.ts";
import { sleep } from "./platform.ts";
import { differences } from "./same-schedule.ts";
import type { Schedule } from "./schedule.ts";
import { toJson } from "./wire.ts";
import type { WireScheduleSpec } from "./wire-schedule.ts";

/**
 * `schedules.ensure()` met a schedule that is over: archived by hand, or completed by its `runs` or `stopAt`. It keeps its
 * key and cannot run again, so a schedule that shall run needs another key.
 *
 * @example
 * ```ts
 * import { Chronos, ScheduleEndedError } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * try {
 *   await chronos.schedules.ensure("nightly", { name: "Nightly", handler: "report", cron: "0 2 * * *" });
 * } catch (error) {
 *   if (error instanceof ScheduleEndedError) console.warn("no longer runs:", error.schedule.id, error.schedule.status);
 *   else throw error;
 * }
 * ```
 */
export class ScheduleEndedError extends ChronosError {
  override name = "ScheduleEndedError";
  readonly schedule: Schedule;

  constructor(key: string, schedule: Schedule) {
    super(
      `The schedule ${schedule.id}, which holds the key ${JSON.stringify(key)}, is ${schedule.status} and cannot run again: ` +
        "call ensure() with another key for a new schedule, or drop the call if it is no longer wanted",
    );
    this.schedule = schedule;
  }
}

/** Others may change the schedule between our look and our change. Each time one of them has got its change through. */
const MOST_LOOKS = 20;

/** The calls it needs, each repeated after faults. */
export interface ScheduleCalls {
  create(body: string): Promise<Schedule>;
  get(id: string): Promise<Schedule>;
  update(id: string, body: string, ifMatch: number): Promise<Schedule>;
}

/**
 * Creates the schedule, or changes the one that holds the key where it differs. A change names the revision that it was
 * derived from; if another process was faster, what that one made is looked at anew.
 */
export async function ensureSchedule(
  connection: Connection,
  key: string,
  spec: WireScheduleSpec,
  limits: CallLimits,
  calls: ScheduleCalls,
): Promise<Schedule> {
  const wanted = toJson("The schedule", spec);
  const creation = toJson("The schedule", { ...spec, idempotency_key: key });
  let schedule: Schedule | null = null;
  for (let looks = 1; ; looks++) {
    try {
      schedule ??= await calls.create(creation);
    } catch (error) {
      if (!(error instanceof ScheduleKeyConflictError) || error.data === null) throw error;
      schedule = error.data;
    }
    if (schedule.status === "archived" || schedule.status === "completed") throw new ScheduleEndedError(key, schedule);
    const changes = changesTo(schedule, wanted);
    if (changes === null) return schedule;
    try {
      return await calls.update(schedule.id, changes, schedule.revision);
    } catch (error) {
      if (!isOvertaken(error) || looks === MOST_LOOKS) throw error;
      await pause(connection, looks, error, limits);
      schedule = await presentState(error, schedule.id, calls);
    }
  }
}

/** The body that brings the schedule to what is wanted; null if it says so already. What is not wanted goes to its default. */
function changesTo(schedule: Schedule, wanted: string): string | null {
  const names = differences(schedule, wanted);
  if (names.length === 0) return null;
  const spans = childrenOf(wanted);
  const fields = names.flatMap((name) => {
    const span = spans.get(name);
    // A schedule has one timing: giving the one takes the other away.
    if (span === undefined && (name === "cron" || name === "interval")) return [];
    return `"${name}":${span === undefined ? "null" : wanted.slice(...span)}`;
  });
  return `{${fields.join()}}`;
}

/** Our change met another one, or the end of the schedule. */
function isOvertaken(error: unknown): error is ChronosApiError {
  if (error instanceof PreconditionFailedError) return true;
  const codes = ["schedule_status_changed", "schedule_archived", "schedule_completed"];
  return error instanceof ChronosApiError && codes.includes(error.code);
}

/** The refusal of a precondition shows it. */
async function presentState(error: ChronosApiError, id: string, calls: ScheduleCalls): Promise<Schedule> {
  const shown = error instanceof PreconditionFailedError ? error.data : null;
  return shown !== null && "runCount" in shown ? shown : calls.get(id);
}

/** The first look follows at once. Later ones spread out: many processes may start together. */
async function pause(connection: Connection, looks: number, error: unknown, limits: CallLimits): Promise<void> {
  if (looks === 1) return;
  const ms = pauseMs(connection, looks - 1, error);
  if (connection.platform.monotonicMs() + ms >= limits.endsAt) throw error;
  await sleep(connection.platform, ms, limits.signal);
  limits.signal?.throwIfAborted();
}
