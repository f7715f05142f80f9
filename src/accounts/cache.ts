// What an isolate remembers of keys and accounts: fresh for a minute, served stale for an hour while D1 cannot answer.
// A key that nobody holds is remembered for ten seconds, so that guessing does not reach D1.

import { ok } from "../domain/result.ts";
import type { Stored } from "../store/store.ts";

const SECOND = 1_000;
export const FRESH_MS = 60 * SECOND;
export const UNKNOWN_MS = 10 * SECOND;
export const STALE_MS = 3_600 * SECOND;

const MAX_ENTRIES = 10_000;

/** While D1 cannot answer, it is asked again for one entry this often and not with every request. */
const ASK_AGAIN_MS = 10 * SECOND;

interface Entry<T> {
  readonly value: T | undefined;
  readonly readAt: number;
  /** Until then the value is given without asking. */
  readonly freshUntil: number;
}

export class Cache<T> {
  readonly #entries = new Map<string, Entry<T>>();

  /** The value under a key, from memory or through `read`; undefined when there is none. */
  async get(key: string, now: number, read: () => Promise<Stored<T | undefined>>): Promise<Stored<T | undefined>> {
    const known = this.#entries.get(key);
    if (known && now >= known.readAt && now < known.freshUntil) return ok(known.value);
    const answer = await read();
    if (answer.ok) {
      const freshMs = answer.value === undefined ? UNKNOWN_MS : FRESH_MS;
      this.#remember(key, { value: answer.value, readAt: now, freshUntil: now + freshMs });
    } else if (known?.value !== undefined && now < known.readAt + STALE_MS) {
      this.#remember(key, { ...known, freshUntil: Math.min(now + ASK_AGAIN_MS, known.readAt + STALE_MS) });
      return ok(known.value);
    }
    return answer;
  }

  forget(key: string): void {
    this.#entries.delete(key);
  }

  #remember(key: string, entry: Entry<T>): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size <= MAX_ENTRIES) return;
    const oldest = this.#entries.keys().next();
    if (!oldest.done) this.#entries.delete(oldest.value);
  }
}
