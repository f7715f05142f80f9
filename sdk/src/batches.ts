// Splits items into requests that the service accepts.

/** The service's limit for the jobs of one claim, the reports of one call and the jobs of one batch. */
export const MOST_AT_ONCE = 100;

/** The service's limit for such a body, less the JSON around the items, at most `{"reports":[]}`. */
const MOST_BYTES = 1_048_576 - 14;

/** Keeps the order; each batch is within the service's limits. `bytes` is an item's size as JSON. */
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
