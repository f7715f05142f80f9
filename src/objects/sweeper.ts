// Once a minute: owners that have not been heard of in time are asked how they are, and old rows are let go.

import { RETENTION_DAYS_RULE, retentionDays } from "../domain/retention-days.ts";
import { log } from "../log.ts";
import type { JobRef } from "../projection/jobs-store.ts";
import { retain } from "../projection/retention.ts";
import { databaseOf } from "../projection/store.ts";
import { type Overdue, takeOverdue } from "../projection/sweep.ts";
import { ask, jobAt, scheduleAt } from "./addresses.ts";
import { sendPokes } from "./pokes.ts";

/**
 * Pages of one run. Owners of the first are asked straight, those of the rest over the queue: a call for each row would
 * soon be more than a Worker's thousand subrequests, a page over the queue is four.
 */
const STRAIGHT_PAGES = { schedules: 1, jobs: 2 } as const;
const QUEUED_PAGES = { schedules: 0, jobs: 60 } as const;

type Kind = keyof typeof STRAIGHT_PAGES;

export async function sweep(env: Cloudflare.Env, now: number): Promise<void> {
  await sweepRows(env, "schedules", now);
  await sweepRows(env, "jobs", now);
}

async function sweepRows(env: Cloudflare.Env, kind: Kind, now: number): Promise<void> {
  const db = databaseOf(env.DB);
  let asked = 0;
  let unanswered = 0;
  for (let page = 0; page < STRAIGHT_PAGES[kind] + QUEUED_PAGES[kind]; page++) {
    const overdue = await takeOverdue(db, kind, now);
    if (!overdue.ok) return log("warn", "sweep_failed", { kind, asked });
    if (overdue.value.length === 0) break;
    const isStraight = page < STRAIGHT_PAGES[kind];
    const answered = isStraight
      ? await pokeAll(env, kind, overdue.value)
      : await sendPokes(env, overdue.value.map(refOf));
    asked += overdue.value.length;
    unanswered += overdue.value.length - answered;
    if (!isStraight && answered === 0) break; // the queue is down: what is left is overdue in a minute, too
  }
  if (asked > 0) log("warn", "sweep", { kind, asked, unanswered });
}

/** @returns how many answered */
async function pokeAll(env: Cloudflare.Env, kind: Kind, overdue: readonly Overdue[]): Promise<number> {
  const answers = await Promise.all(overdue.map((row) => ask(() => poke(env, kind, row))));
  return answers.filter((answer) => answer.ok).length;
}

async function poke(env: Cloudflare.Env, kind: Kind, { accountId, id }: Overdue): Promise<void> {
  const job = refOf({ accountId, id });
  const schedule = { accountId, scheduleId: id };
  await (kind === "jobs" ? jobAt(env, job).poke(job) : scheduleAt(env, schedule).poke(schedule));
}

const refOf = ({ accountId, id }: Overdue): JobRef => ({ accountId, jobId: id });

export async function cleanUp(env: Cloudflare.Env, now: number): Promise<void> {
  const days = retentionDays(env.RETENTION_DAYS);
  if (days === null) return log("error", "setting_invalid", { setting: "RETENTION_DAYS", rule: RETENTION_DAYS_RULE });
  const deleted = await retain(databaseOf(env.DB), days, now);
  if (!deleted.ok) log("warn", "retention_failed", {});
  else if (deleted.value > 0) log("info", "retention", { deleted: deleted.value });
}
