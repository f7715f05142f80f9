// Writes the owners' reports of one database, one batch at a time: at once when it is idle, gathering while a write is under way.
// The answer to a report is its confirmation. It stores nothing but an alarm: an owner that gets no answer reports again. What its
// batches bring to an end it counts in memory, and adds to the overview from time to time.

import { DurableObject } from "cloudflare:workers";
import { numberOfDatabase } from "../../domain/databases.ts";
import type { Applied } from "../../domain/reporting.ts";
import { log, nameOf } from "../../log.ts";
import { applyReports } from "../../store/apply-reports.ts";
import { databaseAt, isOneDatabase } from "../../store/databases.ts";
import type { Report } from "../../store/report.ts";
import type { Database } from "../../store/store.ts";
import { TallyBook } from "./tally-book.ts";

/** D1 takes values of up to 2 MB; a batch is one value, and a report may be larger than its neighbours. */
const MAX_BATCH_BYTES = 800_000;

/** How much may wait. A report beyond is refused with an answer, before the platform refuses calls with an exception. */
const MAX_WAITING = 2_000;
const MAX_WAITING_BYTES = 16_000_000;

/**
 * How often a projector that holds counts looks whether they are to be flushed. An object that nothing happens to is taken out of memory
 * after ten seconds.
 */
const RING_AFTER_MS = 8_000;

interface Waiting {
  readonly report: Report;
  readonly bytes: number;
  readonly answer: (receipt: Applied) => void;
}

export class Projector extends DurableObject<Cloudflare.Env> {
  #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #isWriting = false;
  readonly #book = new TallyBook();
  /** Who waits for a flush; it comes between two batches. */
  #flushes: (() => void)[] = [];
  #flushAskedAt = 0;
  #willRing = false;

  /**
   * Its name tells which. Without one (a runtime may keep it from alarms) it is the only one.
   *
   * @throws when there are several, or it is not bound any more: then there is nothing to write to
   */
  #db(): Database {
    const number = isOneDatabase(this.env) ? 0 : numberOfDatabase(this.ctx.id.name ?? "");
    const bound = number === undefined ? undefined : databaseAt(this.env, number);
    if (!bound) throw new Error("the database of this projector is not bound");
    return bound.db;
  }

  /**
   * @param bytes how long the report is as JSON
   * @returns "busy" when too many wait: the caller writes by itself; "moving" when the account moves, or lives elsewhere by now
   */
  async report(report: Report, bytes: number): Promise<Applied | "busy"> {
    if (this.#waiting.length >= MAX_WAITING || this.#waitingBytes + bytes > MAX_WAITING_BYTES) return "busy";
    return new Promise((answer) => {
      this.#waiting.push({ report, bytes, answer });
      this.#waitingBytes += bytes;
      if (!this.#isWriting) this.ctx.waitUntil(this.#writeAll());
    });
  }

  /**
   * Adds what has been counted so far to the overview.
   *
   * @param notWithinMs does nothing if somebody asked for the same so short a time ago
   */
  async flush(notWithinMs = 0): Promise<void> {
    const now = Date.now();
    if (Math.abs(now - this.#flushAskedAt) < notWithinMs) return;
    this.#flushAskedAt = now;
    await this.#flushed();
  }

  /** An instance that has counted nothing knows that the one before has gone, with whatever that had counted. */
  override async alarm(): Promise<void> {
    this.#willRing = false;
    if (this.#book.isEmpty || this.#book.isDue(Date.now())) await this.#flushed();
    else this.#ringLater();
  }

  /** No timer: an object that waits for one is billed meanwhile. Answers do not wait until the alarm is on disk. */
  #ringLater(): void {
    if (this.#willRing) return;
    this.#willRing = true;
    const set = this.ctx.storage.setAlarm(Date.now() + RING_AFTER_MS, { allowUnconfirmed: true });
    const tryAgain = () => {
      this.#willRing = false;
    };
    this.ctx.waitUntil(set.catch(tryAgain));
  }

  #flushed(): Promise<void> {
    return new Promise((flushed) => {
      this.#flushes.push(flushed);
      if (!this.#isWriting) this.ctx.waitUntil(this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    this.#isWriting = true;
    try {
      while (this.#waiting.length > 0 || this.#flushes.length > 0) {
        if (this.#flushes.length > 0) await this.#flush();
        if (this.#waiting.length > 0) await this.#write(this.#takeBatch());
      }
    } finally {
      this.#isWriting = false;
    }
  }

  async #flush(): Promise<void> {
    const asked = this.#flushes.splice(0);
    await this.#flushTo().catch((thrown) => {
      log("error", "projector_fault", { reports: 0, error: nameOf(thrown) });
    });
    if (!this.#book.isEmpty) this.#ringLater(); // it has to wait
    for (const flushed of asked) flushed();
  }

  async #write(batch: readonly Waiting[]): Promise<void> {
    const reports = batch.map(({ report }) => report);
    const receipts = await this.#apply(reports).catch((thrown): readonly Applied[] => {
      log("error", "projector_fault", { reports: reports.length, error: nameOf(thrown) });
      return reports.map(() => "unavailable");
    });
    for (const [i, { answer }] of batch.entries()) answer(receipts[i] ?? "unavailable");
    if (!this.#book.isEmpty) this.#ringLater();
    // A database that does not answer would hold up each batch as long as this one: their owners come again.
    if (receipts.every((receipt) => receipt === "unavailable"))
      for (const { answer } of this.#takeAll()) answer("unavailable");
  }

  async #flushTo(): Promise<void> {
    await this.#book.flush(this.#db());
  }

  async #apply(reports: readonly Report[]): Promise<readonly Applied[]> {
    return applyReports(this.#db(), reports, this.#book);
  }

  #takeBatch(): Waiting[] {
    let bytes = 0;
    const end = this.#waiting.findIndex((one, i) => {
      bytes += one.bytes;
      return i > 0 && bytes > MAX_BATCH_BYTES;
    });
    const batch = this.#waiting.splice(0, end === -1 ? this.#waiting.length : end);
    for (const one of batch) this.#waitingBytes -= one.bytes;
    return batch;
  }

  #takeAll(): Waiting[] {
    this.#waitingBytes = 0;
    return this.#waiting.splice(0);
  }
}
