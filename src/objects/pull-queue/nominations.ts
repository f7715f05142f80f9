// Which entries are in the hands of a poll, and until when. In memory only: if it is lost with the instance, an entry is
// nominated twice, and the job's owner gives the lease to one of the two.

/** How long an entry is left to the poll it was nominated to, the first time. Each time that nothing is heard doubles it. */
export const NOMINATION_MS = 10_000;
const MAX_DOUBLINGS = 4;

export class Nominations {
  readonly #held = new Map<string, { readonly until: number; readonly times: number }>();

  isTaken(executionId: string, now: number): boolean {
    return (this.#held.get(executionId)?.until ?? 0) > now;
  }

  /** It was nominated, and nobody has said what became of it. */
  isTried(executionId: string): boolean {
    return this.#held.has(executionId);
  }

  take(executionId: string, now: number): void {
    const times = (this.#held.get(executionId)?.times ?? 0) + 1;
    const until = now + NOMINATION_MS * 2 ** Math.min(times - 1, MAX_DOUBLINGS);
    this.#held.set(executionId, { until, times });
  }

  forget(executionId: string): void {
    this.#held.delete(executionId);
  }

  countTaken(now: number): number {
    return [...this.#held.values()].filter(({ until }) => until > now).length;
  }

  /** When the next one lapses; undefined when none is held. */
  nextLapse(now: number): number | undefined {
    let next: number | undefined;
    for (const { until } of this.#held.values()) if (until > now && until < (next ?? Infinity)) next = until;
    return next;
  }
}
