// Whether an account may make more jobs: how many of them wait, as far as this isolate knows. It counts what it makes itself, and
// looks at the database after a share of what is still free. So the limit is met by a loop that makes jobs without end, costs
// one that is far from it nothing, and may be passed by as many jobs as other isolates make between two looks.

import type { LiveJobs } from "../store/live-jobs.ts";
import type { Stored } from "../store/store.ts";
import type { Clock } from "./cache.ts";

const SECOND = 1_000;

/** A full account is counted again this long after the last time. */
export const RECOUNT_MS = 10 * SECOND;

/** Counting takes at most this share of the database's time: it does one thing at a time. */
const PAUSE_TIMES = 100;

/** After how many jobs the database is looked at: a share of the limit, of what is free, and of all that a look reads. */
const SHARE_OF_LIMIT = 1 / 1_000;
const SHARE_OF_FREE = 1 / 8;
const SHARE_OF_READ = 1 / 100;

const MAX_ACCOUNTS = 10_000;

interface Known {
  /** What the last look found; null before the first. */
  counted: number | null;
  /** Jobs this isolate has let through since then. */
  made: number;
  /** No look before this moment if the account seems full. */
  nextAt: number;
  isLooking: boolean;
}

/** How a look at the database is made, and kept going behind an answer. */
export interface Looking {
  readonly clock: Clock;
  readonly count: () => Promise<Stored<LiveJobs>>;
  readonly later: (work: Promise<unknown>) => void;
}

export class WaitingJobs {
  readonly #known = new Map<string, Known>();
  /** Entries that the last look read, whosoever's jobs they were. */
  #read = 0;

  /** Lets `size` more jobs of an account through, or not. A database that does not answer refuses nothing here. */
  async mayMake(accountId: string, size: number, limit: number, looking: Looking): Promise<boolean> {
    const known = this.#of(accountId);
    const isFull = () => (known.counted ?? 0) + known.made + size > limit;
    if (isFull()) {
      const pauseMs = known.nextAt - looking.clock();
      if (pauseMs <= 0 || pauseMs > MAX_PAUSE_MS) await this.#look(known, looking);
      if (known.counted !== null && isFull()) return false;
    } else if (known.made + size >= this.#step(known, limit) && !known.isLooking) {
      looking.later(this.#look(known, looking));
    }
    known.made += size;
    return true;
  }

  #step({ counted }: Known, limit: number): number {
    const free = counted === null ? 0 : Math.max(0, limit - counted);
    return Math.max(1, limit * SHARE_OF_LIMIT, free * SHARE_OF_FREE, this.#read * SHARE_OF_READ);
  }

  async #look(known: Known, { clock, count }: Looking): Promise<void> {
    const began = clock();
    const before = known.made;
    known.isLooking = true;
    known.nextAt = began + RECOUNT_MS;
    try {
      const found = await count();
      if (!found.ok) return;
      const { own, all } = found.value;
      known.counted = own;
      known.made -= before;
      known.nextAt = began + Math.min(MAX_PAUSE_MS, Math.max(RECOUNT_MS, PAUSE_TIMES * (clock() - began)));
      this.#read = all;
    } finally {
      known.isLooking = false;
    }
  }

  #of(accountId: string): Known {
    const known = this.#known.get(accountId) ?? { counted: null, made: 0, nextAt: 0, isLooking: false };
    this.#known.delete(accountId);
    this.#known.set(accountId, known);
    const oldest = this.#known.keys().next();
    if (this.#known.size > MAX_ACCOUNTS && !oldest.done) this.#known.delete(oldest.value);
    return known;
  }
}

/** A look takes at most ten seconds. A clock that has gone back makes no longer pause than this. */
const MAX_PAUSE_MS = PAUSE_TIMES * 10 * SECOND;
