// The counts that a projector holds between two flushes, and the epoch they are stamped with. It dies with its instance: what it
// held is then recounted from the stamps.

import { heldEpoch, type SettledExecution, Tally } from "../../domain/tally.ts";
import { log } from "../../log.ts";
import type { Counting, Epoch } from "../../store/counting.ts";
import type { Database } from "../../store/store.ts";
import { flushTally } from "../../store/tallies.ts";
import { claimLeftEpochs } from "../../store/tally-epochs.ts";

/** Counts are flushed in a lull, and in a minute at the latest. */
const LULL_MS = 15_000;
const LONGEST_MS = 60_000;

export class TallyBook implements Counting {
  #tally = new Tally();
  /** When the epoch was opened, and when a batch was last stamped with it. */
  #openedAt = 0;
  #stampedAt = 0;
  #epoch: Omit<Epoch, "openedAt"> = newEpoch(true);

  get epoch(): Epoch {
    return { ...this.#epoch, openedAt: Date.now() };
  }

  /** Whether there is something to flush: an epoch without counts is ended as well. */
  get isEmpty(): boolean {
    return !this.#epoch.isKnown;
  }

  isDue(now: number): boolean {
    return now - this.#stampedAt >= LULL_MS || now - this.#openedAt >= LONGEST_MS;
  }

  applied(settled: readonly SettledExecution[]): void {
    this.#stampedAt = Date.now();
    if (!this.#epoch.isKnown) this.#openedAt = this.#stampedAt;
    this.#epoch = { ...this.#epoch, isKnown: true, claimsOthers: false };
    for (const one of settled) this.#tally.add(one);
  }

  uncertain(): void {
    this.#begin(true);
  }

  claimed(): boolean {
    this.#begin(this.#epoch.claimsOthers);
    return true;
  }

  /** Adds the counts to the overview. If its answer is lost, either that has happened or the epoch is recounted. */
  async flush(db: Database): Promise<void> {
    const [epoch, tally] = [this.#epoch, this.#tally];
    if (epoch.isKnown) {
      this.#begin(true);
      const flushed = await flushTally(db, epoch.id, tally);
      if (flushed.ok && !flushed.value) [this.#epoch, this.#tally] = [epoch, tally];
      else if (flushed.ok) this.#epoch = { ...this.#epoch, claimsOthers: false };
      else log("warn", "overview_flush_failed", {});
    } else if (epoch.claimsOthers) {
      const claimed = await claimLeftEpochs(db, epoch.id, Date.now());
      if (claimed.ok) this.#epoch = { ...epoch, claimsOthers: false };
    }
  }

  #begin(claimsOthers: boolean): void {
    this.#tally = new Tally();
    this.#epoch = newEpoch(claimsOthers);
  }
}

const newEpoch = (claimsOthers: boolean) => ({ id: heldEpoch(Math.random()), isKnown: false, claimsOthers });
