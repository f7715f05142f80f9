// Makes the schedule of a key match a spec, even if many processes do so at once.

import { ChronosApiError, PreconditionFailedError, ScheduleKeyConflictError } from "./api-error.ts";
import type { CallLimits } from "./call-options.ts";
import { type Connection, pauseMs } from "./connection.ts";
import { ChronosError } from "./errors.ts";
import { childrenOf } from "./json-scan.ts";
import { sleep } from "./platform.ts";
import { defaultOf } from "./same-fields.ts";
import { differences } from "./same-schedule.ts";
import type { Schedule } from "./schedule.ts";
import { toJson } from "./wire.ts";
import type { WireScheduleSpec } from "./wire-schedule.ts";

/**
 * The key of `schedules.ensure()` belongs to a schedule that has ended: archived by hand, or completed by its `runs` or
 * `stopAt`. It keeps its key and cannot run again, so a new schedule needs another key.
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

/** Each failed look means that another process changed the schedule first, so the processes together make progress. */
const MOST_LOOKS = 20;

/** The calls that ensureSchedule makes. Each is repeated after faults. */
export interface ScheduleCalls {
  create(body: string): Promise<Schedule>;
  get(id: string): Promise<Schedule>;
  update(id: string, body: string, ifMatch: number): Promise<Schedule>;
}

/**
 * Creates the schedule, or changes the one that holds the key where it differs. A change is conditional on the revision it
 * was derived from. If another process was faster, its result is compared with the spec again.
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

/** The PATCH body that makes the schedule match; null if no change is left that a PATCH can make. */
function changesTo(schedule: Schedule, wanted: string): string | null {
  const spans = childrenOf(wanted);
  const fields = differences(schedule, wanted).flatMap((name) => {
    const span = spans.get(name);
    const said = span === undefined ? "null" : wanted.slice(...span);
    const value = said === "null" ? resetOf(name) : said;
    return value === undefined ? [] : [`"${name}":${value}`];
  });
  return fields.length === 0 ? null : `{${fields.join()}}`;
}

type FieldName = keyof WireScheduleSpec;

/** Fields that null takes back to their defaults. */
const RESET_BY_NULL: readonly FieldName[] = ["tags", "flow", "callbacks", "backoff", "expires_after", "overlap"];

/** Fields whose null the service ignores, and whose default can be said. */
const RESET_BY_VALUE: readonly FieldName[] = ["timezone", "delivery", "timeout", "max_retries"];

/**
 * The JSON that takes a field back to its default. Undefined if no PATCH can: a field that is optional and has no default,
 * and `cron` and `interval`, of which setting one clears the other.
 */
function resetOf(name: FieldName): string | undefined {
  if (RESET_BY_NULL.includes(name)) return "null";
  return RESET_BY_VALUE.includes(name) ? JSON.stringify(defaultOf(name)) : undefined;
}

/** Another change, or the end of the schedule, came first. */
function isOvertaken(error: unknown): error is ChronosApiError {
  if (error instanceof PreconditionFailedError) return true;
  const codes = ["schedule_status_changed", "schedule_archived", "schedule_completed"];
  return error instanceof ChronosApiError && codes.includes(error.code);
}

/** A failed precondition carries it already. */
async function presentState(error: ChronosApiError, id: string, calls: ScheduleCalls): Promise<Schedule> {
  const shown = error instanceof PreconditionFailedError ? error.data : null;
  return shown !== null && "runCount" in shown ? shown : calls.get(id);
}

/** The second look follows at once. Later ones spread out, because many processes may start together. */
async function pause(connection: Connection, looks: number, error: unknown, limits: CallLimits): Promise<void> {
  if (looks === 1) return;
  const ms = pauseMs(connection, looks - 1, error);
  if (connection.platform.monotonicMs() + ms >= limits.endsAt) throw error;
  await sleep(connection.platform, ms, limits.signal);
  limits.signal?.throwIfAborted();
}
