// Deletes what ended long ago, a few pages a minute.

import type { Allowance } from "../domain/allowance.ts";
import { RETENTION_DAYS_RULE, retentionDays } from "../domain/retention-days.ts";
import { log } from "../log.ts";
import { askOwner, flowAt } from "../objects/addresses.ts";
import { directoryOf } from "../store/databases.ts";
import { removeFlow } from "../store/flows-store.ts";
import { forgetDeleted, type Leaving, retain } from "../store/retention.ts";
import type { Here } from "./here.ts";

export async function cleanUp(here: Here, allowance: Allowance, now: number): Promise<void> {
  const { env, label } = here;
  const days = retentionDays(env.RETENTION_DAYS);
  if (days === null) return log("error", "setting_invalid", { setting: "RETENTION_DAYS", rule: RETENTION_DAYS_RULE });
  const deleted = await retain(here, days, allowance.left, now, leavingOf(here, now));
  if (!deleted.ok) log("warn", "retention_failed", label);
  else if (deleted.value > 0) log("info", "retention", { ...label, deleted: deleted.value });
}

const leavingOf = ({ env, db }: Here, now: number): Leaving => ({
  /** What waits in its line is called, learns that its account is gone, and goes as well. */
  flow: async (ref) => {
    const removed = await askOwner(() => flowAt(env, ref).remove(ref, null));
    if (removed.ok) return true;
    return removed.error.code === "flow_not_found" && (await removeFlow(db, ref, now)).ok;
  },
  account: async (accountId) => (await forgetDeleted(directoryOf(env), accountId)).ok,
});
