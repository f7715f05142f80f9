// Who asks a PullQueue for executions, and when. Exact in memory; on disk at most half a minute behind, one row for each write.

import { MAX_WORKERS_SEEN, type Seen, WORKER_SEEN_MS, type WorkerSeen } from "../../domain/handler.ts";

const KEY = "presence";
const VERSION = 1;

/** How far the stored time of the last poll may lie behind. A shorter time would cost more rows. */
export const PRESENCE_LAG_MS = 30_000;

/** As it is stored. */
export interface StoredPresence {
  readonly v: number;
  readonly lastPollAt: number;
  readonly workers: readonly WorkerSeen[];
}

export class Presence {
  readonly #storage: DurableObjectStorage;
  readonly #written: (now: number) => void;
  #isRead = false;
  /** Another deployment's newer shape: it is left untouched. */
  #isForeign = false;
  #lastPollAt: number | null = null;
  #lastPollBy: number | null = null;
  #writtenPollAt = Number.NEGATIVE_INFINITY;
  /** In the order they asked. */
  readonly #workers = new Map<string, number>();
  /** The polls that wait, with their worker's name: they ask the whole time. */
  readonly #waiting = new Map<string, string | null>();
  #watch: ReturnType<typeof setTimeout> | undefined;

  /** @param written is called after each write */
  constructor(storage: DurableObjectStorage, written: (now: number) => void) {
    this.#storage = storage;
    this.#written = written;
  }

  /** A worker has asked. */
  polled(workerId: string | null, now: number): void {
    this.#read(now);
    this.#note(workerId, now);
    this.#writeIfDue(now);
  }

  /** A worker has asked and waits for its answer. */
  waits(pollId: string, workerId: string | null, now: number): void {
    this.#waiting.set(pollId, workerId);
    this.polled(workerId, now);
    this.#watch ??= setTimeout(() => this.#watched(), PRESENCE_LAG_MS);
  }

  /** It has its answer, or has left. */
  answered(pollId: string, now: number): void {
    const workerId = this.#waiting.get(pollId);
    if (workerId === undefined) return;
    this.#waiting.delete(pollId);
    this.polled(workerId, now);
    if (this.#waiting.size > 0) return;
    clearTimeout(this.#watch);
    this.#watch = undefined;
  }

  seen(now: number): Seen {
    this.#read(now);
    for (const workerId of this.#waiting.values()) this.#note(workerId, now);
    const workers = [...this.#workers].map(([workerId, lastPollAt]) => ({ workerId, lastPollAt })).reverse();
    return {
      lastPollAt: this.#lastPollAt,
      lastPollBy: this.#lastPollBy,
      workers: workers.filter(({ lastPollAt }) => now - lastPollAt <= WORKER_SEEN_MS),
    };
  }

  /** Call before the whole storage is deleted. */
  forget(): void {
    this.#lastPollAt = null;
    this.#lastPollBy = null;
    this.#writtenPollAt = Number.NEGATIVE_INFINITY;
    this.#workers.clear();
  }

  /** While polls wait, what is stored keeps up with them. */
  #watched(): void {
    this.#watch = undefined;
    if (this.#waiting.size === 0) return;
    const now = Date.now();
    for (const workerId of this.#waiting.values()) this.#note(workerId, now);
    this.#writeIfDue(now);
    this.#watch = setTimeout(() => this.#watched(), PRESENCE_LAG_MS);
  }

  #note(workerId: string | null, now: number): void {
    this.#lastPollAt = now;
    this.#lastPollBy = now;
    if (workerId === null) return;
    this.#workers.delete(workerId);
    this.#workers.set(workerId, now);
    for (const oldest of this.#workers.keys()) {
      if (this.#workers.size <= MAX_WORKERS_SEEN) break;
      this.#workers.delete(oldest);
    }
  }

  #read(now: number): void {
    if (this.#isRead) return;
    this.#isRead = true;
    const stored = this.#storage.kv.get<StoredPresence>(KEY);
    this.#isForeign = stored !== undefined && stored.v > VERSION;
    if (!stored || this.#isForeign) return;
    this.#lastPollAt = stored.lastPollAt;
    this.#lastPollBy = Math.min(stored.lastPollAt + PRESENCE_LAG_MS, now);
    this.#writtenPollAt = stored.lastPollAt;
    for (const { workerId, lastPollAt } of [...stored.workers].reverse()) this.#workers.set(workerId, lastPollAt);
  }

  /** A write that fails ends the instance; one that is lost with it is made good by the next poll. */
  #writeIfDue(now: number): void {
    if (this.#isForeign || this.#lastPollAt === null || now - this.#writtenPollAt < PRESENCE_LAG_MS) return;
    this.#writtenPollAt = now;
    const stored: StoredPresence = { v: VERSION, lastPollAt: this.#lastPollAt, workers: this.seen(now).workers };
    this.#storage.put(KEY, stored, { allowUnconfirmed: true }).catch(() => {});
    this.#written(now);
  }
}
