// Nobody waits for ever: a call that takes too long is given up. What it does may still happen.

/** @throws Error when `call` has not answered within `limitMs` */
export async function within<T>(limitMs: number, call: () => Promise<T>): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error("no answer in time")), limitMs);
  });
  try {
    return await Promise.race([call(), limit]);
  } finally {
    clearTimeout(timer);
  }
}
