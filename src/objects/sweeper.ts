// Once a minute: owners that have not been heard of in time are asked how they are, and old rows are let go.

import { log } from "../log.ts";
import { retain } from "../projection/retention.ts";
import { databaseOf } from "../projection/store.ts";
import { type Overdue, takeOverdue } from "../projection/sweep.ts";
import { ask, jobAt, scheduleAt } from "./addresses.ts";

/** Pages of one run: with a call for each row this stays below a Worker's thousand subrequests. */
const MAX_PAGES = { schedules: 1, jobs: 3 } as const;

const DEFAULT_RETENTION_DAYS = 30;

type Kind = keyof typeof MAX_PAGES;

export async function sweep(env: Cloudflare.Env, now: number): Promise<void> {
  await sweepRows(env, "schedules", now);
  await sweepRows(env, "jobs", now);
}

async function sweepRows(env: Cloudflare.Env, kind: Kind, now: number): Promise<void> {
  const db = databaseOf(env.DB);
  let asked = 0;
  let unanswered = 0;
  for (let page = 0; page < MAX_PAGES[kind]; page++) {
    const overdue = await takeOverdue(db, kind, now);
    if (!overdue.ok) return log("warn", "sweep_failed", { kind, asked });
    if (overdue.value.length === 0) break;
    const answers = await Promise.all(overdue.value.map((row) => ask(() => poke(env, kind, row))));
    asked += answers.length;
    unanswered += answers.filter((answer) => !answer.ok).length;
  }
  if (asked > 0) log("warn", "sweep", { kind, asked, unanswered });
}

async function poke(env: Cloudflare.Env, kind: Kind, { accountId, id }: Overdue): Promise<void> {
  const job = { accountId, jobId: id };
  const schedule = { accountId, scheduleId: id };
  await (kind === "jobs" ? jobAt(env, job).poke(job) : scheduleAt(env, schedule).poke(schedule));
}

export async function cleanUp(env: Cloudflare.Env, now: number): Promise<void> {
  const days = Number(env.RETENTION_DAYS);
  const deleted = await retain(databaseOf(env.DB), days > 0 ? days : DEFAULT_RETENTION_DAYS, now);
  if (!deleted.ok) log("warn", "retention_failed", {});
  else if (deleted.value > 0) log("info", "retention", { deleted: deleted.value });
}
