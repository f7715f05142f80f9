// A small world for a job: an owner that rings, workers and targets that answer, a read model that hears of it in any
// order or not at all, crashes in between. A walk is a list of moves; what must hold on every one stands in walk.test.ts.

import fc from "fast-check";
import { type Task, taskAt } from "../../src/domain/agenda.ts";
import { type Delivery, type Execution, isAsNew, type Job, type JobEdit, workOf } from "../../src/domain/job.ts";
import * as life from "../../src/domain/life.ts";
import * as reporting from "../../src/domain/reporting.ts";
import { wakeAt } from "../../src/domain/timer.ts";
import { type Asked, askedOf, type JobFacts, type JobReport, reportOf } from "../../src/store/report.ts";
import { type JobRow, jobOfRow, rowOfSpec } from "../../src/store/rows.ts";
import { jsonText } from "../harness/json-text.ts";
import { aSpec, given, HOUR, MINUTE, NAMED, NOON, PULL, PUSH, SECOND, STRANGER, TIMEOUT } from "./a-job.ts";

/** Too large for the job's row. */
const BODY = "x".repeat(4_000);

const ERROR = { code: "http_status", message: "no" } as const;
const RESPONSE = { status: 500, headers: {}, body: BODY, truncated: true };
const SHORT = { status: 500, headers: {}, body: "no", truncated: false };
const OUTCOMES: readonly life.Outcome[] = [
  { kind: "completed", result: jsonText("done") },
  { kind: "failed", error: ERROR, response: RESPONSE, retryable: true, retryAfterMs: null },
  { kind: "timed_out", error: ERROR, response: RESPONSE, retryable: true, retryAfterMs: 5 * SECOND },
  { kind: "failed", error: ERROR, response: SHORT, retryable: true, retryAfterMs: 2 * HOUR },
  { kind: "failed", error: ERROR, retryable: false, retryAfterMs: null },
];
/** The progress of a heartbeat: none, one that fits into the row, and one that does not. */
const PROGRESS = [null, null, jsonText("near"), jsonText(BODY)];
const PAUSES = [0, 1, SECOND, TIMEOUT, MINUTE, 6 * HOUR] as const;
const EXPIRIES = [SECOND, MINUTE, 12 * HOUR] as const;
const LATENESS = [0, 0, 1, SECOND, HOUR] as const;

/** What can happen, the more often the more it says. */
const HAPPENINGS = {
  pass: 3,
  ring: 8,
  ringWithoutQueue: 1,
  crash: 2,
  settle: 5,
  lease: 3,
  release: 1,
  heartbeat: 3,
  cancel: 1,
  retry: 3,
  edit: 3,
  move: 1,
  run: 1,
  dropKey: 1,
  giveUp: 1,
  hold: 1,
  report: 1,
  deliver: 5,
  lose: 1,
  // What the owner's alarm does on its own, here at any moment.
  begin: 3,
  offerAgain: 1,
  offerSoon: 1,
  expire: 1,
  interrupt: 1,
  reportAgain: 1,
};

export interface Move {
  readonly name: keyof typeof HAPPENINGS;
  /** Decides what the name leaves open. */
  readonly dice: number;
}

const names = (Object.keys(HAPPENINGS) as Move["name"][]).flatMap((name) =>
  Array.from({ length: HAPPENINGS[name] }, () => name),
);

export interface Walk {
  readonly delivery: Delivery;
  readonly maxRetries: number;
  readonly expiresAfterMs: number | null;
  /** All the chance there is in a walk. */
  readonly chance: number;
  readonly moves: readonly Move[];
}

export const walks: fc.Arbitrary<Walk> = fc.record({
  delivery: fc.constantFrom<Delivery>(PUSH, PUSH, PULL, NAMED),
  maxRetries: fc.constantFrom(0, 1, 3, 50),
  expiresAfterMs: fc.constantFrom(null, null, ...EXPIRIES),
  chance: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  moves: fc.array(fc.record({ name: fc.constantFrom(...names), dice: fc.nat(59) }), { maxLength: 100, size: "max" }),
});

/** What the read model has heard: the highest revision wins, for the job and for each execution that has no place in its row. */
export interface ReadModel {
  revision: number;
  facts: JobFacts | null;
  /** What was asked for: as it was inserted, until a report says otherwise. */
  asked: Asked;
  readonly executions: Map<number, Execution>;
}

export class World {
  now = NOON - HOUR;
  job: Job;
  /** The push this instance has in the air. */
  inFlight: string | null = null;
  /** Whether the owner has let go of its state: the row is the whole truth. */
  forgotten = false;
  readonly model: ReadModel;
  /** Every attempt there has been, as it was last seen. */
  readonly history = new Map<number, Execution>();
  /** Whether a response has ever been too large for the job's row. */
  wasApart = false;
  /** The number of the newest attempt when the budget was last made fresh. */
  freshAfter = 0;
  /** The reports that reached the read model, in their order; a number is the revision at which the row was claimed for a retry. */
  readonly heard: (JobReport | number)[] = [];
  readonly #chance: number;
  readonly #sent: JobReport[] = [];

  constructor({ delivery, maxRetries, expiresAfterMs, chance }: Walk) {
    this.#chance = chance;
    const spec = aSpec({ delivery, maxRetries, expiresAfterMs, idempotencyKey: "k", createdAt: this.now });
    this.job = life.arm(spec, null);
    this.model = { revision: 0, facts: null, asked: askedOf(spec), executions: new Map() };
  }

  take({ name, dice }: Move): void {
    if (name === "pass") this.now += pick(PAUSES, dice);
    else if (name === "crash") this.inFlight = null;
    else if (name === "deliver") this.#apply(this.#takeSent(dice));
    else if (name === "lose") this.#takeSent(dice);
    else if (this.forgotten) this.#become(name === "retry" ? this.#revived() : undefined);
    else if (name === "ring" || name === "ringWithoutQueue") this.#ring(pick(LATENESS, dice), name !== "ring");
    else if (name === "report") this.#report();
    else this.#become(this.#changed(name, dice));
  }

  /** The job after a transition; undefined when it was refused or nothing came of it. */
  #changed(name: Transition, dice: number): Job | undefined {
    const { job, now } = this;
    const who = "executionId" in job.phase && dice % 4 > 0 ? job.phase.executionId : STRANGER;
    switch (name) {
      case "begin":
        return this.#begun();
      case "settle":
        return madeBy(life.settle(job, who, pick(OUTCOMES, dice), this.#chance, now));
      case "lease":
        return madeBy(life.lease(job, who, "worker-7", now));
      case "release":
        return madeBy(life.release(job, who, now));
      case "heartbeat":
        return madeBy(life.heartbeat(job, who, now, pick(PROGRESS, dice >> 2)));
      case "cancel":
        return madeBy(life.cancel(job, now));
      case "retry":
        return this.#fresh(madeBy(life.retry(job, now)));
      case "edit":
        return madeBy(life.edit(job, this.#edit(dice), now));
      case "move":
        return madeBy(
          life.edit(job, { ...this.#edit(dice), scheduledFor: now + pick(PAUSES, dice), retimed: true }, now),
        );
      case "run":
        return madeBy(life.run(job, now));
      case "dropKey":
        return madeBy(life.dropKey(job, now));
      case "giveUp":
        return life.giveUp(job, now);
      case "hold":
        return now >= (wakeAt(job) ?? 0) ? life.hold(job, now) : undefined;
      case "offerAgain":
        return life.offerAgain(job, now);
      case "offerSoon":
        return life.offerSoon(job, now);
      case "expire":
        return life.expire(job, this.#chance, now);
      case "interrupt":
        return life.interrupt(job, this.#chance, now);
      case "reportAgain":
        return reporting.reportAgain(job, dice % 2 ? "unavailable" : "refused", (dice % 7) / 7, now);
    }
  }

  /** Some of what a person may change; not what the rules of a walk count with. */
  #edit(dice: number): JobEdit {
    const { job } = this;
    const name = `name ${dice}`;
    const kept = { ...workOf(job), scheduledFor: job.scheduledFor, retimed: false };
    if (dice % 3 === 0) return { ...kept, name };
    if (dice % 3 === 1) return { ...kept, tags: [name], payload: jsonText({ dice }) };
    return { ...kept, name, expiresAfterMs: pick([null, ...EXPIRIES], dice) };
  }

  /** Lets the read model hear everything. */
  drain(): void {
    this.#apply(this.#made());
  }

  #made(): JobReport {
    const report = reportOf(this.job);
    this.wasApart ||= report.apart.some(({ attempt }) => attempt === this.job.attempt);
    return report;
  }

  #report(): void {
    this.#sent.push(this.#made());
  }

  /** The alarm's handler, as errands.ts has it. A report that is under way and never arrives is repeated. */
  #ring(lateMs: number, queueIsDown: boolean): void {
    this.now = Math.max(this.now, wakeAt(this.job) ?? 0) + lateMs;
    for (let step = 0; step < 10; step++) {
      const task = taskAt(this.job, this.inFlight, this.now);
      if (task === "forget") this.forgotten = true;
      if (task === "rest" || task === "forget") return;
      this.#become(this.#done(task));
      if (task === "offer" && queueIsDown) this.#become(life.offerSoon(this.job, this.now));
      if (task !== "deliver") this.#report();
    }
    throw new Error("the alarm does not come to rest");
  }

  #done(task: Exclude<Task, "rest" | "forget">): Job | undefined {
    switch (task) {
      case "deliver":
        return this.#begun();
      case "offer":
        return life.offerAgain(this.job, this.now);
      case "expire":
      case "interrupt":
        return this.#changed(task, 0);
      case "give-up":
        return this.#changed("giveUp", 0);
      case "report":
        return reporting.reportAgain(this.job, "unavailable", 0, this.now);
    }
  }

  #begun(): Job | undefined {
    const id = `e${this.job.attempt + 1}`;
    if (this.job.delivery.type === "pull") return life.enqueue(this.job, id, this.now);
    const running = life.start(this.job, id, this.now);
    if (running) this.inFlight = id;
    return running;
  }

  #takeSent(dice: number): JobReport | undefined {
    return this.#sent.splice(dice % Math.max(1, this.#sent.length), 1)[0];
  }

  #apply(report: JobReport | undefined): void {
    if (!report) return;
    this.heard.push(report);
    const { revision, facts, asked, apart } = report;
    if (revision > this.model.revision) Object.assign(this.model, { facts, revision, ...(asked && { asked }) });
    for (const one of apart) {
      const known = this.model.executions.get(one.attempt);
      if (!known || !isAsNew(known, one)) this.model.executions.set(one.attempt, one);
    }
    if (!this.forgotten) this.job = reporting.confirm(this.job, report);
  }

  /** A manual retry of a job whose row is the whole truth: the row is claimed, the owner made from it. */
  #revived(): Job | undefined {
    const { facts, revision } = this.model;
    if (!facts || facts.status === "completed") return undefined;
    const { expiresAfterMs } = this.model.asked;
    const expiresAt = expiresAfterMs == null ? null : this.now + expiresAfterMs;
    const fresh = {
      status: "pending",
      trigger: "manual_retry",
      tries: 0,
      interruptions: 0,
      completedAt: null,
    } as const;
    const row = { ...this.row(facts), ...fresh, expiresAt, runAt: this.now, revision: revision + 1 };
    this.model.revision = row.revision;
    this.heard.push(row.revision);
    this.forgotten = false;
    return this.#fresh(jobOfRow(row, this.now));
  }

  row(facts: JobFacts): JobRow {
    return {
      ...rowOfSpec(this.job),
      ...this.model.asked,
      ...facts,
      revision: this.model.revision,
      sweeps: 0,
    } as JobRow;
  }

  #fresh(job: Job | undefined): Job | undefined {
    if (job) this.freshAfter = job.attempt;
    return job;
  }

  #become(job: Job | undefined): void {
    if (!job) return;
    this.job = job;
    for (const one of job.executions)
      if ((this.history.get(one.attempt)?.revision ?? 0) < one.revision) this.history.set(one.attempt, one);
    if (job.phase.name !== "running") this.inFlight = null;
  }
}

type Transition = Exclude<Move["name"], "pass" | "ring" | "ringWithoutQueue" | "crash" | "report" | "deliver" | "lose">;

const madeBy = (step: life.Step): Job | undefined => (step.ok ? step.value : undefined);
const pick = <T>(from: readonly T[], dice: number): T => given(from[dice % from.length]);
