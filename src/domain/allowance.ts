// How much one invocation may do: the platform ends it at the call that is one too many.

/** How many calls to D1 and to objects one invocation may make, unless `SUBREQUESTS` says otherwise. */
const DEFAULT_SUBREQUESTS = 10_000;

/** @param setting `SUBREQUESTS` */
export const callsAllowed = (setting: unknown): number => Number(setting) || DEFAULT_SUBREQUESTS;

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
