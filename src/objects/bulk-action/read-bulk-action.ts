// Reading and aborting one bulk action. Its row says whether there is one, and all about one that is over; how far another one has
// come is known to its object. An id without a row is nobody's: its object is not asked, since any call would create it.

import { databaseOf } from "../../accounts/home.ts";
import { type BulkAction, isOver } from "../../domain/bulk-action.ts";
import { err, ok } from "../../domain/result.ts";
import { type BulkActionRef, readBulkAction } from "../../store/bulk-actions-store.ts";
import { ROW_MS } from "../../store/store.ts";
import { askOwner, bulkActionAt } from "../addresses.ts";
import type { BulkActionAnswer, BulkActionOwner } from "../owners.ts";

export const currentBulkAction = (env: Cloudflare.Env, ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>> =>
  unlessOver(env, ref, (owner) => owner.get(ref));

/** No other jobs are asked from now on. One that is over stays as it is. */
export const abortBulkAction = (env: Cloudflare.Env, ref: BulkActionRef): Promise<BulkActionAnswer<BulkAction>> =>
  unlessOver(env, ref, (owner) => owner.abort(ref));

async function unlessOver(
  env: Cloudflare.Env,
  ref: BulkActionRef,
  question: (owner: BulkActionOwner) => Promise<BulkActionAnswer<BulkAction>>,
): Promise<BulkActionAnswer<BulkAction>> {
  const row = await readBulkAction(databaseOf(env, ref.accountId), ref, ROW_MS);
  if (row.ok && !row.value) return err({ code: "bulk_action_not_found" });
  if (row.ok && row.value && isOver(row.value)) return ok(row.value);
  return askOwner(() => question(bulkActionAt(env, ref)));
}
