// How a bulk action reads to a client. What is not named here stays inside.

import type { BulkAction } from "../domain/bulk-action.ts";
import { moment } from "../domain/show-job.ts";

export const showBulkAction = (action: BulkAction) => ({ id: action.id, ...progressOf(action) });

/** Of a dry run there is nothing to look at later: it has no id. */
export const showDryRun = (action: BulkAction) => ({ id: null, ...progressOf(action) });

const progressOf = (action: BulkAction) => ({
  action: action.action,
  status: action.status,
  matched: action.matched,
  done: action.done,
  skipped: action.skipped,
  failed: action.failed,
  created_at: moment(action.createdAt),
  completed_at: moment(action.completedAt),
});
