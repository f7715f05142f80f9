// The lease of one running attempt: extended by heartbeats at a third of its length, and turned into an abort signal when
// it is cancelled, lost, or runs out. It counts the lease's length from what this machine saw, by a clock that never steps:
// neither a wrong wall clock nor one that is set meanwhile matters.

import { retryAfterOf } from "./api-error.ts";
import { type Attempt, traceOf } from "./attempt.ts";
import { backoffMs } from "./backoff.ts";
import type { Connection } from "./connection.ts";
import { type AbortCause, ExecutionAbortedError } from "./errors.ts";
import { heartbeat, isLeaseGone } from "./worker-calls.ts";

/** Beyond this a heartbeat without an answer is given up and sent anew. */
const LONGEST_HEARTBEAT_MS = 10_000;

export class Lease {
  readonly #connection: Connection;
  readonly #attempt: Attempt;
  readonly #aborting = new AbortController();
  readonly #closing = new AbortController();
  readonly #intervalMs: number;
  #endsAt: number;
  #failures = 0;
  #callOffDeadline: () => void = () => {};
  #callOffBeat: () => void = () => {};

  /** Takes over a lease that was granted just now. */
  constructor(connection: Connection, attempt: Attempt) {
    this.#connection = connection;
    this.#attempt = attempt;
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

  /** Ends heartbeats and timers; the signal stays as it is. */
  close(): void {
    this.#closing.abort();
    this.#callOffBeat();
    this.#callOffDeadline();
  }

  #abort(cause: AbortCause): void {
    this.close();
    this.#connection.logger.warn(`Aborting the handler: ${cause}`, traceOf(this.#attempt));
    this.#aborting.abort(new ExecutionAbortedError(cause));
  }

  #watchDeadline(): void {
    this.#callOffDeadline();
    this.#callOffDeadline = this.#connection.platform.after(this.leftMs, () => this.#abort("deadline"));
  }

  #beatIn(ms: number): void {
    this.#callOffBeat = this.#connection.platform.after(ms, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const { platform, logger } = this.#connection;
    if (this.leftMs <= 0) return; // The event loop was blocked; the deadline is due, too.
    const sentAt = platform.monotonicMs();
    // Half of what is left, so that a heartbeat that hangs leaves room for a second one.
    const timeoutMs = Math.min(LONGEST_HEARTBEAT_MS, this.leftMs / 2);
    try {
      const cancelled = await heartbeat(this.#connection, this.#attempt, { timeoutMs, signal: this.#closing.signal });
      if (this.#closing.signal.aborted) return;
      if (cancelled) return this.#abort("cancelled");
      this.#failures = 0;
      this.#endsAt = Math.max(this.#endsAt, sentAt + this.#attempt.timeoutMs);
      this.#watchDeadline();
      this.#beatIn(sentAt + this.#intervalMs - platform.monotonicMs());
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      if (isLeaseGone(error)) return this.#abort("lease_lost");
      this.#failures += 1;
      logger.warn(`A heartbeat failed: ${String(error)}`, traceOf(this.#attempt));
      const backoff = { baseMs: this.#intervalMs / 4, capMs: this.#intervalMs };
      this.#beatIn(backoffMs(this.#failures, backoff, platform.random(), retryAfterOf(error)));
    }
  }
}
