// Where the API's snake_case meets the SDK's camelCase for batches and bulk actions; see wire.ts.

import type { BulkAction, BulkCount, NewBulkAction } from "./bulk-action.ts";
import { ChronosConfigError } from "./errors.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { dateOrNull, type Snake, type WireJob } from "./wire.ts";
import { selectionToWire } from "./wire-job-input.ts";

/** A bulk action as the API writes it. */
export type WireBulkAction = Snake<
  Omit<BulkAction, "createdAt" | "completedAt"> & { createdAt: string; completedAt: string | null }
>;

/** The answer to one entry of a batch. */
export interface WireBatchEntry {
  status: number;
  code?: string;
  job: WireJob;
}

export function bulkFromWire(bulk: WireBulkAction): BulkAction {
  return {
    id: bulk.id,
    action: bulk.action,
    status: bulk.status,
    matched: bulk.matched,
    done: bulk.done,
    skipped: bulk.skipped,
    failed: bulk.failed,
    createdAt: new Date(bulk.created_at),
    completedAt: dateOrNull(bulk.completed_at),
  };
}

export const countFromWire = ({ action, matched }: WireBulkAction): BulkCount => ({ action, matched });

const NEW_BULK_ACTION: Fields<NewBulkAction> = { action: true, filter: true, jobIds: true, all: true, dryRun: true };

/** The body of a bulk action. Throws a ChronosConfigError for what could select more jobs than were meant. */
export function newBulkToWire(bulk: NewBulkAction): Record<string, unknown> {
  checkFields("A bulk action", bulk, NEW_BULK_ACTION);
  const { action, filter, jobIds, all, dryRun } = bulk;
  const selections = [filter, jobIds, all].filter((selection) => selection !== undefined);
  if (selections.length !== 1 || (all !== undefined && all !== true)) {
    throw new ChronosConfigError("A bulk action needs one of filter, jobIds and all: true");
  }
  return { action, ...selectedBy(filter, jobIds), dry_run: dryRun };
}

function selectedBy(filter: NewBulkAction["filter"], jobIds: NewBulkAction["jobIds"]): Record<string, unknown> {
  if (jobIds !== undefined) return { job_ids: jobIds };
  if (filter === undefined) return { filter: { all: true } };
  const selection = selectionToWire(filter);
  if (Object.values(selection).every((value) => value === undefined)) {
    throw new ChronosConfigError("The filter of a bulk action is empty; say all: true for every job of the account");
  }
  for (const [name, value] of Object.entries(selection)) {
    if (Array.isArray(value) && value.length === 0) {
      throw new ChronosConfigError(`The filter of a bulk action has an empty list as ${name}; leave it out for all`);
    }
  }
  return { filter: selection };
}
