// What a bulk action would match at this moment, by the walk that it would make. It asks no job.

import { databaseOf } from "../../accounts/home.ts";
import { type BulkAction, dryRunOf } from "../../domain/bulk-action.ts";
import { ok } from "../../domain/result.ts";
import { knownJobs } from "../../store/bulk-actions-store.ts";
import { idsMatching, MAX_COUNTED } from "../../store/list-jobs.ts";
import type { Stored } from "../../store/store.ts";

/** Counting stops here. */
export const MAX_DRY_RUN = 10_000;

/** How often it looks, and how many rows that are at most. */
const MAX_LOOKS = 10;
export const MAX_LOOKED_AT = MAX_LOOKS * MAX_COUNTED;

export interface DryRun {
  readonly counted: BulkAction;
  /** Whether all that match are counted. */
  readonly isWhole: boolean;
}

export async function dryRun(env: Cloudflare.Env, action: BulkAction): Promise<Stored<DryRun>> {
  const { accountId, rest } = action;
  const db = databaseOf(env, accountId);
  if (rest && "jobIds" in rest) {
    const known = await knownJobs(db, accountId, rest.jobIds);
    if (!known.ok) return known;
    return ok({
      counted: dryRunOf(action, rest.jobIds.length, rest.jobIds.length - known.value.length),
      isWhole: true,
    });
  }
  let [matched, after] = [0, rest?.after ?? null];
  for (let look = 0; rest && look < MAX_LOOKS && matched < MAX_DRY_RUN; look++) {
    const found = await idsMatching(db, accountId, rest.filter, { after, limit: MAX_DRY_RUN - matched });
    if (!found.ok) return found;
    matched += found.value.ids.length;
    after = found.value.next;
    if (after === null) return ok({ counted: dryRunOf(action, matched, 0), isWhole: true });
  }
  return ok({ counted: dryRunOf(action, matched, 0), isWhole: false });
}
