// Keeps what a screen shows up to date: asks again and again while somebody looks, more slowly while that fails, and not
// at all in a hidden tab. What was read last stays on the screen until something newer is there.

import { effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { type ApiError, asApiError } from "../api/api-error.ts";
import { pauseAfter } from "./pause.ts";
import { isVisible } from "./visibility.ts";

/** Where nothing else is said, and until something was read. */
const FIRST_MS = 2_000;

export type Load<T> = (signal: AbortSignal) => Promise<T>;

/** How long it is good for: always the same, or by what was read. */
export type Interval<T> = number | ((value: T) => number);

export class Poll<T> {
  /** What was read last. */
  readonly value: ReadonlySignal<T | undefined>;
  /** Why it could not be read the last time. */
  readonly problem: ReadonlySignal<ApiError | undefined>;
  readonly #value = signal<T | undefined>(undefined);
  readonly #problem = signal<ApiError | undefined>(undefined);
  readonly #load: Load<T>;
  readonly #interval: Interval<T>;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #asking: AbortController | undefined;
  #failures = 0;
  #isStarted = false;
  #forget = (): void => {};

  constructor(load: Load<T>, interval: Interval<T>) {
    this.#load = load;
    this.#interval = interval;
    this.value = this.#value;
    this.problem = this.#problem;
  }

  start(): void {
    this.#isStarted = true;
    this.#forget = effect(() => {
      if (isVisible.value) untracked(() => void this.refresh());
      else this.#pause();
    });
  }

  stop(): void {
    this.#isStarted = false;
    this.#forget();
    this.#pause();
  }

  /** Asks now. A question under way is dropped: its answer may be older than what the person just did. */
  async refresh(): Promise<void> {
    this.#pause();
    const asking = new AbortController();
    this.#asking = asking;
    let pauseMs = 0;
    try {
      const value = await this.#load(asking.signal);
      if (asking.signal.aborted) return;
      this.#failures = 0;
      this.#problem.value = undefined;
      this.#value.value = value;
      pauseMs = this.#intervalMs;
    } catch (thrown) {
      if (asking.signal.aborted) return;
      const error = asApiError(thrown);
      this.#failures += 1;
      this.#problem.value = error;
      pauseMs = pauseAfter(this.#failures, error.retryAfterMs);
    }
    if (this.#isStarted) this.#timer = setTimeout(() => void this.refresh(), pauseMs);
  }

  /** Puts in what is known without asking, such as the answer to an action. */
  put(value: T): void {
    this.#value.value = value;
  }

  get #intervalMs(): number {
    if (typeof this.#interval === "number") return this.#interval;
    const value = this.#value.peek();
    return value === undefined ? FIRST_MS : this.#interval(value);
  }

  #pause(): void {
    clearTimeout(this.#timer);
    this.#asking?.abort();
  }
}

/**
 * A poll for as long as the component is shown.
 *
 * @param key when it changes, something else is asked for, and what was read before is forgotten
 */
export function usePoll<T>(key: string, load: Load<T>, interval: Interval<T> = FIRST_MS): Poll<T> {
  const poll = useMemo(() => new Poll(load, interval), [key]);
  useEffect(() => {
    poll.start();
    return () => poll.stop();
  }, [poll]);
  return poll;
}
