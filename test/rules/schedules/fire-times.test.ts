// The net under the calendar: whatever the expression and the zone, the next 500 fire times are those that a walk over
// all minutes finds. A failure prints its seed; CRON_SEED=<seed> takes the same ways again, CRONS=<number> more of them.

import fc from "fast-check";
import { expect, it } from "vitest";
import { nextCronTick, parseCron } from "../../../src/domain/cron.ts";
import { DAY, iso } from "./a-schedule.ts";
import { type Fields, fireTimes } from "./reference.ts";

const numRuns = Number(process.env.CRONS ?? 60);
const seed = Number(process.env.CRON_SEED ?? Math.trunc(Math.random() * 2 ** 31));
const FIRE_TIMES = 500;
/** Rare expressions are followed this far and no further. */
const HORIZON_DAYS = 20 * 365;
const PATIENCE_MS = 3_600_000;

const ZONES = Intl.supportedValuesOf("timeZone");
/** Half hours, midnights, skipped days, two hours, Ramadan, minus an hour in winter: where it is hard. */
const HARD = [
  "Europe/London",
  "America/New_York",
  "Australia/Lord_Howe",
  "Asia/Kathmandu",
  "Pacific/Apia",
  "America/Sao_Paulo",
  "Asia/Beirut",
  "Antarctica/Troll",
  "Africa/Casablanca",
  "Europe/Dublin",
  "Pacific/Kwajalein",
  "Asia/Pyongyang",
  "America/Caracas",
  "Pacific/Chatham",
];

const MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/** A field as it is written, and what it allows. */
interface Field {
  readonly text: string;
  readonly values: readonly number[];
}

interface Kind {
  readonly min: number;
  readonly max: number;
  readonly nameOf?: (value: number) => string | undefined;
}

const MINUTE: Kind = { min: 0, max: 59 };
const HOUR: Kind = { min: 0, max: 23 };
const DAY_OF_MONTH: Kind = { min: 1, max: 31 };
const MONTH: Kind = { min: 1, max: 12, nameOf: (value) => MONTHS[value - 1] };
const WEEKDAY: Kind = { min: 0, max: 7, nameOf: (value) => WEEKDAYS[value] };

const stepped = (from: number, to: number, step: number): number[] =>
  Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => from + i * step);

function fieldOf({ min, max, nameOf }: Kind): fc.Arbitrary<Field> {
  const number = fc.integer({ min, max });
  const written = (value: number, named: boolean) => (named ? nameOf?.(value) : undefined) ?? String(value);
  const step = fc.integer({ min: 1, max: Math.min(max, 31) });
  const one = fc.tuple(number, fc.boolean()).map(([n, named]) => ({ text: written(n, named), values: [n] }));
  const range = fc.tuple(number, number, fc.boolean(), fc.option(step)).map(([a, b, named, by]) => {
    const [from, to] = a <= b ? [a, b] : [b, a];
    const text = `${written(from, named && from < 7)}-${written(to, named && to < 7)}`;
    return { text: by === null ? text : `${text}/${by}`, values: stepped(from, to, by ?? 1) };
  });
  const every = step.map((by) => ({ text: `*/${by}`, values: stepped(min, max, by) }));
  const item = fc.oneof({ weight: 3, arbitrary: one }, { weight: 2, arbitrary: range }, every);
  return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => ({
    text: items.map(({ text }) => text).join(","),
    values: items.flatMap(({ values }) => values),
  }));
}

const all = ({ min, max }: Kind): Field => ({ text: "*", values: stepped(min, max, 1) });
const orAll = (kind: Kind, weight: number) =>
  fc.oneof({ weight, arbitrary: fc.constant(all(kind)) }, { weight: 3, arbitrary: fieldOf(kind) });

const expressions = fc
  .tuple(orAll(MINUTE, 1), orAll(HOUR, 1), orAll(DAY_OF_MONTH, 4), orAll(MONTH, 6), orAll(WEEKDAY, 4))
  .map((fields) => {
    const [minute, hour, day, month, weekday] = fields;
    const allowed: Fields = {
      minutes: new Set(minute.values),
      hours: new Set(hour.values),
      days: new Set(day.values),
      months: new Set(month.values),
      weekdays: new Set(weekday.values.map((value) => value % 7)),
      starDay: day.text.startsWith("*") || weekday.text.startsWith("*"),
      starHour: hour.text.startsWith("*"),
    };
    return { text: fields.map(({ text }) => text).join(" "), allowed };
  });

const zones = fc.oneof(fc.constantFrom(...HARD), fc.constantFrom(...ZONES));
/** From 2007, which knows the oddest changes, into the years a schedule made today will see. */
const starts = fc.integer({ min: Date.UTC(2007, 0, 1) / DAY, max: Date.UTC(2040, 0, 1) / DAY });

it(
  `the next ${FIRE_TIMES} fire times are those of a walk over all minutes (CRON_SEED=${seed})`,
  () => {
    let compared = 0;
    const property = fc.property(expressions, zones, starts, ({ text, allowed }, zone, day) => {
      const from = day * DAY;
      const until = from + HORIZON_DAYS * DAY;
      const expected = fireTimes(allowed, zone, from, until, FIRE_TIMES);
      const parsed = parseCron(text);
      if (!parsed.ok) {
        expect([parsed.error, expected], text).toEqual(["Never fires: no date matches it.", []]);
        return;
      }
      const found: number[] = [];
      // The walk begins at midnight UTC, in the middle of a day elsewhere: a gap that ends right there is not its.
      let tick = nextCronTick(parsed.value, zone, from - 1);
      while (tick !== undefined && found.length < expected.length && tick < until) {
        found.push(tick);
        tick = nextCronTick(parsed.value, zone, tick);
      }
      expect(found.map(iso), `${text} in ${zone} from ${iso(from)}`).toEqual(expected.map(iso));
      if (expected.length < FIRE_TIMES) expect(tick ?? until, "and no more").toBeGreaterThanOrEqual(until);
      compared += found.length;
    });
    fc.assert(property, { numRuns, seed });
    expect(compared, "the walks had something to compare").toBeGreaterThan(numRuns * 50);
  },
  PATIENCE_MS,
);
