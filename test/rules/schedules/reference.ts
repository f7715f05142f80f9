// The fire times of a cron expression found without Temporal: the offsets of a zone are read off
// `Intl` minute by minute, then every local minute is looked at, one after the other, and the contract's rule applied.

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** What the fields allow. */
export interface Fields {
  readonly minutes: ReadonlySet<number>;
  readonly hours: ReadonlySet<number>;
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 is Sunday; there is no 7. */
  readonly weekdays: ReadonlySet<number>;
  /** The day or the weekday begins with `*`. */
  readonly starDay: boolean;
  /** The hour begins with `*`. */
  readonly starHour: boolean;
}

/** A stretch of time in which a zone keeps its offset. All in milliseconds. */
interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly offset: number;
}

/** The fire times from `from` on, as many as are wanted or lie before `until`. Both must be full days in UTC. */
export function fireTimes(fields: Fields, zone: string, from: number, until: number, wanted: number): number[] {
  const found: number[] = [];
  // Local times before this have been on the clock already.
  let shown = Number.NEGATIVE_INFINITY;
  for (const stretch of stretchesOf(zone, from, until)) {
    const { offset } = stretch;
    const begins = stretch.from + offset;
    const ends = stretch.to + offset;
    const skipped =
      !fields.starHour && shown < begins && Number.isFinite(shown) && matches(fields, shown, begins).next();
    if (skipped && !skipped.done) found.push(stretch.from);
    const unshown = fields.starHour ? begins : Math.max(begins, shown);
    for (const local of matches(fields, unshown, ends)) {
      if (found.length >= wanted) return found;
      if (found.at(-1) !== local - offset) found.push(local - offset);
    }
    shown = Math.max(shown, ends);
  }
  return found;
}

/** The local minutes from one to before another that match, as if they were UTC. */
function* matches(fields: Fields, from: number, to: number): Generator<number> {
  for (let local = Math.ceil(from / MINUTE) * MINUTE; local < to; local += MINUTE) {
    if (!matchesDay(fields, new Date(local))) {
      local = (Math.floor(local / DAY) + 1) * DAY - MINUTE;
      continue;
    }
    const time = new Date(local);
    if (fields.hours.has(time.getUTCHours()) && fields.minutes.has(time.getUTCMinutes())) yield local;
  }
}

function matchesDay({ days, months, weekdays, starDay }: Fields, date: Date): boolean {
  if (!months.has(date.getUTCMonth() + 1)) return false;
  const day = days.has(date.getUTCDate());
  const weekday = weekdays.has(date.getUTCDay());
  return starDay ? day && weekday : day || weekday;
}

/** No zone has changed its offset twice within two days. */
function* stretchesOf(zone: string, from: number, until: number): Generator<Stretch> {
  let began = from;
  let offset = offsetAt(zone, from);
  for (let day = from; day < until; day += DAY) {
    if (offsetAt(zone, day + DAY) === offset) continue;
    let change = day;
    while (offsetAt(zone, change) === offset) change += MINUTE;
    yield { from: began, to: change, offset };
    began = change;
    offset = offsetAt(zone, change);
  }
  yield { from: began, to: until, offset };
}

const clocks = new Map<string, Intl.DateTimeFormat>();
const offsets = new Map<string, Map<number, number>>();

/** How far the clock on the wall is ahead of UTC. */
export function offsetAt(zone: string, at: number): number {
  const known = offsets.get(zone) ?? new Map<number, number>();
  offsets.set(zone, known);
  const remembered = known.get(at);
  if (remembered !== undefined) return remembered;
  const clock = clocks.get(zone) ?? clockIn(zone);
  clocks.set(zone, clock);
  const [month = 0, day = 0, year = 0, hour = 0, minute = 0, second = 0] = (clock.format(at).match(/\d+/g) ?? []).map(
    Number,
  );
  const offset = Date.UTC(year, month - 1, day, hour, minute, second) - at;
  known.set(at, offset);
  return offset;
}

const clockIn = (timeZone: string): Intl.DateTimeFormat =>
  new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
