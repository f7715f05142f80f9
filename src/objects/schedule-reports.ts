// Reports of schedules on their way to the read model, and the receipts their owners get.

import type { Schedule } from "../domain/schedule.ts";
import { SCHEDULE_VERSION } from "../domain/upgrade.ts";
import { log, nameOf } from "../log.ts";
import { projectSchedules, type ScheduleReport } from "../projection/schedules-store.ts";
import { databaseOf } from "../projection/store.ts";
import { ask, scheduleAt } from "./addresses.ts";

/** Sends the state to the read model. One that is lost is followed by the next tick's, or asked for by the sweeper. */
export async function reportSchedule(env: Cloudflare.Env, schedule: Schedule): Promise<void> {
  const report: ScheduleReport = { kind: "schedule", v: 1, schedule };
  try {
    await env.SNAPSHOTS.send(report, { contentType: "json" });
  } catch (thrown) {
    log("warn", "report_failed", { schedule_id: schedule.id, error: nameOf(thrown) });
  }
}

/** Takes the schedules out of a batch. Acknowledged whatever happens: the owner of an end sends again. */
export async function consumeScheduleReports(
  env: Cloudflare.Env,
  messages: readonly Message<ScheduleReport>[],
): Promise<void> {
  const readable = messages.filter((message) => {
    if (message.body.schedule.v <= SCHEDULE_VERSION) return true;
    message.retry({ delaySeconds: 60 });
    return false;
  });
  for (const message of readable) message.ack();
  const schedules = readable.map(({ body }) => body.schedule);
  const found = await projectSchedules(databaseOf(env.DB), schedules);
  await Promise.all(schedules.map((schedule, i) => tell(env, schedule, found[i])));
}

async function tell(env: Cloudflare.Env, schedule: Schedule, found: boolean | undefined): Promise<void> {
  const { accountId, id, revision, status } = schedule;
  if (found === undefined || (found && status === "active")) return;
  const owner = () => scheduleAt(env, { accountId, scheduleId: id });
  const told = await ask(() => (found ? owner().confirm(revision) : owner().missing()));
  if (!told.ok) log("warn", "receipt_lost", { account_id: accountId, schedule_id: id });
}
