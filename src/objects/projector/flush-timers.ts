// When a projector adds its counts to the overview: soon after its last batch, since it is billed while it waits, and in a
// minute at the latest.

/** The times and how they are waited for; one object, so that a test may hold it. */
export const FLUSHING = {
  idleMs: 5_000,
  mostMs: 60_000,
  after: (ms: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

export class FlushTimers {
  readonly #flush: () => void;
  #idle: (() => void) | undefined;
  #most: (() => void) | undefined;

  constructor(flush: () => void) {
    this.#flush = flush;
  }

  /** Something has been counted. */
  set(): void {
    this.#idle?.();
    this.#idle = FLUSHING.after(FLUSHING.idleMs, this.#flush);
    this.#most ??= FLUSHING.after(FLUSHING.mostMs, this.#flush);
  }

  /** Nothing is left to flush. */
  clear(): void {
    this.#idle?.();
    this.#most?.();
    this.#idle = undefined;
    this.#most = undefined;
  }
}
