// Where the queued executions of one account and handler meet the polls of its workers. It only nominates: the route takes
// the lease from the job's owner, and an entry of which nothing is heard lapses and is nominated again. It calls nobody but
// D1, once a day: the account's list of handlers names it.

import { DurableObject } from "cloudflare:workers";
import type { Entry } from "../../delivery/enqueue.ts";
import { HANDLER_LIFE_MS, type QueueView } from "../../domain/handler.ts";
import { Nominations } from "./nominations.ts";
import { Presence } from "./presence.ts";
import { REGISTER_EVERY_MS, Registration } from "./registration.ts";
import { type Standing, WaitingList } from "./waiting-list.ts";

/** Entries that are over are deleted together, this long after the first of them: one commit for many. */
const TIDY_MS = 100;

/** Entries that come within this are written together. No poll waits for them, or they would not be written. */
const GATHER_MS = 2;

/** Entries that are not on disk yet. Beyond, the answer is "busy", long before the platform would throw `overloaded`. */
export const MAX_UNWRITTEN = 500;

/** An owner that still waits offers again within the hour, so an entry nobody has offered for a day has none. */
export const ENTRY_LIFE_MS = 24 * 60 * 60_000;

/** A poll that has found nothing yet. */
interface Poll {
  readonly most: number;
  readonly answer: (entries: readonly Entry[]) => void;
}

export class PullQueue extends DurableObject<Cloudflare.Env> {
  readonly #list = new WaitingList(this.ctx.storage.sql);
  readonly #nominations = new Nominations();
  /** Entries handed to a waiting poll, which have no row. If they are lost with the instance, their owners offer again. */
  readonly #rowless = new Map<string, Entry>();
  /** Finished, not yet deleted. If they are lost with the instance, a lease is refused for each. */
  readonly #over = new Map<string, Entry>();
  #tidying: ReturnType<typeof setTimeout> | undefined;
  readonly #gathered: Entry[] = [];
  #writing: Promise<void> | undefined;
  #unwritten = 0;
  /** In the order they came: the poll that has waited longest is served first. */
  readonly #polls = new Map<string, Poll>();
  #lapsing: ReturnType<typeof setTimeout> | undefined;
  #hasAlarm = false;
  readonly #presence = new Presence(this.ctx.storage, (now) => this.#setAlarm(now));
  readonly #registration = new Registration(this.ctx, this.env, (now) => this.#setAlarm(now));

  /**
   * Executions that wait for a worker. "taken": on disk, or in the hands of a poll. "busy": nothing was done, and the
   * caller takes the Cloudflare Queue. Offering one again changes nothing.
   */
  async offer(entries: readonly Entry[]): Promise<"taken" | "busy"> {
    const now = Date.now();
    this.#registration.used(now);
    const left = this.#handOver(
      entries.filter(({ executionId }) => !this.#nominations.isTaken(executionId, now)),
      now,
    );
    if (left.length === 0) return "taken";
    if (this.#unwritten + left.length > MAX_UNWRITTEN) return "busy";
    this.#unwritten += left.length;
    this.#gathered.push(...left);
    this.#writing ??= this.#writeGathered();
    try {
      await this.#writing;
    } finally {
      this.#unwritten -= left.length;
    }
    return "taken";
  }

  /**
   * The oldest due executions, at most `most`, as soon as there is one.
   *
   * @param pollId names the poll, so that it can be left
   * @param waitMs how long to wait; the answer is empty then
   * @param over entries of earlier calls that are over
   * @param workerId the worker's name for itself
   */
  async nominate(
    pollId: string,
    most: number,
    waitMs: number,
    over: readonly Entry[] = [],
    workerId: string | null = null,
  ): Promise<readonly Entry[]> {
    this.#settle(over);
    const now = Date.now();
    this.#polled(workerId, now);
    const found = this.#oldest(most, now);
    if (found.length > 0) return this.#nominate(found, now);
    if (waitMs <= 0) return [];
    return new Promise((resolve) => {
      const answer = (entries: readonly Entry[]) => {
        clearTimeout(timer);
        this.#polls.delete(pollId);
        this.#presence.answered(pollId, Date.now());
        resolve(entries);
      };
      const timer = setTimeout(() => answer([]), waitMs);
      this.#polls.set(pollId, { most, answer });
      this.#presence.waits(pollId, workerId, now);
      this.#wakeAtLapse();
    });
  }

  /** When those became due that would be nominated now: a claim for several handlers compares before it takes. */
  async dueTimes(most: number, workerId: string | null = null): Promise<readonly number[]> {
    const now = Date.now();
    this.#polled(workerId, now);
    return this.#oldest(most, now).map(({ dueAt }) => dueAt);
  }

  /** How many wait, and who asks for them. To ask is no poll. */
  async view(entry?: Pick<Entry, "dueAt" | "executionId">): Promise<QueueView> {
    this.#tidy();
    const now = Date.now();
    // Those that are in the hands of a poll have most likely been taken.
    const taken = this.#nominations.countTaken(now);
    return {
      ...this.#presence.seen(now),
      waiting: Math.max(0, this.#list.count() + this.#rowless.size - taken),
      oldestDueAt: this.#oldest(1, now)[0]?.dueAt ?? null,
      holds: entry !== undefined && (this.#rowless.has(entry.executionId) || this.#list.has(entry)),
    };
  }

  /** They were leased, or cannot be any more. */
  async remove(over: readonly Entry[]): Promise<void> {
    this.#settle(over);
  }

  /** The poll they were nominated to does not need them, or has left: they are the next one's. */
  async giveBack(entries: readonly Entry[]): Promise<void> {
    for (const { executionId } of entries) this.#nominations.forget(executionId);
    this.#enter(entries, Date.now());
  }

  /** The client of a poll has gone, or was served elsewhere: it takes nothing with it. */
  async leave(pollId: string): Promise<void> {
    this.#polls.get(pollId)?.answer([]);
  }

  /** Once a day: entries without an owner go, and an object that nobody has used for a week deletes itself. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    this.#tidy();
    if (this.#list.removeUnoffered(now - ENTRY_LIFE_MS) || this.#isUsed(now))
      return this.ctx.storage.setAlarm(now + ENTRY_LIFE_MS);
    this.#list.forget();
    this.#presence.forget();
    this.#registration.forget();
    this.#hasAlarm = false;
    await this.ctx.storage.deleteAll();
  }

  #polled(workerId: string | null, now: number): void {
    this.#presence.polled(workerId, now);
    this.#registration.used(now);
  }

  /** Whether anything was offered, or anybody asked, within a week. The last offer is at most a day after it was noted. */
  #isUsed(now: number): boolean {
    const { lastPollBy } = this.#presence.seen(now);
    const notedAt = this.#registration.at();
    return (
      (lastPollBy !== null && now - lastPollBy < HANDLER_LIFE_MS) ||
      (notedAt !== null && now - notedAt < HANDLER_LIFE_MS + REGISTER_EVERY_MS)
    );
  }

  /** Gives entries to the polls that wait, without writing them. @returns those that are left */
  #handOver(entries: readonly Entry[], now: number): Entry[] {
    const left = [...entries];
    for (const poll of [...this.#polls.values()]) {
      if (left.length === 0) break;
      const given = left.splice(0, poll.most);
      for (const entry of given) {
        this.#over.delete(entry.executionId);
        this.#rowless.set(entry.executionId, entry);
      }
      poll.answer(this.#nominate(given, now));
    }
    return left;
  }

  async #writeGathered(): Promise<void> {
    await scheduler.wait(GATHER_MS);
    this.#writing = undefined;
    this.#enter(this.#gathered.splice(0), Date.now());
    await this.ctx.storage.sync();
  }

  /** They wait from now on, with a row. */
  #enter(entries: readonly Entry[], now: number): void {
    for (const entry of entries) {
      this.#over.delete(entry.executionId);
      this.#rowless.delete(entry.executionId);
      this.#list.add(entry, now);
    }
    this.#setAlarm(now);
    this.#serve(now);
  }

  #setAlarm(now: number): void {
    if (this.#hasAlarm) return;
    this.#hasAlarm = true;
    const set = async () => {
      const { storage } = this.ctx;
      // No poll waits until it is on disk. An offer does: it waits for everything.
      if ((await storage.getAlarm()) === null) await storage.setAlarm(now + ENTRY_LIFE_MS, { allowUnconfirmed: true });
    };
    set().catch(() => {
      this.#hasAlarm = false;
    });
  }

  #settle(over: readonly Entry[]): void {
    if (over.length === 0) return;
    for (const entry of over) {
      this.#nominations.forget(entry.executionId);
      this.#rowless.delete(entry.executionId);
      this.#over.set(entry.executionId, entry);
    }
    this.#tidying ??= setTimeout(() => this.#tidy(), TIDY_MS);
  }

  #tidy(): void {
    clearTimeout(this.#tidying);
    this.#tidying = undefined;
    for (const entry of this.#over.values()) this.#list.remove(entry);
    this.#over.clear();
  }

  /** Gives what waits to the polls that wait. */
  #serve(now: number): void {
    for (const poll of [...this.#polls.values()]) {
      const found = this.#oldest(poll.most, now);
      if (found.length === 0) break;
      poll.answer(this.#nominate(found, now));
    }
    this.#wakeAtLapse();
  }

  #nominate(entries: readonly Entry[], now: number): readonly Entry[] {
    for (const { executionId } of entries) this.#nominations.take(executionId, now);
    this.#wakeAtLapse();
    return entries;
  }

  #oldest(most: number, now: number): Entry[] {
    return this.#list.oldest(most, (executionId): Standing => {
      if (this.#over.has(executionId) || this.#nominations.isTaken(executionId, now)) return "taken";
      return this.#nominations.isTried(executionId) ? "tried" : "free";
    });
  }

  /** While somebody waits, or an entry has no row, nominations that lapse are looked at. */
  #wakeAtLapse(): void {
    if (this.#lapsing !== undefined || (this.#polls.size === 0 && this.#rowless.size === 0)) return;
    const now = Date.now();
    const next = this.#nominations.nextLapse(now);
    if (next === undefined) return;
    this.#lapsing = setTimeout(() => {
      this.#lapsing = undefined;
      const now = Date.now();
      const lapsed = [...this.#rowless.values()].filter(
        ({ executionId }) => !this.#nominations.isTaken(executionId, now),
      );
      if (lapsed.length > 0) this.#enter(lapsed, now);
      else this.#serve(now);
    }, next - now);
  }
}
