// Deletes what ended long ago, a few pages a minute.

import type { Allowance } from "../domain/allowance.ts";
import { RETENTION_DAYS_RULE, retentionDays } from "../domain/retention-days.ts";
import { log } from "../log.ts";
import { askOwner, flowAt } from "../objects/addresses.ts";
import { removeFlow } from "../store/flows-store.ts";
import { type LeaveFlow, retain } from "../store/retention.ts";
import { databaseOf } from "../store/store.ts";

export async function cleanUp(env: Cloudflare.Env, allowance: Allowance, now: number): Promise<void> {
  const days = retentionDays(env.RETENTION_DAYS);
  if (days === null) return log("error", "setting_invalid", { setting: "RETENTION_DAYS", rule: RETENTION_DAYS_RULE });
  const deleted = await retain(databaseOf(env.DB), days, allowance.left, now, leaveFlow(env));
  if (!deleted.ok) log("warn", "retention_failed", {});
  else if (deleted.value > 0) log("info", "retention", { deleted: deleted.value });
}

/** What waits in its line is called, learns that its account is gone, and goes as well. */
const leaveFlow =
  (env: Cloudflare.Env): LeaveFlow =>
  async (ref) => {
    const removed = await askOwner(() => flowAt(env, ref).remove(ref, null));
    if (removed.ok) return true;
    return removed.error.code === "flow_not_found" && (await removeFlow(databaseOf(env.DB), ref)).ok;
  };
