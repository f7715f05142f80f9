// What an owner object keeps: one record, and the platform's alarm, which is derived from it and never set by hand. The record
// is read once in an instance's life: nobody else writes it.

import { MAX_STAGGER_MS } from "../domain/stagger.ts";
import { log, nameOf } from "../log.ts";
import { stagger } from "./stagger.ts";

const KEY = "state";

/** How a kind of state is read, whatever its age, and when it wants to be woken. */
export interface StateRules<T> {
  readonly upgrade: (stored: { readonly v: number }) => T;
  /** null: never again. */
  readonly wakeAt: (state: T) => number | null;
  /** Whether an earlier alarm may be kept: it finds nothing to do and is set again. */
  readonly mayRingEarly: (state: T) => boolean;
}

/** An alarm due within this is replaced: it would fire for nothing. */
const SOON_MS = 1_000;

/** When the alarm rings again after a fault nobody foresaw. */
const AFTER_FAULT_MS = 30_000;

/** The platform drops an alarm after six failures that count. From this one on it gets a fresh one first. */
const RETRIES_BEFORE_FRESH = 3;

export class StateRecord<T extends { readonly v: number; readonly accountId: string; readonly revision: number }> {
  readonly #storage: DurableObjectStorage;
  readonly #rules: StateRules<T>;
  /** What is stored, once this instance has looked. An instance whose write fails does not live to read this again. */
  #known: { readonly state: T | undefined } | undefined;
  /** When the platform will ring; null when it will not, undefined while this instance does not know. */
  #ringsAt: number | null | undefined;
  /** The moment that alarm was set for, if this instance set it: in a crowd it rings a little later. */
  #setFor: number | undefined;
  /** The alarm's handler is at work: the platform keeps the alarm until it returns, and rings again if it dies. */
  #isRinging = false;

  constructor(storage: DurableObjectStorage, rules: StateRules<T>) {
    this.#storage = storage;
    this.#rules = rules;
  }

  /** The state; undefined when D1's row is the whole truth. Synchronous: nothing happens between this and what follows. */
  read(): T | undefined {
    this.#known ??= { state: this.#load() };
    return this.#known.state;
  }

  /** Whether nothing has changed the state while the caller waited for something. */
  isStill(seen: T): boolean {
    return this.still(seen) !== undefined;
  }

  /** The state of that revision as it is now: a report may have been confirmed since it was seen. undefined once it has changed. */
  still({ revision }: T): T | undefined {
    const present = this.read();
    return present?.revision === revision ? present : undefined;
  }

  /** Writes the state and its alarm, in one transaction as long as nobody awaits in between. */
  write(state: T, now: number): void {
    this.#storage.kv.put(KEY, state);
    this.#known = { state };
    if (!this.#isRinging) this.#setAlarm(state, now);
  }

  /** Sets the alarm anew, after a change of what it is derived from besides the state. */
  setAlarm(now: number): void {
    const state = this.read();
    if (state && !this.#isRinging) this.#setAlarm(state, now);
  }

  /** Changes what this instance knows, not what is stored: for what another instance may as well do once more. */
  remember(state: T): void {
    this.#known = { state };
  }

  /** Asks the platform whether it still means to ring, and repairs the alarm if not. */
  async mendAlarm(now: number): Promise<void> {
    const state = this.read();
    if (!state || this.#isRinging) return;
    const ringsAt = await this.#storage.getAlarm();
    // The platform may still show an alarm that it has forgotten: one that ought to have rung is set again.
    const isStuck = ringsAt !== null && ringsAt <= now;
    [this.#ringsAt, this.#setFor] = [isStuck ? null : ringsAt, undefined];
    this.#setAlarm(state, now);
  }

  /**
   * Runs the alarm's handler. The alarm is set once, when it returns: a return without would leave the object with none. A fault
   * nobody foresaw is logged and looked at again later: the platform drops an alarm that keeps throwing, and with it the job.
   */
  async ring(retryCount: number, name: string | undefined, handler: () => Promise<void>): Promise<void> {
    [this.#ringsAt, this.#setFor] = [null, undefined];
    this.#isRinging = true;
    if (retryCount >= RETRIES_BEFORE_FRESH) await this.#storage.setAlarm(Date.now() + AFTER_FAULT_MS);
    try {
      await handler();
      this.#isRinging = false;
      const state = this.read();
      if (state) this.#setAlarm(state, Date.now());
    } catch (thrown) {
      log("error", "alarm_fault", { object: name, error: nameOf(thrown) });
      [this.#ringsAt, this.#setFor] = [Date.now() + AFTER_FAULT_MS, undefined];
      await this.#storage.setAlarm(this.#ringsAt);
    } finally {
      this.#isRinging = false;
    }
  }

  /** The object is empty afterwards, its alarm gone. */
  async erase(): Promise<void> {
    [this.#ringsAt, this.#setFor] = [null, undefined];
    this.#known = { state: undefined };
    try {
      await this.#storage.deleteAll();
    } catch (fault) {
      [this.#known, this.#ringsAt] = [undefined, undefined]; // whatever is left is read again, and erased again
      throw fault;
    }
  }

  #load(): T | undefined {
    const stored = this.#storage.kv.get<{ v: number }>(KEY);
    return stored && this.#rules.upgrade(stored);
  }

  /** At the state's next moment, never in the past: the platform may drop such an alarm. */
  #setAlarm(state: T, now: number): void {
    const at = this.#rules.wakeAt(state);
    if (at === null || this.#isSetFor(at)) return;
    if (this.#rules.mayRingEarly(state) && this.#ringsWithin(now + SOON_MS, at)) return;
    const ringAt = at > now ? at + stagger(state.accountId, at, now) : now + 1;
    this.#setFor = at;
    this.#ringsAt = ringAt;
    // If it cannot be set, the next call sets it, at the latest that of the sweeper.
    this.#storage.setAlarm(ringAt).catch(() => {
      [this.#ringsAt, this.#setFor] = [undefined, undefined];
    });
  }

  #isSetFor(at: number): boolean {
    if (this.#setFor !== undefined) return this.#setFor === at && this.#ringsAt != null;
    return this.#ringsWithin(at, at + MAX_STAGGER_MS);
  }

  #ringsWithin(from: number, to: number): boolean {
    const at = this.#ringsAt ?? 0;
    return from <= at && at <= to;
  }
}
