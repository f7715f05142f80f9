// What kind of world a seed is: when it begins, how long it is open, what goes wrong in it and who lives there.

import { PEOPLE, type Trade } from "./people/people.ts";
import { Chance } from "./platform/chance.ts";
import { type Climate, climateOf, type Fault } from "./weather.ts";

const MINUTE = 60_000;

/** Dates on which clocks change somewhere, and plain ones. */
const BEGINNINGS = [
  Date.UTC(2030, 0, 15, 11, 58),
  Date.UTC(2030, 2, 31, 0, 20),
  Date.UTC(2030, 9, 27, 0, 20),
  Date.UTC(2030, 10, 3, 5, 10),
  Date.UTC(2030, 5, 30, 23, 40),
];

export interface Nature {
  readonly startsAt: number;
  /** How long people act, and things go wrong. */
  readonly openMs: number;
  /** Some jobs are due about when an owner takes them up, which makes a history long. */
  readonly hasFarJobs: boolean;
  /** How many databases accounts are spread over. */
  readonly databases: number;
  readonly climate: Climate;
  readonly people: readonly Trade[];
}

/** What is left out of a world, to shorten a history that fails. */
export interface Without {
  readonly withoutFaults?: ReadonlySet<Fault>;
  readonly withoutPeople?: ReadonlySet<string>;
}

export function natureOf(seed: number, { withoutFaults, withoutPeople }: Without = {}): Nature {
  const chance = new Chance(seed).stream("nature");
  const startsAt = chance.pick(BEGINNINGS) + chance.int(0, 59_999);
  const openMs = chance.between(1.5 * MINUTE, 6 * MINUTE);
  const hasFarJobs = chance.happens(0.15);
  const climate = climateOf(chance.stream("climate"));
  const people = PEOPLE.filter(({ name, share }) => chance.stream(name).happens(share));
  return {
    startsAt,
    openMs,
    hasFarJobs,
    databases: chance.stream("databases").pick([1, 1, 2, 3, 4]),
    climate: new Map([...climate].filter(([fault]) => !withoutFaults?.has(fault))),
    people: people.filter(({ name }) => !withoutPeople?.has(name)),
  };
}

/** Whether a world has all of these: faults of the weather and people, by name; `calm` has none, `outage` those of D1, `far` has jobs an hour ahead, `databases` several of them. */
export function hasAll({ climate, people, hasFarJobs, databases }: Nature, needs: readonly string[]): boolean {
  const there = new Set<string>([...climate.keys(), ...people.map(({ name }) => name)]);
  if (climate.size === 0) there.add("calm");
  else if ([...climate.keys()].every((fault) => fault.startsWith("d1-"))) there.add("outage");
  if (hasFarJobs) there.add("far");
  if (databases > 1) there.add("databases");
  return needs.every((need) => there.has(need));
}
