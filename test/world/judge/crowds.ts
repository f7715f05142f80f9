// Jobs that are due in one moment ring one after the other.

import type { JobFacts, Ledger, Start } from "./ledger.ts";

/** Of a crowd of fifty no more than this start within so short a time. */
const SHORT_MS = 10;
const MOST_AT_ONCE = 30;

export class Crowds {
  /** When first attempts started, by the moment they were due. */
  readonly #starts = new Map<number, number[]>();

  check(ledger: Ledger, { notBefore, knownAt }: JobFacts, { at, attempt }: Start): void {
    if (attempt !== 1 || knownAt === null || at > notBefore + 5_000) return;
    const starts = (this.#starts.get(notBefore) ?? []).filter((one) => one > at - SHORT_MS);
    starts.push(at);
    this.#starts.set(notBefore, starts);
    if (starts.length > MOST_AT_ONCE)
      ledger.violated("a crowd rings one after the other", `${starts.length} starts within ${SHORT_MS} ms`);
  }
}
