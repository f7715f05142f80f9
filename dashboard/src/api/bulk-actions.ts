// One call that changes many jobs.

import type { BulkAction, Selection } from "./bulk-action.ts";
import { call, get } from "./call.ts";
import type { Verb } from "./job.ts";

/** How many jobs are selected now. The service stops counting at 10,000. */
export async function countSelected(action: Verb, selection: Selection): Promise<number> {
  const body = { action, ...selection, dry_run: true };
  return (await call<BulkAction>("POST", "/v1/bulk-actions", { body })).data.matched;
}

export async function startBulkAction(action: Verb, selection: Selection): Promise<BulkAction> {
  return (await call<BulkAction>("POST", "/v1/bulk-actions", { body: { action, ...selection } })).data;
}

export async function getBulkAction(id: string, signal?: AbortSignal): Promise<BulkAction> {
  return (await get<BulkAction>(`/v1/bulk-actions/${id}`, {}, signal)).data;
}

export async function abortBulkAction(id: string): Promise<BulkAction> {
  return (await call<BulkAction>("POST", `/v1/bulk-actions/${id}/abort`)).data;
}
