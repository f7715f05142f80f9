// What an owner object keeps: one record, and the platform's timer, which is derived from it after every write and
// never set by hand. The record is read once in an instance's life: nobody else writes it.

const KEY = "state";

/** How a kind of state is read, whatever its age, and when it wants to be woken. */
export interface StateRules<T> {
  readonly upgrade: (stored: { readonly v: number }) => T;
  /** null: never again. */
  readonly wakeAt: (state: T, now: number) => number | null;
  /** Whether a ring that is set already and comes sooner will do: it finds nothing to do and sets the timer anew. */
  readonly bearsEarlyRing: (state: T) => boolean;
}

/** What rings sooner than this has no chance to be needless. */
const SOON_MS = 1_000;

export class StateRecord<T extends { readonly v: number }> {
  readonly #storage: DurableObjectStorage;
  readonly #rules: StateRules<T>;
  /** What is stored, once this instance has looked. An instance whose write fails does not live to read this again. */
  #known: { readonly state: T | undefined } | undefined;
  /** When the platform will ring; null when it will not, undefined while this instance does not know. */
  #ringsAt: number | null | undefined;

  constructor(storage: DurableObjectStorage, rules: StateRules<T>) {
    this.#storage = storage;
    this.#rules = rules;
  }

  /** The state; undefined when D1's row is the whole truth. Synchronous: nothing happens between this and what follows. */
  read(): T | undefined {
    this.#known ??= { state: this.#load() };
    return this.#known.state;
  }

  /** Writes the state and its timer, in one transaction as long as nobody awaits in between. */
  write(state: T, now: number): void {
    this.#storage.kv.put(KEY, state);
    this.#known = { state };
    this.setTimer(state, now);
  }

  /** Rings at the state's next moment, never in the past: the platform may drop such an alarm. */
  setTimer(state: T, now: number): void {
    const at = this.#rules.wakeAt(state, now);
    if (at === null || (this.#rules.bearsEarlyRing(state) && this.#ringsWithin(now + SOON_MS, at))) return;
    this.#ring(Math.max(now + 1, at));
  }

  /** Asks the platform whether it still means to ring, and mends it if not. */
  async mendTimer(state: T, now: number): Promise<void> {
    this.#ringsAt = await this.#storage.getAlarm();
    this.setTimer(state, now);
  }

  /** The alarm has rung: the platform holds none now. */
  rang(): void {
    this.#ringsAt = null;
  }

  /** For a fault nobody foresaw, in place of a throw: the platform gives up on an alarm that keeps throwing. */
  async ringAfterFault(at: number): Promise<void> {
    await this.#storage.setAlarm(at);
    this.#ringsAt = at;
  }

  /** The object is empty afterwards, its alarm gone. */
  async erase(): Promise<void> {
    this.#ringsAt = null;
    this.#known = { state: undefined };
    try {
      await this.#storage.deleteAll();
    } catch (fault) {
      [this.#known, this.#ringsAt] = [undefined, undefined]; // whatever is left is looked at anew, and erased again
      throw fault;
    }
  }

  #load(): T | undefined {
    const stored = this.#storage.kv.get<{ v: number }>(KEY);
    return stored && this.#rules.upgrade(stored);
  }

  #ringsWithin(from: number, to: number): boolean {
    const at = this.#ringsAt ?? 0;
    return from <= at && at <= to;
  }

  #ring(at: number): void {
    if (this.#ringsAt === at) return;
    this.#ringsAt = at;
    // One that cannot be set is set by whoever comes next; the last of them is the sweeper.
    this.#storage.setAlarm(at).catch(() => {
      this.#ringsAt = undefined;
    });
  }
}
