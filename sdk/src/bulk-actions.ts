// Bulk actions over the API: follow, wait for, abort and list those that `jobs.bulk()` started.

import { isPassing } from "./api-error.ts";
import type { BulkAction } from "./bulk-action.ts";
import { CALL_OPTIONS, type CallLimits, type CallOptions, limitsOf } from "./call-options.ts";
import type { Connection } from "./connection.ts";
import { ChronosConfigError, ChronosConnectionError } from "./errors.ts";
import type { HttpCall } from "./http.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { type PagedList, pagedList } from "./pages.ts";
import { sleep } from "./platform.ts";
import { retrying } from "./retrying.ts";
import { bulkFromWire, type WireBulkAction } from "./wire-bulk.ts";

/** The first argument of `bulk.list()`. */
export interface BulkFilters {
  /** Bulk actions a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}

/** The options of `bulk.wait()`. */
export interface BulkWaitOptions extends CallOptions {
  /** Called after each look, the last one included. An error that it throws ends the wait. */
  onProgress?: ((bulk: BulkAction) => void) | undefined;
  /** Milliseconds between two looks, at least 100. Default 2000. */
  intervalMs?: number | undefined;
}

const FILTERS: Fields<BulkFilters> = { size: true };
const WAIT_OPTIONS: Fields<BulkWaitOptions> = { ...CALL_OPTIONS, onProgress: true, intervalMs: true };

const LEAST_INTERVAL_MS = 100;

/**
 * The bulk actions of the account. Reached as `chronos.bulk`; `chronos.jobs.bulk()` starts one.
 *
 * @example
 * ```ts
 * import { Chronos } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const bulk = await chronos.jobs.bulk({ action: "cancel", filter: { tag: "import-17" } });
 * const ended = await chronos.bulk.wait(bulk.id, {
 *   onProgress: ({ done, matched }) => console.log(`${done} of ${matched}`),
 * });
 * console.log(ended.status, ended.done, ended.skipped, ended.failed);
 * ```
 */
export class BulkActions {
  readonly #connection: Connection;

  /** @internal */
  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** One bulk action and how far it is. 404 `bulk_action_not_found` if there is none. */
  async get(id: string, options?: CallOptions): Promise<BulkAction> {
    return this.#get(id, limitsOf(this.#connection, "bulk.get()", options));
  }

  /** The account's bulk actions, newest first. Nothing is read before you iterate or ask for a page. */
  list(filters: BulkFilters = {}, options?: CallOptions): PagedList<BulkAction> {
    checkFields("A list's filter", filters, FILTERS);
    const call = { name: "bulk.list()", path: "/v1/bulk-actions", query: [], size: filters.size, options };
    return pagedList(this.#connection, call, bulkFromWire);
  }

  /**
   * Stops a bulk action; what it has done stays done. One that has ended is returned as it is. Repeated after a fault.
   */
  async abort(id: string, options?: CallOptions): Promise<BulkAction> {
    const limits = limitsOf(this.#connection, "bulk.abort()", options);
    return this.#bulk({ method: "POST", path: `${bulkPath(id)}/abort` }, limits);
  }

  /**
   * Looks until a bulk action has ended, and returns it: `completed` or `aborted`, with its final counts. Each
   * look is tried as often as `get()`. It waits as long as the action takes unless `timeoutMs` ends the wait, with
   * ChronosConnectionError; the action itself goes on, and can be waited for again.
   */
  async wait(id: string, options: BulkWaitOptions = {}): Promise<BulkAction> {
    const { platform } = this.#connection;
    const limits = limitsOf(this.#connection, "bulk.wait()", options, WAIT_OPTIONS);
    const { onProgress, intervalMs = 2_000 } = options;
    if (!(typeof intervalMs === "number" && intervalMs >= LEAST_INTERVAL_MS)) {
      throw new ChronosConfigError(`intervalMs must be a number of milliseconds, at least ${LEAST_INTERVAL_MS}`);
    }
    for (;;) {
      const bulk = await this.#get(id, limits);
      onProgress?.(bulk);
      // One that was aborted may still count the jobs it was changing.
      if (bulk.completedAt !== null) return bulk;
      if (platform.monotonicMs() + intervalMs >= limits.endsAt) {
        throw new ChronosConnectionError(`The bulk action ${id} still ran when timeoutMs ended; it goes on`);
      }
      await sleep(platform, intervalMs, limits.signal);
      limits.signal?.throwIfAborted();
    }
  }

  #get(id: string, limits: CallLimits): Promise<BulkAction> {
    return this.#bulk({ method: "GET", path: bulkPath(id) }, limits);
  }

  async #bulk(call: HttpCall, limits: CallLimits): Promise<BulkAction> {
    const { data } = await retrying(this.#connection, call, limits, isPassing);
    return bulkFromWire(data as WireBulkAction);
  }
}

/** An empty id would address the list instead of a bulk action. */
function bulkPath(id: string): string {
  if (typeof id !== "string" || id === "") throw new ChronosConfigError("A bulk action's id is required");
  return `/v1/bulk-actions/${encodeURIComponent(id)}`;
}
