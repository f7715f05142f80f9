// Once a minute: owners that have not been heard of in time are asked how they are, and old rows are let go.

import { log } from "../log.ts";
import { retain } from "../projection/retention.ts";
import { databaseOf } from "../projection/store.ts";
import { takeOverdue } from "../projection/sweep.ts";
import { ask, jobAt } from "./addresses.ts";

/** Pages of one run: with a call for each row this stays below a Worker's thousand subrequests. */
const MAX_PAGES = 4;

const DEFAULT_RETENTION_DAYS = 30;

export async function sweep(env: Cloudflare.Env, now: number): Promise<void> {
  const db = databaseOf(env.DB);
  let asked = 0;
  let unanswered = 0;
  for (let page = 0; page < MAX_PAGES; page++) {
    const overdue = await takeOverdue(db, now);
    if (!overdue.ok) return log("warn", "sweep_failed", { asked });
    if (overdue.value.length === 0) break;
    const answers = await Promise.all(overdue.value.map((ref) => ask(() => jobAt(env, ref).poke(ref))));
    asked += answers.length;
    unanswered += answers.filter((answer) => !answer.ok).length;
  }
  if (asked > 0) log("warn", "sweep", { asked, unanswered });
}

export async function cleanUp(env: Cloudflare.Env, now: number): Promise<void> {
  const days = Number(env.RETENTION_DAYS);
  const deleted = await retain(databaseOf(env.DB), days > 0 ? days : DEFAULT_RETENTION_DAYS, now);
  if (!deleted.ok) log("warn", "retention_failed", {});
  else if (deleted.value > 0) log("info", "retention", { deleted: deleted.value });
}
