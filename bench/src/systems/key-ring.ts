// Which API key makes the next request. A real client holds one key, which the service remembers for a minute; a benchmark
// is faster than one key may be. So each key is used up before the next one is taken, and is used again when its limit is
// surely over.

/** Below the service's 100 in 10 s for a key; ten keys stay below its 1,000 for an account. */
const USES = 90;

/** Twice the period: the limiter's windows and ours do not begin together. */
const REST_MS = 20_500;

/** The service remembers a key for a minute. */
const FAMILIAR_MS = 40_000;

export class KeyRing {
  readonly #keys: readonly string[];
  readonly #begunAt = new Map<number, number>();
  readonly #shownAt = new Map<string, number>();
  #at = 0;
  #used = 0;

  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  /** @throws Error when even all keys together are too slow */
  next(): string {
    if (this.#used >= USES) {
      this.#at = (this.#at + 1) % this.#keys.length;
      this.#used = 0;
    }
    if (this.#used === 0) {
      const begunAt = this.#begunAt.get(this.#at);
      if (begunAt !== undefined && Date.now() - begunAt < REST_MS) throw new Error("too few API keys for this rate");
      this.#begunAt.set(this.#at, Date.now());
    }
    this.#used++;
    return this.#keys[this.#at] ?? "";
  }

  /** Of the keys that so many requests will take, those the service may not remember any more. */
  unfamiliar(requests: number): string[] {
    const count = Math.min(this.#keys.length, 1 + Math.ceil(requests / USES));
    const upcoming = Array.from({ length: count }, (_, i) => this.#keys[(this.#at + i) % this.#keys.length] ?? "");
    const now = Date.now();
    const unfamiliar = upcoming.filter((key) => now - (this.#shownAt.get(key) ?? 0) > FAMILIAR_MS);
    for (const key of unfamiliar) this.#shownAt.set(key, now);
    return unfamiliar;
  }
}
