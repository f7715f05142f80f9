// Clocks, chance and timers, asked for here and nowhere else, so that tests need no sleeping.

/** What the SDK asks of its surroundings besides `fetch`. */
export interface Platform {
  /** Milliseconds of a clock that never steps. Every duration and deadline is measured by it. */
  monotonicMs(): number;
  /** Milliseconds since 1970, by a clock that may step at any time. Only for showing a moment to people. */
  wallMs(): number;
  /** A number in [0, 1). */
  random(): number;
  /** Calls back once after `ms`, or soon if that is not above 0. The answer calls it off; doing so twice is harmless. */
  after(ms: number, callback: () => void): () => void;
  /** Whether `fetch` takes a cache mode. Where it does not, giving one can be an error. */
  knowsCacheModes(): boolean;
  /** Keeps the process alive until the answer is called. */
  keepAlive(): () => void;
}

/** Longer timers than this fire at once in every runtime. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export const systemPlatform: Platform = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  random: () => Math.random(),
  after(ms, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, ms), LONGEST_TIMER_MS));
    return () => clearTimeout(timer);
  },
  knowsCacheModes() {
    try {
      return new Request("https://chronos.invalid", { cache: "no-store" }).cache === "no-store";
    } catch {
      return false;
    }
  },
  keepAlive() {
    const timer = setInterval(() => {}, LONGEST_TIMER_MS);
    return () => clearInterval(timer);
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
