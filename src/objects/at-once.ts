// Many calls of the same kind, a bounded number of them at a time.

/** @returns the answers, in the order of the items */
export async function atOnce<T, R>(most: number, items: readonly T[], call: (item: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  const left = items.entries();
  const worker = async () => {
    for (const [n, item] of left) answers[n] = await call(item);
  };
  await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  return answers;
}
