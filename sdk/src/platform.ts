// Clock, chance and timers, asked for here and nowhere else, so that tests need no sleeping.

/** What the SDK asks of its surroundings besides `fetch`. */
export interface Platform {
  /** Milliseconds since 1970. */
  now(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Calls back once after `ms`. The answer calls it off; doing so twice is harmless. */
  after(ms: number, callback: () => void): () => void;
}

/** Longer timers than this fire at once in every runtime. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemPlatform: Platform = {
  now: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(ms, LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
};

/** Resolves after `ms`, or as soon as `signal` aborts; it never rejects and leaves no timer behind. */
export function sleep(platform: Platform, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const wake = () => {
      callOff();
      signal?.removeEventListener("abort", wake);
      resolve();
    };
    const callOff = platform.after(ms, wake);
    signal?.addEventListener("abort", wake, { once: true });
  });
}
