// Owners that have not been heard of in time are woken. In a healthy service there are none.

import type { Allowance } from "../domain/allowance.ts";
import { log } from "../log.ts";
import { bulkActionAt, jobAt, scheduleAt } from "../objects/addresses.ts";
import { type Overdue, takeOverdue } from "../store/overdue.ts";
import type { Here } from "./here.ts";
import { PAGE_SIZE, wakeAll } from "./wake-all.ts";

type Kind = Parameters<typeof takeOverdue>[1];

export async function sweep(here: Here, allowance: Allowance, now: number): Promise<void> {
  try {
    await sweepRows(here, "bulk_actions", allowance, now);
    await sweepRows(here, "schedules", allowance, now);
  } finally {
    await sweepRows(here, "jobs", allowance, now); // a fault above is logged by the caller, and holds up no job
  }
}

async function sweepRows({ env, db, label }: Here, kind: Kind, allowance: Allowance, now: number): Promise<void> {
  let asked = 0;
  let unanswered = 0;
  for (;;) {
    const size = Math.min(PAGE_SIZE, allowance.left - 2);
    if (size < 1) break;
    const overdue = await takeOverdue(db, kind, size, now);
    if (!overdue.ok) return log("warn", "sweep_failed", { ...label, kind, asked });
    allowance.take(overdue.value.length === 0 ? 1 : 2 + overdue.value.length);
    const answered = await wakeAll(overdue.value.map((row) => () => wake(env, kind, row)));
    asked += overdue.value.length;
    unanswered += overdue.value.length - answered;
    if (overdue.value.length < size) break;
  }
  if (asked > 0) log("warn", "sweep", { ...label, kind, asked, unanswered });
}

function wake(env: Cloudflare.Env, kind: Kind, { accountId, id }: Overdue): Promise<boolean> {
  switch (kind) {
    case "jobs":
      return jobAt(env, { accountId, jobId: id }).wake({ accountId, jobId: id });
    case "schedules":
      return scheduleAt(env, { accountId, scheduleId: id }).wake({ accountId, scheduleId: id });
    case "bulk_actions":
      return bulkActionAt(env, { accountId, bulkActionId: id }).wake({ accountId, bulkActionId: id });
  }
}
