// Many things to do, some of them at a time.

/** Does something for each; the answers are in the order of the items. */
export async function eachOf<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T, i: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  const left = items.entries();
  const lane = async () => {
    for (const [i, item] of left) results[i] = await work(item, i);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
