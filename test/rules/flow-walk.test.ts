// Whatever happens to a job of a flow, in whatever order, its owner comes to rest, is never woken for nothing, and gives back what it
// does not need. A failure prints its seed.

import fc from "fast-check";
import { expect, it } from "vitest";
import { taskAt } from "../../src/domain/agenda.ts";
import * as claims from "../../src/domain/flow-claim.ts";
import { type Delivery, isEnded, type Job, workOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { wakeAt } from "../../src/domain/timer.ts";
import { waitOf } from "../../src/domain/waiting-on.ts";
import { reportOf } from "../../src/store/report.ts";
import { aSpec, FAILURE, FINAL, given, HOUR, MINUTE, NOON, PULL, PUSH, SECOND } from "./a-job.ts";

const MOVES = {
  ring: 8,
  pass: 3,
  call: 5,
  lost: 1,
  settle: 4,
  lease: 3,
  giveLeaseBack: 1,
  cancel: 1,
  retry: 2,
  edit: 2,
  move: 1,
  run: 2,
  die: 2,
  forget: 1,
  suspend: 1,
  limits: 2,
} as const;
type Name = keyof typeof MOVES;
const names = (Object.keys(MOVES) as Name[]).flatMap((name) => Array.from({ length: MOVES[name] }, () => name));

const PAUSES = [1, SECOND, 5 * SECOND, MINUTE, 20 * MINUTE, 6 * HOUR];
const TURNS = ["now", "wait", "unknown", "free", "now", "wait"] as const;
const OUTCOMES = [{ kind: "completed" } as const, FAILURE, FINAL];

/** What a flow holds for the job: the attempt, and when it was due. */
interface Held {
  readonly flow: string;
  readonly attempt: number;
  readonly dueAt: number;
}

class Walk {
  now = NOON - MINUTE;
  job: Job;
  /** What is stored: an instance that dies goes on from here. */
  #stored: Job;
  inFlight: string | null = null;
  held: Held[] = [];
  #answer: (typeof TURNS)[number] = "now";
  #isDeaf = false;

  constructor(delivery: Delivery, expiresAfterMs: number | null) {
    this.job = life.arm(aSpec({ delivery, expiresAfterMs, maxRetries: 50, flow: "a", createdAt: this.now }), null);
    this.#stored = this.job;
  }

  take(name: Name, dice: number): void {
    const { job, now } = this;
    const id = "executionId" in job.phase ? job.phase.executionId : "none";
    const made = (step: life.Step) => this.#write(step.ok ? step.value : undefined);
    const edit = { ...workOf(job), scheduledFor: job.scheduledFor, retimed: false };
    if (name === "pass") this.now += given(PAUSES[dice % PAUSES.length]);
    else if (name === "limits") [this.#answer, this.#isDeaf] = [given(TURNS[dice % TURNS.length]), dice % 5 === 0];
    else if (name === "ring") this.#ring(dice % 3 === 0);
    else if (name === "call") this.#call();
    else if (name === "lost")
      this.held = []; // the flow was deleted, or its slot has ended
    else if (name === "die") [this.job, this.inFlight] = [this.#stored, null];
    else if (name === "forget")
      this.#write(claims.givenBack(job)); // as a restored backup would have it
    else if (name === "suspend") this.#write(now >= (wakeAt(job) ?? now + 1) ? life.hold(job, now) : undefined);
    else if (name === "settle") made(life.settle(job, id, given(OUTCOMES[dice % OUTCOMES.length]), 0, now));
    else if (name === "lease") made(life.lease(job, id, "w", now));
    else if (name === "giveLeaseBack") made(life.release(job, id, now));
    else if (name === "cancel") made(life.cancel(job, now));
    else if (name === "retry") made(life.retry(job, now));
    else if (name === "run") made(life.run(job, now));
    else if (name === "edit") made(life.edit(job, { ...edit, flow: given(["a", "b", null][dice % 3]) }, now));
    else made(life.edit(job, { ...edit, scheduledFor: now + given(PAUSES[dice % 6]), retimed: true }, now));
    if (this.job.phase.name !== "running") this.inFlight = null;
  }

  /** Everything answers, and the job rings until it rests. */
  calm(): void {
    [this.#answer, this.#isDeaf] = ["wait", false];
    this.#rings();
  }

  #write(job: Job | undefined): void {
    if (job) this.job = this.#stored = job;
  }

  #ring(late: boolean): void {
    const at = wakeAt(this.job);
    if (at === null) return;
    this.now = Math.max(this.now, at) + (late ? MINUTE : 0);
    this.#rings();
  }

  #rings(): void {
    for (let step = 0; step < 10; step++) {
      const task = taskAt(this.job, this.inFlight, this.now);
      if (task === "rest" || task === "forget") return;
      this.#do(task);
    }
    throw new Error("the alarm does not come to rest");
  }

  #do(task: Exclude<ReturnType<typeof taskAt>, "rest" | "forget">): void {
    const { job, now } = this;
    if (task === "deliver") this.#deliver();
    else if (task === "give-back") this.#giveBack();
    else if (task === "offer") this.#write(life.offerAgain(job, now));
    else if (task === "expire") this.#write(life.expire(job, 0, now));
    else if (task === "interrupt") this.#write(life.interrupt(job, 0, now));
    else if (task === "give-up") this.#write(life.giveUp(job, now));
    else this.#write(reporting.confirm(job, reportOf(job)));
  }

  #deliver(): void {
    const { now } = this;
    if (claims.uselessSince(this.job) !== null) throw new Error("it asks anew before it has given back");
    if (this.job.flow !== null && !claims.hasTurn(this.job, now)) {
      this.job = claims.inLine(this.job); // remembered, not stored
      if (!this.#isDeaf && this.#answer !== "free") this.#hold(claims.ticketOf(this.job), this.job.flow ?? "");
      const answer = this.#isDeaf ? "unknown" : this.#answer;
      if (answer === "wait") this.#write(life.standInLine(this.job, now));
      if (answer === "unknown") this.#write(claims.unanswered(this.job, 0, now));
      if (answer === "wait" || answer === "unknown") return;
      this.job = answer === "free" ? { ...this.job, claim: null } : claims.withTurn(this.job, now);
    }
    const id = `e${this.job.attempt + 1}`;
    const isPull = this.job.delivery.type === "pull";
    this.#write(isPull ? life.enqueue(this.job, id, now) : life.start(this.job, id, now));
    if (!isPull) this.inFlight = id;
  }

  #hold({ attempt, dueAt }: Omit<Held, "flow">, flow: string): void {
    const others = this.held.filter((one) => one.flow !== flow || one.attempt !== attempt || one.dueAt !== dueAt);
    this.held = [...others, { flow, attempt, dueAt }];
  }

  #giveBack(): void {
    const { claim } = this.job;
    if (!claim) throw new Error("there is nothing to give back");
    const isThis = (one: Held) => one.flow === claim.flow && one.attempt === claim.attempt && one.dueAt === claim.dueAt;
    if (!this.#isDeaf) this.held = this.held.filter((one) => !isThis(one));
    this.#write(this.#isDeaf ? claims.giveBackAgain(this.job, this.now) : claims.givenBack(this.job));
  }

  /** The flow calls whom it holds: who does not need it says so, and is held no more. */
  #call(): void {
    const [first, ...others] = this.held;
    if (!first) return;
    const { claim } = this.job;
    const isMine = claim?.flow === first.flow && claim.attempt === first.attempt && claims.isClaimNeeded(this.job);
    if (!isMine) this.held = others;
    else if (claim.turnAt === null) this.#write(claims.called(this.job, this.now));
  }
}

const moves = fc.array(fc.record({ name: fc.constantFrom(...names), dice: fc.nat(59) }), {
  maxLength: 80,
  size: "max",
});

it("on every walk a job of a flow comes to rest, and what rings next has something to do", () => {
  const started = { count: 0, waited: 0, queued: 0 };
  fc.assert(
    fc.property(
      fc.constantFrom<Delivery>(PUSH, PULL),
      fc.constantFrom(null, null, MINUTE, 12 * HOUR),
      moves,
      (delivery, expiresAfterMs, taken) => {
        const walk = new Walk(delivery, expiresAfterMs);
        for (const { name, dice } of taken) {
          walk.take(name, dice);
          const { job, now } = walk;
          const at = wakeAt(job);
          const isPushing = walk.inFlight !== null; // its alarm's handler is at work
          const isIdle = !isPushing && at !== null && at <= now && taskAt(job, walk.inFlight, now) === "rest";
          expect(isIdle).toBe(false);
          if (waitOf(job)?.standing) expect(at).not.toBeNull(); // a lost call is found
          if (job.phase.name === "running") started.count++;
          if (job.phase.name === "queued") started.queued++;
          if (job.phase.name === "waiting" && job.phase.heldFor === "flow") started.waited++;
        }
        walk.calm();
        const { job } = walk;
        // What the owner knows of is needed: nobody waits behind what it has forgotten to give back.
        expect(claims.uselessSince(job) === null || (claims.uselessSince(job) ?? 0) > walk.now).toBe(true);
        const inVain = job.phase.name === "waiting" && job.phase.heldFor === "flow" && job.claim === null;
        expect(inVain).toBe(false);
        if (isEnded(job.phase) && reporting.isForgettable(job, walk.now + HOUR)) expect(job.claim).toBeNull();
      },
    ),
    { numRuns: 2_000 },
  );
  for (const often of Object.values(started)) expect(often).toBeGreaterThan(500); // the walks go everywhere
});
