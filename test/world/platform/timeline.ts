// Virtual time. Whatever happens is an event at a moment; between two events every promise that can go on has gone on. No real
// timer is involved: a year takes as long as its events.

/** Something that will happen. */
export interface Event {
  readonly at: number;
  /** null: it was called off. */
  run: (() => void) | null;
}

interface Entry extends Event {
  /** Events of one moment happen in the order they were planned. */
  readonly order: number;
}

/** After so many events the real event loop gets a turn, for signals and for the clock of a run's limit. */
const TURN_EVERY = 2_000;

export class Timeline {
  /** Milliseconds since the epoch, with fractions. */
  now: number;
  /** How many events have happened. */
  happened = 0;
  readonly #heap: Entry[] = [];
  #planned = 0;
  #isStopped = false;

  constructor(startsAt: number) {
    this.now = startsAt;
  }

  /** How many events are planned. */
  get size(): number {
    return this.#heap.length;
  }

  after(ms: number, run: () => void): Event {
    return this.at(this.now + Math.max(0, ms), run);
  }

  at(at: number, run: () => void): Event {
    const event: Entry = { at: Math.max(at, this.now), order: this.#planned++, run };
    this.#heap.push(event);
    this.#up(this.#heap.length - 1);
    return event;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Ends the run after the present event. */
  stop(): void {
    this.#isStopped = true;
  }

  /**
   * Lets events happen until `until`, until `isOver` says so after an event, or until there are none.
   *
   * @throws what an event throws
   */
  run(until: number, isOver: () => boolean = () => false): Promise<void> {
    this.#isStopped = false;
    return new Promise((resolve, reject) => {
      const step = (): void => {
        const next = this.#heap[0];
        if (this.#isStopped || next === undefined || next.at > until || isOver()) {
          if (!this.#isStopped && !isOver()) this.now = Math.max(this.now, until);
          resolve();
          return;
        }
        this.#pop();
        this.now = next.at;
        this.happened += 1;
        try {
          next.run?.();
        } catch (thrown) {
          reject(thrown);
          return;
        }
        if (this.happened % TURN_EVERY === 0) setImmediate(step);
        else settle(step);
      };
      setImmediate(step);
    });
  }

  #pop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#down(0);
  }

  #up(start: number): void {
    const heap = this.#heap;
    let i = start;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (isBefore(heap[parent] as Entry, heap[i] as Entry)) return;
      [heap[parent], heap[i]] = [heap[i] as Entry, heap[parent] as Entry];
      i = parent;
    }
  }

  #down(start: number): void {
    const heap = this.#heap;
    let i = start;
    for (;;) {
      const left = 2 * i + 1;
      if (left >= heap.length) return;
      const right = left + 1;
      const least = right < heap.length && isBefore(heap[right] as Entry, heap[left] as Entry) ? right : left;
      if (isBefore(heap[i] as Entry, heap[least] as Entry)) return;
      [heap[least], heap[i]] = [heap[i] as Entry, heap[least] as Entry];
      i = least;
    }
  }
}

const isBefore = (one: Entry, other: Entry): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);

/**
 * Goes on once all promises have. A tick that is asked for by a microtask comes after all microtasks, those included that these have
 * caused; the second round is for what streams leave to a tick of their own.
 */
function settle(then: () => void): void {
  Promise.resolve().then(() => process.nextTick(() => Promise.resolve().then(() => process.nextTick(then))));
}
