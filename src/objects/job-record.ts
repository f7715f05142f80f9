// What a JobObject keeps: one record, and the platform's timer, which is derived from it after every write and never
// set by hand.

import type { Job } from "../domain/job.ts";
import { wakeAt } from "../domain/timer.ts";
import { upgradeJob } from "../domain/upgrade.ts";

const KEY = "job";

export class JobRecord {
  readonly #storage: DurableObjectStorage;
  /** When the platform will ring; null when it will not, undefined while this instance does not know. */
  #ringsAt: number | null | undefined;

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  /** The job; undefined when D1's row is the whole truth. Synchronous: nothing happens between this and what follows. */
  read(): Job | undefined {
    const stored = this.#storage.kv.get<{ v: number }>(KEY);
    return stored && upgradeJob(stored);
  }

  /** Writes the job and its timer, in one transaction as long as nobody awaits in between. */
  write(job: Job, now: number): void {
    this.#storage.kv.put(KEY, job);
    this.setTimer(job, now);
  }

  /** Rings at the job's next moment, never in the past: the platform may drop such an alarm. */
  setTimer(job: Job, now: number): void {
    this.#ring(Math.max(now + 1, wakeAt(job, now)));
  }

  /** Asks the platform whether it still means to ring, and mends it if not. */
  async mendTimer(job: Job, now: number): Promise<void> {
    this.#ringsAt = await this.#storage.getAlarm();
    this.setTimer(job, now);
  }

  /** The alarm has rung: the platform holds none now. */
  rang(): void {
    this.#ringsAt = null;
  }

  /** For a fault nobody foresaw, in place of a throw: the platform gives up on an alarm that keeps throwing. */
  async ringAfterFault(at: number): Promise<void> {
    this.#ringsAt = at;
    await this.#storage.setAlarm(at);
  }

  /** The object is empty afterwards, its alarm gone. */
  async erase(): Promise<void> {
    this.#ringsAt = null;
    await this.#storage.deleteAll();
  }

  #ring(at: number): void {
    if (this.#ringsAt === at) return;
    this.#ringsAt = at;
    void this.#storage.setAlarm(at);
  }
}
