// A schedule in a small world: a clock, an owner that rings, makes jobs, dies in between and is changed by hand, and an
// account of what ought to be true, kept apart from the schedule.

import fc from "fast-check";
import {
  amend,
  archive,
  dueAt,
  hasEnded,
  holdAll,
  holdTick,
  pause,
  ran,
  resume,
  type Schedule,
  type ScheduleSpec,
  skipTick,
  skipTo,
  tickDueAt,
} from "../../../src/domain/schedule.ts";
import { durationMs } from "../../../src/domain/schedule-time.ts";
import { type Timing, tickAfter } from "../../../src/domain/timing.ts";
import { cron, DAY, every, HOUR, MINUTE, NOON, SECOND, scheduleOf } from "./a-schedule.ts";

const timings = fc.constantFrom<Timing>(
  every(1, "minute"),
  every(7, "minute"),
  every(1, "hour"),
  cron("* * * * *"),
  cron("*/20 9-17 * * *", "Europe/London"),
  cron("0 * * * MON-FRI", "Australia/Lord_Howe"),
);

/** From one look of the owner to the next: mostly on time, sometimes much later. */
const waits = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ name: "wait", until: "due" } as const) },
  { weight: 2, arbitrary: fc.integer({ min: 1, max: 90 * SECOND }).map((ms) => ({ name: "pass", ms }) as const) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 2 * DAY }).map((ms) => ({ name: "pass", ms }) as const) },
);

const rings = fc.constantFrom(
  { name: "ring", fate: "made" } as const,
  { name: "ring", fate: "made" } as const,
  { name: "ring", fate: "made" } as const,
  { name: "ring", fate: "held" } as const,
  { name: "ring", fate: "held after the insert" } as const,
  { name: "ring", fate: "died before the insert" } as const,
  { name: "ring", fate: "died after the insert" } as const,
  { name: "ring", fate: "suspended" } as const,
  { name: "ring", fate: "busy" } as const,
);

type Fate = typeof rings extends fc.Arbitrary<infer R extends { fate: string }> ? R["fate"] : never;

const changes = fc.oneof(
  { weight: 2, arbitrary: timings.map((timing) => ({ timing })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 30 }).map((runs) => ({ runs })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 * DAY }).map((stopsIn) => ({ stopsIn })) },
  { weight: 1, arbitrary: fc.record({ timing: timings, stopsIn: fc.integer({ min: 1, max: MINUTE }) }) },
  { weight: 1, arbitrary: fc.constant({}) },
);
/** A change comes between two looks, or in the middle of one: the job's insert is under way. */
const amends = fc.tuple(changes, fc.boolean()).map(([change, midway]) => ({ name: "amend", change, midway }) as const);

export const moves = fc.oneof(
  { weight: 10, arbitrary: waits },
  { weight: 10, arbitrary: rings },
  { weight: 2, arbitrary: amends },
  { weight: 1, arbitrary: fc.boolean().map((midway) => ({ name: "pause", midway }) as const) },
  { weight: 2, arbitrary: fc.constant({ name: "resume" } as const) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 40 }).map((n) => ({ name: "archive", luck: n }) as const) },
);
type Move = typeof moves extends fc.Arbitrary<infer M> ? M : never;

export const walks = fc.record({
  timing: timings,
  runs: fc.option(fc.integer({ min: 1, max: 60 }), { freq: 2 }),
  stopsIn: fc.option(fc.integer({ min: HOUR + 1, max: 10 * DAY }), { freq: 2 }),
  moves: fc.array(moves, { minLength: 1, maxLength: 80 }),
});
type Walk = typeof walks extends fc.Arbitrary<infer W> ? W : never;

export class World {
  now = NOON;
  schedule: Schedule;
  /** The ticks that have their job in the database. Its unique key is what makes this a set. */
  readonly jobs = new Set<number>();
  /** Ticks that were due when their timing was replaced, or paused. */
  elapsed = 0;
  /** Where the present timing counts from. */
  #anchor = NOON;
  /** The ticks of the present timing, counted as far as anybody has asked. */
  #count: TickCount;

  constructor({ timing, runs, stopsIn }: Walk) {
    this.schedule = scheduleOf(timing, { runs, stopAt: stopsIn === null ? null : NOON + stopsIn });
    this.#count = new TickCount(timing, NOON);
  }

  take(move: Move): void {
    switch (move.name) {
      case "wait":
        this.now = Math.max(this.now, tickDueAt(this.schedule) ?? 0);
        return;
      case "pass":
        this.now += move.ms;
        return;
      case "ring":
        this.#ring(move.fate, () => {});
        return;
      case "amend":
        if (move.midway) this.#ring("made", () => this.#amend(move.change));
        else this.#amend(move.change);
        return;
      case "pause":
        if (move.midway) this.#ring("made", () => this.#pause());
        else this.#pause();
        return;
      case "resume":
        this.#resume();
        return;
      case "archive":
        if (move.luck === 0 && !hasEnded(this.schedule)) this.schedule = archive(this.schedule, this.now);
    }
  }

  /** The ticks of the present timing before a moment. */
  ticksBefore = (moment: number): number => this.#count.before(moment);

  /** What the owner's alarm does, in the same steps. */
  #ring(fate: Fate, meanwhile: () => void): void {
    for (;;) {
      const due = this.#due();
      if (!due) return;
      if (fate === "suspended") {
        this.schedule = holdAll(this.schedule, this.now + MINUTE, this.now);
        return;
      }
      const { nextRunAt, held } = this.schedule;
      const counted = nextRunAt === null || !this.jobs.has(nextRunAt);
      if (held === null && due.missed > 0 && counted) {
        this.schedule = skipTo(this.schedule, due, this.now);
        continue;
      }
      this.#make(held === null ? (nextRunAt ?? due.tick) : held, fate, meanwhile);
      return;
    }
  }

  #due() {
    const wakeAt = tickDueAt(this.schedule);
    return wakeAt === null || wakeAt > this.now ? undefined : dueAt(this.schedule, this.now);
  }

  #make(tick: number, fate: Fate, meanwhile: () => void): void {
    if (fate === "died before the insert") return;
    if (fate === "busy" && !this.jobs.has(tick)) {
      this.schedule = skipTick(this.schedule, tick, this.now);
      return;
    }
    if (fate !== "held") this.jobs.add(tick);
    meanwhile();
    if (fate === "died after the insert") return;
    if (fate !== "made" && fate !== "busy") {
      this.schedule = holdTick(this.schedule, tick, this.now + 5 * SECOND, this.now);
      return;
    }
    this.schedule = ran(this.schedule, tick, this.now);
  }

  /** What the owner does before a change: of several due ticks the oldest may have its job already. */
  #countMade(): void {
    const { held, nextRunAt } = this.schedule;
    const due = dueAt(this.schedule, this.now);
    if (held === null && nextRunAt !== null && due && due.missed > 0 && this.jobs.has(nextRunAt))
      this.schedule = ran(this.schedule, nextRunAt, this.now);
  }

  #amend({ stopsIn, ...change }: { stopsIn?: number } & Partial<Pick<ScheduleSpec, "timing" | "runs">>): void {
    this.#countMade();
    const before = this.schedule;
    if (hasEnded(before)) return;
    const stopAt = stopsIn === undefined ? before.stopAt : this.now + stopsIn;
    this.schedule = amend(before, { ...before, ...change, stopAt }, this.now);
    // A timing that had no tick left before its stop counts anew when that is moved, as a new one does.
    const goesOn = before.nextRunAt !== null;
    if (goesOn && JSON.stringify(this.schedule.timing) === JSON.stringify(before.timing)) return;
    if (before.status === "active") this.#elapse(before);
    this.#anchor = this.now;
    this.#count = new TickCount(this.schedule.timing, this.now);
  }

  #pause(): void {
    this.#countMade();
    const before = this.schedule;
    this.schedule = pause(before, this.now);
    if (before.status === "active") this.#elapse(before);
  }

  #resume(): void {
    const { status, timing, nextRunAt } = this.schedule;
    this.schedule = resume(this.schedule, this.now);
    if (status !== "paused") return;
    if (nextRunAt === null) this.#anchor = this.now;
    const every = timing.type === "interval" ? durationMs(timing.every) : undefined;
    const passed = every === undefined ? 0 : Math.floor((this.now - this.#anchor) / every) * every;
    this.#count = new TickCount(timing, every === undefined ? this.now : this.#anchor + passed);
  }

  /** What was due by now under a schedule stays what it was, whatever comes after it. */
  #elapse({ stopAt }: Schedule): void {
    this.elapsed += this.#count.before(Math.min(this.now + 1, stopAt ?? Number.POSITIVE_INFINITY));
  }
}

/** Counts the ticks of a timing from a moment on; asked about later and later moments. */
class TickCount {
  readonly #timing: Timing;
  #next: number | undefined;
  #count = 0;

  constructor(timing: Timing, since: number) {
    this.#timing = timing;
    this.#next = tickAfter(timing, since);
  }

  before(moment: number): number {
    while (this.#next !== undefined && this.#next < moment) {
      this.#count += 1;
      this.#next = tickAfter(this.#timing, this.#next);
    }
    return this.#count;
  }
}
