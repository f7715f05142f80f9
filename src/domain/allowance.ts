// How much one invocation may do: the platform ends it at the call that is one too many.

/** How many calls to D1 and to objects one invocation may make, unless `SUBREQUESTS` says otherwise. */
const DEFAULT_SUBREQUESTS = 10_000;

/** @param setting `SUBREQUESTS` */
export const callsAllowed = (setting: unknown): number => Number(setting) || DEFAULT_SUBREQUESTS;

/** What the Free plan has for one database: with much less nothing is deleted, and nothing recounted. */
const ENOUGH_CALLS = 50;

const MINUTE = 60_000;

/** Those of several databases whose turn it is in this minute: all, as long as there are calls enough for each. */
export function whoseTurn<T>(all: readonly T[], calls: number, now: number): readonly T[] {
  const turns = Math.ceil((all.length * ENOUGH_CALLS) / calls);
  const turn = Math.floor(now / MINUTE) % Math.max(1, Math.min(turns, all.length));
  return turns <= 1 ? all : all.filter((_, i) => i % Math.min(turns, all.length) === turn);
}

/** The calls a task may still make in this invocation. What it cannot do now it does in a minute. */
export class Allowance {
  #left: number;

  constructor(calls: number) {
    this.#left = Math.floor(calls);
  }

  get left(): number {
    return this.#left;
  }

  /** @returns whether so many calls may be made; they count as made */
  take(calls: number): boolean {
    if (calls > this.#left) return false;
    this.#left -= calls;
    return true;
  }
}
