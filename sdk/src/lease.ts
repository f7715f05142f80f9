// The lease of one running attempt: extended by heartbeats at a third of its length, which carry what the handler says of its
// progress, and turned into an abort signal when it is cancelled, lost, or runs out. It counts the lease's length from what
// this machine saw, by a clock that never steps: neither a wrong wall clock nor one that is set meanwhile matters.

import { retryAfterOf } from "./api-error.ts";
import { type Attempt, traceOf } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { type AbortCause, ExecutionAbortedError } from "./errors.ts";
import { sleep } from "./platform.ts";
import { isAboutTheReport } from "./report.ts";
import { heartbeat, isLeaseGone } from "./worker-calls.ts";

/** Beyond this a heartbeat without an answer is given up and sent anew. */
const LONGEST_HEARTBEAT_MS = 10_000;

/** Progress is said at most this often: a hundred handlers that say it all the time use half of what a key may ask. */
const SHORTEST_INTERVAL_MS = 2_000;
/** How long the report of an end waits for what was said last. */
const LONGEST_REST_MS = 2_000;

export class Lease {
  readonly attempt: Attempt;
  readonly #connection: Connection;
  readonly #aborting = new AbortController();
  readonly #closing = new AbortController();
  readonly #intervalMs: number;
  #endsAt: number;
  #failures = 0;
  #callOffDeadline: () => void = () => {};
  #callOffBeat: () => void = () => {};
  #beatDueAt = 0;
  #beatenAt = Number.NEGATIVE_INFINITY;
  /** The heartbeat that is under way, if it carries progress, and whether any is. */
  #carrying: Promise<void> | null = null;
  #isBeating = false;
  /** Progress that no heartbeat has carried yet, as JSON. */
  #unsaid: string | null = null;

  /** Takes over a lease that was granted just now. */
  constructor(connection: Connection, attempt: Attempt) {
    this.#connection = connection;
    this.attempt = attempt;
    this.#intervalMs = attempt.timeoutMs / 3;
    this.#endsAt = connection.platform.monotonicMs() + attempt.timeoutMs;
    this.#watchDeadline();
    this.#beatIn(this.#intervalMs);
  }

  /** Aborts when the attempt should stop; the reason is an ExecutionAbortedError. */
  get signal(): AbortSignal {
    return this.#aborting.signal;
  }

  get abortCause(): AbortCause | null {
    const { reason } = this.signal;
    return reason instanceof ExecutionAbortedError ? reason.abortCause : null;
  }

  /** How long the lease is still ours; negative once it has ended. */
  get leftMs(): number {
    return this.#endsAt - this.#connection.platform.monotonicMs();
  }

  /** Sends progress, which is JSON already, with a heartbeat of its own or with one that comes as soon. */
  say(progress: string): void {
    if (this.#closing.signal.aborted) return;
    this.#unsaid = progress;
    if (!this.#isBeating && this.#failures === 0) this.#beatForProgress();
  }

  /** Sends what was said last. Ends with the lease, with the answer, or after a while: the report is worth more. */
  async sayTheRest(): Promise<void> {
    if (this.#unsaid === null && this.#carrying === null) return;
    const rest = async () => {
      await this.#carrying;
      if (this.#unsaid !== null && !this.#isBeating && !this.#closing.signal.aborted) await this.#beat();
    };
    await Promise.race([rest(), sleep(this.#connection.platform, LONGEST_REST_MS, this.#closing.signal)]);
  }

  /** Ends heartbeats and timers; the signal stays as it is. */
  close(): void {
    this.#closing.abort();
    this.#callOffBeat();
    this.#callOffDeadline();
  }

  #abort(cause: AbortCause): void {
    this.close();
    this.#connection.logger.warn(`Aborting the handler: ${cause}`, traceOf(this.attempt));
    this.#aborting.abort(new ExecutionAbortedError(cause));
  }

  #watchDeadline(): void {
    this.#callOffDeadline();
    this.#callOffDeadline = this.#connection.platform.after(this.leftMs, () => this.#abort("deadline"));
  }

  #beatIn(ms: number): void {
    const { platform } = this.#connection;
    this.#callOffBeat();
    this.#beatDueAt = platform.monotonicMs() + ms;
    this.#callOffBeat = platform.after(ms, () => void this.#beat());
  }

  /** Not while heartbeats fail: those are repeated at their own pace, and carry it too. */
  #beatForProgress(): void {
    const now = this.#connection.platform.monotonicMs();
    const at = Math.max(now, this.#beatenAt + SHORTEST_INTERVAL_MS);
    if (at < this.#beatDueAt) this.#beatIn(at - now);
  }

  #beat(): Promise<void> {
    const progress = this.#unsaid;
    this.#unsaid = null;
    this.#isBeating = true;
    const beating = this.#beatWith(progress).finally(() => {
      this.#isBeating = false;
      this.#carrying = null;
    });
    if (progress !== null) this.#carrying = beating;
    return beating;
  }

  async #beatWith(progress: string | null): Promise<void> {
    const { platform, logger } = this.#connection;
    if (this.leftMs <= 0) return; // The event loop was blocked; the deadline is due, too.
    const sentAt = platform.monotonicMs();
    this.#beatenAt = sentAt;
    // Half of what is left, so that a heartbeat that hangs leaves room for a second one.
    const timeoutMs = Math.min(LONGEST_HEARTBEAT_MS, this.leftMs / 2);
    try {
      const limits = { timeoutMs, signal: this.#closing.signal };
      const cancelled = await heartbeat(this.#connection, this.attempt, progress, limits);
      if (this.#closing.signal.aborted) return;
      if (cancelled) return this.#abort("cancelled");
      this.#failures = 0;
      this.#endsAt = Math.max(this.#endsAt, sentAt + this.attempt.timeoutMs);
      this.#watchDeadline();
      this.#beatIn(sentAt + this.#intervalMs - platform.monotonicMs());
      if (this.#unsaid !== null) this.#beatForProgress();
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (isLeaseGone(error)) return this.#abort("lease_lost");
      if (progress !== null && isAboutTheReport(error)) {
        logger.warn(`The service refused the progress: ${error.message}`, traceOf(this.attempt));
        return this.#beatIn(0); // without it: the lease must not be lost to it
      }
      this.#unsaid ??= progress;
      this.#failures += 1;
      logger.warn(`A heartbeat failed: ${String(error)}`, traceOf(this.attempt));
      const backoff = { baseMs: this.#intervalMs / 4, capMs: this.#intervalMs };
      this.#beatIn(backoffMs(this.#failures, backoff, platform.random(), retryAfterOf(error)));
    }
  }
}
