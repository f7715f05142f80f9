// What goes wrong in a world. Each seed has its own few kinds of faults, some often, some rarely: a world where everything goes
// wrong at once hides what one fault does to a healthy service. From `clearsAt` on nothing goes wrong any more.

import { nameOfDatabase } from "../../src/domain/databases.ts";
import type { Chance } from "./platform/chance.ts";
import type { CallFate } from "./platform/object-fates.ts";
import type { Fates } from "./platform/platform.ts";
import type { Timeline } from "./platform/timeline.ts";

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const NOTHING = Number.POSITIVE_INFINITY;

/** The kinds of faults. A seed that fails is shortened by leaving out some of them. */
export const FAULTS = [
  "calls-lost",
  "answers-lost",
  "slow-calls",
  "late-calls",
  "silent-objects",
  "overload",
  "deaths",
  "deaths-in-alarms",
  "isolate-deaths",
  "late-alarms",
  "lost-alarms",
  "slow-commits",
  "d1-slow",
  "d1-away",
  "d1-hangs",
  "d1-answers-lost",
  "d1-late",
  "d1-overloaded",
  "requests-lost",
  "queue-muddle",
  "cron-muddle",
  "clocks-differ",
  "deployments",
  "rollbacks",
] as const;
export type Fault = (typeof FAULTS)[number];

/** How often each fault comes, between 0 and 1 of what is bearable. */
export type Climate = ReadonlyMap<Fault, number>;

/** One world in six has no faults: there the service must not even notice anything. Of the others, one in six has an outage of D1. */
export function climateOf(chance: Chance): Climate {
  const climate = new Map<Fault, number>();
  const isCalm = chance.happens(1 / 6);
  if (!isCalm && chance.stream("outage").happens(1 / 6)) return outage(chance.stream("outage of what"));
  const share = chance.between(0.1, 0.5);
  for (const fault of FAULTS) {
    const isOn = chance.happens(share);
    const strength = chance.next() ** 2;
    if (!isCalm && isOn) climate.set(fault, 0.05 + 0.95 * strength);
  }
  return climate;
}

/** Nothing but D1 is unwell: what can do without it goes on as if nothing had happened. */
function outage(chance: Chance): Climate {
  const climate = new Map<Fault, number>([["d1-away", chance.between(0.3, 1)]]);
  for (const fault of FAULTS)
    if (fault.startsWith("d1-") && chance.happens(0.3)) climate.set(fault, chance.between(0.3, 1));
  return climate;
}

/** A stretch of time in which D1 is not well: one of the databases, or all of them (null). */
interface Spell {
  readonly database: string | null;
  readonly from: number;
  readonly until: number;
  readonly kind: "away" | "hangs" | "slow" | "overloaded";
}

export class Weather implements Fates {
  /** How often owners have asked flows: whoever waits in line does not ask. */
  flowsAsked = 0;
  readonly #climate: Climate;
  readonly #chance: Chance;
  readonly #timeline: Timeline;
  readonly #clearsAt: number;
  readonly #spells: readonly Spell[];
  readonly #leans: Chance;
  readonly #leanings = new Map<string, number>();

  constructor(timeline: Timeline, climate: Climate, chance: Chance, clearsAt: number, databases = 1) {
    this.#timeline = timeline;
    this.#climate = climate;
    this.#chance = chance;
    this.#leans = chance.stream("leanings");
    this.#clearsAt = clearsAt;
    this.#spells = this.#spellsUntil(clearsAt, databases);
  }

  /** True when `fault` happens now, at most `most` of the times. */
  #strikes(fault: Fault, most: number): boolean {
    const strength = this.#climate.get(fault);
    return strength !== undefined && this.#timeline.now < this.#clearsAt && this.#chance.happens(most * strength);
  }

  call(_from: string, to: string, method: string): CallFate {
    if (method === "ask" && to.startsWith("FlowObject ")) this.flowsAsked += 1;
    const chance = this.#chance;
    const strikes = (fault: Fault) => this.#strikes(fault, 0.05 * this.#leaning(fault, method));
    const slow = strikes("slow-calls") ? chance.around(6 * SECOND) : 0;
    // Its caller has long given up when it comes.
    const late = strikes("late-calls") ? chance.between(30 * SECOND, 150 * SECOND) : 0;
    if (this.#isSilent(to))
      return { there: chance.around(40 * SECOND), back: 40 * SECOND, lost: "call", overloaded: false };
    const isSlowBack = chance.happens(0.5);
    const there = chance.latency(0.7) + late + (isSlowBack ? 0 : slow);
    const back = chance.latency(0.7) + (isSlowBack ? slow : 0);
    if (strikes("overload")) return { there, back, lost: null, overloaded: true };
    if (strikes("calls-lost")) return { there, back, lost: "call", overloaded: false };
    if (strikes("answers-lost")) return { there, back, lost: "answer", overloaded: false };
    return { there, back, lost: null, overloaded: false };
  }

  /**
   * In each world a fault leans towards a few kinds of calls: two of one kind in a row, or all of a kind for a while, would hardly
   * ever be met if it struck everywhere alike.
   */
  #leaning(fault: Fault, method: string): number {
    const about = `${fault} ${method}`;
    const known = this.#leanings.get(about);
    if (known !== undefined) return known;
    const leaning = this.#leans.stream(about).happens(0.15) ? 8 : 0.7;
    this.#leanings.set(about, leaning);
    return leaning;
  }

  /** One job in a few has an owner that nobody reaches for as long as the weather lasts; its alarm rings all the same. */
  #isSilent(name: string): boolean {
    const strength = this.#climate.get("silent-objects");
    if (strength === undefined || this.#timeline.now >= this.#clearsAt || !name.startsWith("JobObject")) return false;
    return Number.parseInt(name.slice(-4), 16) < 0x10000 * 0.1 * strength;
  }

  /** One object in a few sleeps through minutes. */
  alarm(name: string): number | null {
    if (this.#strikes("lost-alarms", 0.02)) return null;
    if (!this.#strikes("late-alarms", 0.1)) return this.#chance.latency(2);
    const mean = this.#leaning("late-alarms", name) > 1 ? 75 * SECOND : 20 * SECOND;
    return Math.min(this.#chance.around(mean), 3 * MINUTE);
  }

  commitMs(): number {
    return this.#strikes("slow-commits", 0.1) ? this.#chance.around(2 * SECOND) : this.#chance.latency(2);
  }

  dies(name: string, moment: "before" | "after", what: string): boolean {
    if (what === "alarm") return this.#strikes("deaths-in-alarms", 0.05);
    const leaning = this.#leaning("deaths", `${name.split(" ")[0]} ${what}`);
    return this.#strikes("deaths", (moment === "before" ? 0.02 : 0.01) * leaning);
  }

  /** Whether a database has not been well by now. */
  hasSuffered(database: string): boolean {
    return this.#spells.some((spell) => isOf(spell, database) && spell.from <= this.#timeline.now);
  }

  /** When the last of these databases that have not been well by now is well again, and whoever has stood in line there is served. */
  wellSince(databases: readonly string[]): number {
    const begun = this.#spells.filter(
      (spell) => spell.from <= this.#timeline.now && databases.some((database) => isOf(spell, database)),
    );
    const lines = (kind: Spell["kind"]) => (kind === "slow" || kind === "overloaded" ? 20 * SECOND : 0);
    return Math.max(0, ...begun.map(({ until, kind }) => until + lines(kind)));
  }

  query(_from: string, _sql: string, database: string): ReturnType<Fates["query"]> {
    const chance = this.#chance;
    const now = this.#timeline.now;
    const spell = this.#spells.find((one) => isOf(one, database) && one.from <= now && now < one.until)?.kind;
    const there = chance.latency(2) + (this.#strikes("d1-late", 0.02) ? chance.around(15 * SECOND) : 0);
    const work =
      chance.latency(1.5) + (spell === "slow" ? chance.around(1_500) : spell === "overloaded" ? chance.around(400) : 0);
    const back = chance.latency(2);
    const fault = (kind: ReturnType<Fates["query"]>["fault"]) => ({ there, work, back, fault: kind });
    if (spell === "away") return fault("away");
    if (spell === "hangs") return fault(chance.happens(0.5) ? "unheard" : "silent");
    if (spell === "overloaded") return fault(chance.happens(0.5) ? "overloaded" : null);
    if (this.#strikes("d1-answers-lost", 0.05))
      return chance.happens(0.3)
        ? { ...fault("cut-off"), there: there + chance.around(15 * SECOND) }
        : fault("answer-lost");
    return fault(null);
  }

  message(): ReturnType<Fates["message"]> {
    const isMuddled = this.#strikes("queue-muddle", 0.5);
    return {
      delayMs: isMuddled ? this.#chance.around(30 * SECOND) : this.#chance.latency(20),
      isTwice: isMuddled && this.#chance.happens(0.3),
      isRefused: isMuddled && this.#chance.happens(0.1),
      gatherMs: isMuddled ? this.#chance.between(0, 20 * SECOND) : 0,
    };
  }

  request(): ReturnType<Fates["request"]> {
    const [there, back] = [this.#chance.latency(8), this.#chance.latency(8)];
    if (!this.#strikes("requests-lost", 0.1)) return { there, back, lost: null };
    return { there, back, lost: this.#chance.happens(0.5) ? "request" : "answer" };
  }

  cron(): readonly number[] {
    const usual = this.#chance.latency(200);
    if (!this.#strikes("cron-muddle", 0.7)) return [usual];
    return this.#chance.pick([
      [],
      [this.#chance.around(40 * SECOND)],
      [usual, usual + this.#chance.around(5 * SECOND)],
    ]);
  }

  /** When the next process dies; never, if processes do not die here. */
  nextIsolateDeath(): number {
    const strength = this.#climate.get("isolate-deaths");
    if (strength === undefined) return NOTHING;
    const at = this.#timeline.now + this.#chance.around((10 * MINUTE) / strength);
    return at < this.#clearsAt ? at : NOTHING;
  }

  /** By how much an isolate's clock is wrong. */
  skewMs(): number {
    const strength = this.#climate.get("clocks-differ");
    return strength === undefined ? 0 : Math.round(this.#chance.between(-1, 1) * strength * 2 * SECOND);
  }

  #spellsUntil(end: number, databases: number): Spell[] {
    const chance = this.#chance;
    const where = chance.stream("where");
    const whose = () => (databases === 1 || where.happens(0.3) ? null : nameOfDatabase(where.int(0, databases - 1)));
    const begin = this.#timeline.now + 20 * SECOND;
    const spells: Spell[] = [];
    const lasting = {
      "d1-away": 20 * MINUTE,
      "d1-hangs": 5 * MINUTE,
      "d1-slow": 10 * MINUTE,
      "d1-overloaded": 5 * MINUTE,
    };
    const kinds = { "d1-away": "away", "d1-hangs": "hangs", "d1-slow": "slow", "d1-overloaded": "overloaded" } as const;
    for (const [fault, kind] of Object.entries(kinds) as [keyof typeof kinds, Spell["kind"]][]) {
      const strength = this.#climate.get(fault);
      if (strength === undefined) continue;
      const times = kind === "away" ? 1 : chance.int(1, 3);
      for (let i = 0; i < times; i++) {
        const from = chance.between(begin, end);
        const until = Math.min(
          end,
          from + Math.min(55 * MINUTE, chance.around(lasting[fault] * strength + 5 * SECOND)),
        );
        spells.push({ from, until, kind, database: whose() });
      }
    }
    return spells;
  }
}

const isOf = (spell: Spell, database: string): boolean => spell.database === null || spell.database === database;
