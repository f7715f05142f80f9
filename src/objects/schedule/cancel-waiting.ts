// Cancels what an archived schedule has made and no worker or target has seen yet, in bounded pages.

import { databaseOf } from "../../accounts/home.ts";
import { waitingJobsOf } from "../../store/jobs-store.ts";
import type { ScheduleRef } from "../../store/schedules-store.ts";
import { ask, jobAt } from "../addresses.ts";

const PAGE_SIZE = 100;
const MAX_PAGES = 5;

/** @returns `none` when no waiting job is left, `some` when there may be */
export async function cancelWaiting(
  env: Cloudflare.Env,
  { accountId, scheduleId }: ScheduleRef,
): Promise<"none" | "some"> {
  let after = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const waiting = await waitingJobsOf(databaseOf(env, accountId), accountId, scheduleId, after, PAGE_SIZE);
    if (!waiting.ok) return "some";
    const answers = await Promise.all(
      waiting.value.map((jobId) => ask(() => jobAt(env, { accountId, jobId }).cancelIfWaiting({ accountId, jobId }))),
    );
    if (answers.some((answer) => !answer.ok)) return "some";
    if (waiting.value.length < PAGE_SIZE) return "none";
    after = waiting.value.at(-1) ?? after;
  }
  return "some";
}
