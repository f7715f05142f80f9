// Stations that do one thing at a time: databases, objects, queues. Each remembers how long it was busy, and how far behind it was.

/** What a station was while it was watched. */
export interface Load {
  readonly name: string;
  /** Of the time watched, by work that came meanwhile: above 1 it falls behind. */
  readonly utilisation: number;
  readonly calls: number;
  readonly perSecond: number;
  /** How long the last of them had to wait. */
  readonly behindMs: number;
  readonly refused: number;
}

class Station {
  busyMs = 0;
  calls = 0;
  refused = 0;
  freeAt = 0;
  /** The same as it was when the watch ended. */
  wasFreeAt = 0;
  /** Calls that wait for their turn somewhere else than here. */
  waiting = 0;
  leftWaiting = 0;
}

export class Stations {
  readonly #now: () => number;
  readonly #stations = new Map<string, Station>();
  #from = Number.POSITIVE_INFINITY;
  #until = Number.POSITIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What is counted comes from `from` on and before `until`. */
  watch(from: number, until: number): void {
    this.#from = from;
    this.#until = until;
  }

  /** Takes the station for so long, behind whatever has come before. @returns how long until it is done */
  take(name: string, ms: number, isCall = true): number {
    const station = this.#at(name);
    const now = this.#now();
    station.freeAt = Math.max(station.freeAt, now) + ms;
    if (now < this.#until) station.wasFreeAt = station.freeAt;
    if (this.#isWatched(now)) {
      station.busyMs += ms;
      if (isCall) station.calls += 1;
    }
    return station.freeAt - now;
  }

  /** How far behind it is. */
  behind(name: string): number {
    return Math.max(0, (this.#stations.get(name)?.freeAt ?? 0) - this.#now());
  }

  /** A call waits elsewhere until it takes the station, or has taken it. */
  stands(name: string, by: 1 | -1): void {
    const station = this.#at(name);
    station.waiting += by;
    if (this.#now() < this.#until) station.leftWaiting = station.waiting;
  }

  refuse(name: string): void {
    if (this.#isWatched(this.#now())) this.#at(name).refused += 1;
  }

  get watchedMs(): number {
    return Math.min(this.#until, this.#now()) - this.#from;
  }

  /** The busiest first. @param kind all stations whose name begins with this */
  loads(kind: string): Load[] {
    const { watchedMs } = this;
    return [...this.#stations]
      .filter(([name]) => name.startsWith(kind))
      .map(([name, { busyMs, calls, wasFreeAt, leftWaiting, refused }]) => {
        const waitingMs = leftWaiting * (busyMs / Math.max(1, calls));
        return {
          name,
          utilisation: (busyMs + waitingMs) / watchedMs,
          calls,
          perSecond: (1_000 * calls) / watchedMs,
          behindMs: Math.max(0, wasFreeAt - this.#until, waitingMs),
          refused,
        };
      })
      .sort((a, b) => b.utilisation - a.utilisation);
  }

  #isWatched(now: number): boolean {
    return this.#from <= now && now < this.#until;
  }

  #at(name: string): Station {
    const known = this.#stations.get(name);
    if (known) return known;
    const made = new Station();
    this.#stations.set(name, made);
    return made;
  }
}
