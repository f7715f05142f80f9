// The claims of each account that wait in this isolate. Each is noted with its end, so that one whose request was torn down
// does not count for ever.

import type { Clock } from "./cache.ts";

/** A claim answers this long after its wait at the latest. */
const GRACE_MS = 30_000;

export class OpenPolls {
  readonly #ends = new Map<string, Map<string, number>>();

  /** @returns what to call when the poll is over; null when the account has as many as it may */
  open(accountId: string, pollId: string, waitMs: number, limit: number, clock: Clock): (() => void) | null {
    const now = clock();
    const own = this.#ends.get(accountId) ?? new Map<string, number>();
    if (own.size >= limit) for (const [id, end] of own) if (end <= now) own.delete(id);
    if (own.size >= limit) return null;
    own.set(pollId, now + waitMs + GRACE_MS);
    this.#ends.set(accountId, own);
    return () => {
      own.delete(pollId);
      if (own.size === 0 && this.#ends.get(accountId) === own) this.#ends.delete(accountId);
    };
  }
}
