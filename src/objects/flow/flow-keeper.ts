// Grants slots, calls the owners of granted jobs, and sets the alarm of a FlowObject. Every decision is written before an owner is called,
// with no await in between.

import type { Flow, FlowView, SlotEnd, Ticket } from "../../domain/flow.ts";
import * as rules from "../../domain/flow.ts";
import { turnEndsAt } from "../../domain/flow-claim.ts";
import { upgradeFlow } from "../../domain/upgrade.ts";
import { log } from "../../log.ts";
import type { FlowRef } from "../../store/flows-store.ts";
import { ask, jobAt } from "../addresses.ts";
import { atOnce } from "../at-once.ts";
import type { Turn } from "../owners.ts";
import { StateRecord } from "../state-record.ts";
import { Line, type Slot } from "./line.ts";

/** Owners called at once, and grants in one page. Other requests are served between pages. */
const CALLED_AT_ONCE = 25;
const PAGE = 100;
/** The highest limit there is. */
const MAX_SLOTS = 1_000;

/** An owner that does not answer within this is called again. */
const CALL_PATIENCE_MS = 5_000;
const CALL_AGAIN_MS = 5_000;
/** How long an alarm waits for the owners it asks. They are heard afterwards as well. */
const CHECK_PATIENCE_MS = 1_000;
/** The first check of a slot. Most slots are released before it. */
const CHECK_AFTER_MS = 30_000;

export class FlowKeeper {
  readonly record: StateRecord<Flow>;
  readonly line: Line;
  readonly #ctx: DurableObjectState;
  readonly #env: Cloudflare.Env;
  /** Slots whose owners are being called. */
  readonly #calling = new Set<string>();
  /** Whether this instance has asked the owners of slots that the one before it gave, and may have died without calling. */
  #hasLooked = false;

  constructor(ctx: DurableObjectState, env: Cloudflare.Env) {
    this.#ctx = ctx;
    this.#env = env;
    this.line = new Line(ctx.storage.sql);
    const wakeAt = (flow: Flow) => this.#wakeAt(flow, Date.now());
    this.record = new StateRecord<Flow>(ctx.storage, { upgrade: upgradeFlow, wakeAt, mayRingEarly: () => true });
  }

  view(flow: Flow): FlowView {
    const { waiting, running, oldest } = this.line;
    return rules.viewOfFlow(flow, { waiting, running, oldestWaitingSince: oldest });
  }

  /** Answers an owner that asks to start an attempt. */
  ask(ticket: Ticket): Turn {
    const now = Date.now();
    const flow = this.record.read();
    if (!flow || flow.isDeleted) return "free";
    this.#calling.delete(nameOf(ticket)); // it speaks for itself: an answer to an earlier call says nothing any more
    const slot = this.line.slotOf(ticket.jobId);
    if (slot?.attempt === ticket.attempt && this.#mayKeep(flow, slot, now)) {
      this.#startsNow(flow, slot, now);
      return "now";
    }
    if (slot) this.#end(slot, "neither", now); // another attempt's: its owner has gone on without saying so
    if (this.line.waiting === 0 && rules.room(this.record.read() ?? flow, this.line.running, now) > 0) {
      this.#grant([ticket], now); // nobody is before it: two rows less
      this.record.setAlarm(now);
      return "now";
    }
    this.line.stand(ticket);
    this.fill(now, ticket.jobId);
    return this.line.slotOf(ticket.jobId)?.attempt === ticket.attempt ? "now" : "wait";
  }

  /** True if an attempt may keep the slot it has: the flow may have been paused since the grant, and its limits lowered. */
  #mayKeep(flow: Flow, { jobId, attempt, grantedAt }: Slot, now: number): boolean {
    if (flow.concurrency !== null && this.line.running > flow.concurrency) return false;
    if (flow.paused || !rules.mayStartStill(flow, grantedAt, now)) return false;
    if (flow.openUntil === null) return true;
    return now >= flow.openUntil && flow.probe?.jobId === jobId && flow.probe.attempt === attempt;
  }

  /** It has taken so long to come that the rate counts it anew. */
  #startsNow(flow: Flow, { jobId, grantedAt }: Slot, now: number): void {
    const next = rules.startsAt(flow, grantedAt, now);
    if (next === flow) return;
    this.line.startsAt(jobId, now);
    this.record.write(next, now);
  }

  release(ticket: Ticket, end: SlotEnd, startedAt: number | null): void {
    const now = Date.now();
    this.line.leave(ticket);
    this.#end(ticket, end, now, startedAt);
    this.fill(now);
  }

  #end(ticket: Pick<Ticket, "jobId" | "attempt">, end: SlotEnd, now: number, startedAt: number | null = null): void {
    const flow = this.record.read();
    const grantedAt = this.line.free(ticket.jobId, ticket.attempt);
    if (grantedAt === undefined || !flow) return;
    const timed = startedAt === null ? flow : rules.startedAt(flow, grantedAt, Math.min(startedAt, now), now);
    const next = rules.released(timed, ticket, end, now);
    if (next !== flow) this.record.write(next, now);
  }

  /**
   * Gives what is free to those who are first in line, and calls them.
   *
   * @param asking a job that is not called, since it hears its answer
   */
  fill(now: number, asking?: string): void {
    const flow = this.record.read();
    if (!flow) return;
    const first = this.line.first(Math.min(PAGE, rules.room(flow, this.line.running, now)));
    const called = this.#grant(first, now).filter(({ jobId }) => jobId !== asking);
    if (called.length > 0) this.#ctx.waitUntil(this.#call(flow, called, turnEndsAt(flow, now)));
    this.record.setAlarm(now);
  }

  /** Slots and the starts that the rate counts are written in one transaction. @returns those who have got a slot now */
  #grant(tickets: readonly Ticket[], now: number): readonly Ticket[] {
    const granted = tickets.filter((ticket) => this.#give(ticket, now));
    const flow = this.record.read();
    const next = flow && rules.granted(flow, granted, now);
    if (next && next !== flow) this.record.write(next, now);
    return granted;
  }

  /** An owner that lost what it knew may have left a place behind, and stands in line twice: its newest attempt counts, and once. */
  #give(ticket: Ticket, now: number): boolean {
    const held = this.line.slotOf(ticket.jobId);
    if (held && held.attempt >= ticket.attempt) {
      this.line.leave(ticket);
      return false;
    }
    if (held) this.#end(held, "neither", now);
    this.line.grant(ticket, now, now + CHECK_AFTER_MS);
    return true;
  }

  /** Asks the owners of slots that ought to be free by now. */
  async check(now: number): Promise<void> {
    const flow = this.record.read();
    if (!flow) return;
    const due = this.#hasLooked ? this.line.toCheck(now, PAGE) : this.line.toCheck(now + CHECK_AFTER_MS, MAX_SLOTS);
    this.#hasLooked = true;
    for (const { jobId, attempt } of due) this.line.checkLater(jobId, attempt, now + CALL_AGAIN_MS);
    if (due.length === 0) return;
    const calls = this.#call(flow, due, now);
    this.#ctx.waitUntil(calls);
    await ask(() => calls, CHECK_PATIENCE_MS); // the alarm has more to do than to wait for owners that do not answer
  }

  /** Erases a deleted flow once its line and slots are empty and its row is deleted. */
  async forgetIfOver(): Promise<void> {
    const flow = this.record.read();
    if (!flow?.isDeleted || flow.reportAt !== null || this.line.waiting > 0 || this.line.running > 0) return;
    await this.record.erase();
    this.line.forget();
  }

  async #call(flow: Flow, tickets: readonly (Ticket | Slot)[], until: number): Promise<void> {
    const uncalled = tickets.filter((ticket) => !this.#calling.has(nameOf(ticket)));
    for (const ticket of uncalled) this.#calling.add(nameOf(ticket));
    // What one gives back goes to the next at once: others of the same page may not answer for seconds.
    await atOnce(CALLED_AT_ONCE, uncalled, async (ticket) => {
      if (await this.#callOne(flow, ticket, until)) this.fill(Date.now());
    });
  }

  /** @returns whether its slot is free again */
  async #callOne({ accountId, key }: FlowRef, ticket: Ticket | Slot, until: number): Promise<boolean> {
    const { jobId, attempt } = ticket;
    const owner = () => jobAt(this.#env, { accountId, jobId });
    const answer = await ask(() => owner().turn({ accountId, jobId }, key, attempt, until), CALL_PATIENCE_MS);
    if (!this.#calling.delete(nameOf(ticket))) return false;
    const now = Date.now();
    if (!answer.ok) return this.#unreachable(ticket, now);
    const use = answer.value;
    if (use.until === null) {
      this.#end(ticket, use.end, now, use.startedAt); // its owner is about to say so by itself, or knows nothing of it
      return true;
    }
    if ("checkAt" in ticket || use.until > now + CHECK_AFTER_MS) this.line.extend(jobId, attempt, use.until);
    return false;
  }

  #unreachable({ jobId, attempt }: Ticket, now: number): boolean {
    const slot = this.line.slotOf(jobId);
    if (slot?.attempt !== attempt) return false;
    if (now < slot.endsAt) {
      this.line.checkLater(jobId, attempt, now + CALL_AGAIN_MS);
      this.record.setAlarm(now);
      return false;
    }
    const { accountId = "", key = "" } = this.record.read() ?? {};
    log("warn", "slot_given_up", { account_id: accountId, flow: key, job_id: jobId });
    this.#end(slot, "neither", now);
    return true;
  }

  /** The next slot check, the moment when more attempts may start, or the next try to write the row, whichever comes first. */
  #wakeAt(flow: Flow, now: number): number | null {
    const { waiting, running } = this.line;
    const moments: number[] = [];
    if (flow.reportAt !== null) moments.push(flow.reportAt);
    if (running > 0) moments.push(this.line.nextCheck);
    // An instance that dies while it calls is soon followed by one that looks.
    if (running > 0 && (this.#calling.size > 0 || !this.#hasLooked)) moments.push(now + CALL_AGAIN_MS);
    if (waiting > 0) {
      const more = rules.room(flow, running, now) > 0 ? now : rules.roomMoreAt(flow, running, now);
      if (more !== null) moments.push(more);
    }
    return moments.length === 0 ? null : Math.min(...moments);
  }
}

const nameOf = ({ jobId, attempt }: Ticket): string => `${jobId} ${attempt}`;
