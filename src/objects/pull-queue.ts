// Where an account's queued executions meet its workers' polls. It only nominates: the lease is taken from the job's own
// object by the route, and an entry neither removed nor put back in time is nominated again. It calls nobody.

import { DurableObject } from "cloudflare:workers";
import type { Offer } from "../delivery/enqueue.ts";
import { WaitingList } from "./waiting-list.ts";

/** How long a nomination is left to its poll. */
export const NOMINATION_MS = 10_000;

/** Entries that are over go together, this long after the first of them: a commit for many in place of one for each. */
const TIDY_MS = 100;

/** A poll that has found nothing yet. */
interface Poll {
  readonly id: string;
  readonly handlers: ReadonlySet<string>;
  readonly answer: (offer: Offer | null) => void;
}

export class PullQueue extends DurableObject<Cloudflare.Env> {
  readonly #list = new WaitingList(this.ctx.storage.sql);
  /** Until when an execution is left to the poll it was nominated to. Lost with the instance: the lease is the fence. */
  readonly #nominated = new Map<string, number>();
  /** Entries that are over and whose rows still stand. If they are lost with the instance, a lease is refused for each. */
  readonly #over = new Map<string, Offer>();
  #tidying: ReturnType<typeof setTimeout> | undefined;
  /** In the order they came: who waits longest is served first. */
  readonly #polls = new Map<string, Poll>();
  #wake: ReturnType<typeof setTimeout> | undefined;

  /** Executions that wait for a worker. The answer is the confirmation; offering one again changes nothing. */
  async add(offers: readonly Offer[]): Promise<void> {
    for (const offer of offers) this.#enter(offer);
    this.#serve();
  }

  /** It was leased, or cannot be any more. */
  async remove(offer: Offer): Promise<void> {
    this.#tidying ??= setTimeout(() => this.#tidy(), TIDY_MS);
    this.#over.set(offer.executionId, offer);
    this.#nominated.delete(offer.executionId);
  }

  /** The poll it was nominated to could not take it: it is the next one's. */
  async putBack(offer: Offer): Promise<void> {
    this.#enter(offer);
    this.#nominated.delete(offer.executionId);
    this.#serve();
  }

  /**
   * The oldest due execution for one of these handlers, as soon as there is one.
   *
   * @param pollId names the poll, so that it can be left
   * @param waitMs how long to wait; null is the answer then
   */
  async nominate(pollId: string, handlers: readonly string[], waitMs: number): Promise<Offer | null> {
    const wanted = new Set(handlers);
    const now = Date.now();
    const offer = this.#oldest(wanted, now);
    if (offer) return this.#nominate(offer, now);
    if (waitMs <= 0) return null;
    return new Promise((resolve) => {
      const answer = (found: Offer | null) => {
        clearTimeout(timer);
        this.#polls.delete(pollId);
        resolve(found);
      };
      const timer = setTimeout(() => answer(null), waitMs);
      this.#polls.set(pollId, { id: pollId, handlers: wanted, answer });
      this.#wakeForNominated();
    });
  }

  /** The client of a poll has gone: it takes nothing with it. */
  async leave(pollId: string): Promise<void> {
    this.#polls.get(pollId)?.answer(null);
  }

  /** The account is gone. */
  async erase(): Promise<void> {
    for (const poll of [...this.#polls.values()]) poll.answer(null);
    this.#nominated.clear();
    this.#over.clear();
    this.#list.forget();
    await this.ctx.storage.deleteAll();
  }

  #enter(offer: Offer): void {
    this.#over.delete(offer.executionId);
    this.#list.add(offer);
  }

  #tidy(): void {
    this.#tidying = undefined;
    for (const [executionId, offer] of this.#over) {
      this.#list.remove(offer);
      this.#over.delete(executionId);
    }
  }

  /** Gives what waits to the polls that wait. */
  #serve(): void {
    const now = Date.now();
    for (const poll of [...this.#polls.values()]) {
      const offer = this.#oldest(poll.handlers, now);
      if (offer) poll.answer(this.#nominate(offer, now));
    }
    this.#wakeForNominated();
  }

  #nominate(offer: Offer, now: number): Offer {
    this.#nominated.set(offer.executionId, now + NOMINATION_MS);
    return offer;
  }

  #oldest(handlers: ReadonlySet<string>, now: number): Offer | undefined {
    const isTaken = (executionId: string) =>
      this.#over.has(executionId) || (this.#nominated.get(executionId) ?? 0) > now;
    let oldest: Offer | undefined;
    for (const handler of handlers) {
      const offer = this.#list.oldest(handler, isTaken);
      if (offer && (!oldest || offer.dueAt < oldest.dueAt)) oldest = offer;
    }
    return oldest;
  }

  /** While somebody waits, a nomination that runs out is looked at again. */
  #wakeForNominated(): void {
    if (this.#wake !== undefined || this.#polls.size === 0 || this.#nominated.size === 0) return;
    const next = Math.min(...this.#nominated.values());
    this.#wake = setTimeout(
      () => {
        this.#wake = undefined;
        const now = Date.now();
        for (const [executionId, until] of this.#nominated) if (until <= now) this.#nominated.delete(executionId);
        this.#serve();
      },
      Math.max(1, next - Date.now()),
    );
  }
}
