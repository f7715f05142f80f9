// What an isolate remembers of keys and accounts: fresh for a minute, served stale for an hour while D1 cannot answer.
// A key that nobody holds is remembered for ten seconds, in a small memory of its own.

import { ok } from "../domain/result.ts";
import { STORE_TIMEOUT_MS, type Stored } from "../store/store.ts";

const SECOND = 1_000;
export const FRESH_MS = 60 * SECOND;
export const UNKNOWN_MS = 10 * SECOND;
export const STALE_MS = 3_600 * SECOND;

const MAX_ENTRIES = 10_000;

/** Guessed keys cannot push real ones out: they have this many places, and no others. */
const MAX_UNKNOWN = 1_000;

/** While D1 cannot answer, it is asked this often, by one caller, who waits this long before it is served stale as well. */
const ASK_AGAIN_MS = 10 * SECOND;
const PROBE_MS = 250;

/** The request that began a read may have died: after this long one of those that wait for it reads instead. */
const TAKE_OVER_MS = SECOND;
/** Nobody waits longer for the reads of others. */
const JOINED_MS = STORE_TIMEOUT_MS + SECOND;
const MAX_PAUSE_MS = 50;

/** Milliseconds since the epoch, at the moment it is called. */
export type Clock = () => number;

interface Entry<T> {
  readonly value: T;
  /** When the read that brought it began: a revocation after that moment may not be in it. */
  readonly askedAt: number;
}

/** A read under way. Others look at it again and again: a promise of one request must not be awaited by another. */
interface Reading<T> {
  isOpen: boolean;
  answer: Stored<T | undefined> | null;
}

export class Cache<T> {
  readonly #known = new Map<string, Entry<T>>();
  /** Keys that nobody holds, with the moment that was learned. */
  readonly #unknown = new Map<string, number>();
  readonly #reads = new Map<string, Reading<T>>();
  readonly #later: (work: Promise<unknown>) => void;
  /** When the newest read failed, whatever its key; null while reads succeed. */
  #failedAt: number | null = null;

  /** @param later keeps a read going when its caller has been answered */
  constructor(later: (work: Promise<unknown>) => void) {
    this.#later = later;
  }

  /** The value under a key, from memory or through `read`; undefined when there is none. */
  async get(key: string, clock: Clock, read: () => Promise<Stored<T | undefined>>): Promise<Stored<T | undefined>> {
    const now = clock();
    const known = this.#known.get(key);
    if (known && isWithin(FRESH_MS, known.askedAt, now)) return ok(known.value);
    const unknownSince = this.#unknown.get(key);
    if (unknownSince !== undefined && isWithin(UNKNOWN_MS, unknownSince, now)) return ok(undefined);
    const stale = known && isWithin(STALE_MS, known.askedAt, now) ? known : undefined;
    if (stale && this.#failedAt !== null) {
      if (isWithin(ASK_AGAIN_MS, this.#failedAt, now)) return ok(stale.value);
      this.#failedAt = now;
      const reading = this.#read(key, clock, read);
      this.#later(reading);
      const answer = await Promise.race([reading, pause(PROBE_MS)]);
      return answer?.ok ? answer : ok(stale.value);
    }
    const answer = await this.#joined(key, clock, read);
    return !answer.ok && stale ? ok(stale.value) : answer;
  }

  /** Reads it again, whatever is known. What is known stays known while that fails. */
  renew(key: string, clock: Clock, read: () => Promise<Stored<T | undefined>>): Promise<Stored<T | undefined>> {
    return this.#read(key, clock, read);
  }

  /** The value under a key when it was last looked up, however long ago. */
  peek(key: string): T | undefined {
    return this.#known.get(key)?.value;
  }

  /** A read that is under way is not remembered either: it may have seen what was before. */
  forget(key: string): void {
    this.#known.delete(key);
    this.#reads.delete(key);
  }

  forgetAll(matches: (value: T) => boolean): void {
    for (const [key, { value }] of this.#known) if (matches(value)) this.forget(key);
  }

  /** Waits for another caller's read of the key, or reads. */
  async #joined(key: string, clock: Clock, read: () => Promise<Stored<T | undefined>>): Promise<Stored<T | undefined>> {
    let others = this.#reads.get(key);
    let sinceMs = 0;
    for (let waitedMs = 0, pauseMs = 2; others?.isOpen && sinceMs < TAKE_OVER_MS && waitedMs < JOINED_MS; ) {
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
      await pause(pauseMs);
      [waitedMs, sinceMs] = [waitedMs + pauseMs, sinceMs + pauseMs];
      const present = this.#reads.get(key);
      if (present && present !== others) [others, sinceMs] = [present, 0];
    }
    if (others?.answer) return others.answer;
    const known = this.#known.get(key); // somebody may have read it and be gone already
    if (known && isWithin(FRESH_MS, known.askedAt, clock())) return ok(known.value);
    return this.#read(key, clock, read);
  }

  async #read(key: string, clock: Clock, read: () => Promise<Stored<T | undefined>>): Promise<Stored<T | undefined>> {
    const askedAt = clock();
    const reading: Reading<T> = { isOpen: true, answer: null };
    this.#reads.set(key, reading);
    try {
      const answer = await read();
      reading.answer = answer;
      this.#failedAt = answer.ok ? null : clock();
      if (answer.ok && this.#reads.get(key) === reading) this.#remember(key, answer.value, askedAt, clock());
      return answer;
    } finally {
      reading.isOpen = false;
      if (this.#reads.get(key) === reading) this.#reads.delete(key);
    }
  }

  #remember(key: string, value: T | undefined, askedAt: number, now: number): void {
    this.#known.delete(key);
    this.#unknown.delete(key);
    if (value === undefined) put(this.#unknown, key, now, MAX_UNKNOWN);
    else put(this.#known, key, { value, askedAt }, MAX_ENTRIES);
  }
}

/** Not when the clock has gone back behind the beginning: then nothing is known. */
const isWithin = (lengthMs: number, from: number, now: number): boolean => from <= now && now < from + lengthMs;

const pause = (ms: number): Promise<undefined> => new Promise((resolve) => setTimeout(() => resolve(undefined), ms));

/** The entry that was put longest ago makes room. */
function put<V>(map: Map<string, V>, key: string, value: V, max: number): void {
  map.set(key, value);
  if (map.size <= max) return;
  const oldest = map.keys().next();
  if (!oldest.done) map.delete(oldest.value);
}
