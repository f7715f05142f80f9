// What one request may carry.

/** The service's limit for the jobs of one claim, the reports of one call and the jobs of one batch. */
export const MOST_AT_ONCE = 100;

/** The service's limit for such a body, less the most that stands around its items: `{"reports":[]}`. */
const MOST_BYTES = 1_048_576 - 14;

/** In their order, each batch within the service's limits. `bytes` is an item's size as JSON. */
export function batchesOf<T extends { readonly bytes: number }>(items: readonly T[]): T[][] {
  const batches: T[][] = [];
  let batch: T[] = [];
  let bytes = 0;
  for (const item of items) {
    const more = item.bytes + ",".length;
    if (batch.length === 0 || batch.length === MOST_AT_ONCE || bytes + more > MOST_BYTES) {
      batch = [];
      bytes = 0;
      batches.push(batch);
    }
    batch.push(item);
    bytes += more;
  }
  return batches;
}
