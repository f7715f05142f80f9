// A call that takes too long is given up. What it does may still happen.

/** There was no answer in time. */
export class TooLate extends Error {
  override readonly name = "TooLate";
}

/** @throws TooLate when `call` has not answered within `limitMs` */
export async function within<T>(limitMs: number, call: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new TooLate("no answer in time")), limitMs);
  });
  try {
    return await Promise.race([call(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
