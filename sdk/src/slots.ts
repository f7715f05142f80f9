// The places of a worker: so many attempts run at the same time. Waiting for one costs the same however long another has
// been running; a race over the running ones would hang something on the longest of them each time.

export class Slots {
  readonly #size: number;
  #taken = 0;
  #wake: () => void = () => {};

  constructor(size: number) {
    this.#size = size;
  }

  get free(): number {
    return this.#size - this.#taken;
  }

  /** Takes a place until this work has ended. It must not reject. */
  run(work: Promise<void>): void {
    this.#taken += 1;
    void work.finally(() => {
      this.#taken -= 1;
      this.#wake();
    });
  }

  /** Resolves when the next work ends. One caller at a time. */
  nextEnd(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  /** Resolves when nothing runs any more. */
  async allEnded(): Promise<void> {
    while (this.#taken > 0) await this.nextEnd();
  }
}
