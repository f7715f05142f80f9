// A healthy platform that takes its time: latencies, and stations that do one thing at a time. Nothing is lost here and nobody dies.

import type { Chance } from "../platform/chance.ts";
import type { QueryFate } from "../platform/database.ts";
import type { Readiness } from "../platform/object-fates.ts";
import type { Fates } from "../platform/platform.ts";
import type { Timeline } from "../platform/timeline.ts";
import type { Figures } from "./parameters.ts";
import { Stations } from "./stations.ts";

/** Of one machine: everything happens here. */
const THREAD = "thread";

/** `Chance.latency` is often about its argument and sometimes a multiple: its mean, for an argument of 1. */
const MEAN_OF_LATENCY = 1 + 8 / 13;

export class Model implements Fates {
  readonly stations: Stations;
  /** Objects that were made. */
  made = 0;
  readonly #figures: Figures;
  readonly #timeline: Timeline;
  readonly #chance: Chance;
  /** Messages that a queue has taken in the present second. */
  #sent = { second: 0, count: 0 };

  constructor(figures: Figures, timeline: Timeline, chance: Chance) {
    this.#figures = figures;
    this.#timeline = timeline;
    this.#chance = chance;
    this.stations = new Stations(() => timeline.now);
  }

  query(_from: string, _sql: string, database = "DB"): QueryFate {
    const { d1WayMs, d1ReadMs, d1WriteMs, d1StatementMs, d1RowMs, d1MayWait } = this.#figures;
    const station = `database ${database}`;
    const there = this.#latency(d1WayMs);
    this.#timeline.after(there, () => this.stations.stands(station, 1));
    return {
      there,
      work: ({ statements, rowsWritten, isWrite }) => {
        const usual = isWrite ? d1WriteMs + d1RowMs * Math.max(0, rowsWritten - 1) : d1ReadMs;
        const ms = this.#latency(usual + d1StatementMs * (statements - 1));
        const doneInMs = this.#take(station, ms);
        this.#timeline.after(doneInMs, () => this.stations.stands(station, -1));
        return doneInMs;
      },
      back: this.#latency(d1WayMs),
      fault: null,
      mayWait: d1MayWait,
    };
  }

  call() {
    const { callWayMs } = this.#figures;
    return { there: this.#latency(callWayMs), back: this.#latency(callWayMs), lost: null, overloaded: false };
  }

  waits(name: string, what: string, readiness: Readiness): number | null {
    const { objectCallMs, objectMayWait, makingMs, wakingMs, sharedThreadMs } = this.#figures;
    const ms = this.#latency(objectCallMs);
    if (readiness === "new") this.made += 1;
    const openingMs = readiness === "warm" ? 0 : this.#latency(readiness === "new" ? makingMs : wakingMs);
    if (sharedThreadMs !== null) return this.#take(name, ms + openingMs);
    if (what !== "alarm" && this.stations.behind(name) > objectMayWait * objectCallMs) {
      this.stations.refuse(name);
      return null;
    }
    return openingMs + this.#take(name, ms);
  }

  writes(name: string): void {
    this.#take(name, this.#latency(this.#figures.objectWriteMs), false);
  }

  alarm(): number {
    return this.#latency(this.#figures.alarmLateMs);
  }

  commitMs(): number {
    return this.#latency(this.#figures.commitMs);
  }

  dies(): boolean {
    return false;
  }

  message() {
    const { queueSendMs, queuePerSecond } = this.#figures;
    const second = Math.floor(this.#timeline.now / 1_000);
    if (second !== this.#sent.second) this.#sent = { second, count: 0 };
    this.#sent.count += 1;
    this.#take("queue", 1_000 / queuePerSecond);
    const isRefused = this.#sent.count > queuePerSecond;
    if (isRefused) this.stations.refuse("queue");
    return { delayMs: this.#latency(queueSendMs), isTwice: false, isRefused, gatherMs: 0 };
  }

  request() {
    const { clientWayMs, sharedThreadMs } = this.#figures;
    const there = this.#latency(clientWayMs);
    const workMs = sharedThreadMs === null ? 0 : this.#take(THREAD, this.#latency(sharedThreadMs));
    return { there: there + workMs, back: this.#latency(clientWayMs), lost: null };
  }

  cron(): readonly number[] {
    return [this.#latency(100)];
  }

  skewMs(): number {
    return 0;
  }

  /** On one machine a station's work is the thread's. */
  #take(name: string, ms: number, isCall = true): number {
    const inMs = this.stations.take(name, ms, isCall);
    return this.#figures.sharedThreadMs === null ? inMs : this.stations.take(THREAD, ms, isCall);
  }

  /** Its mean is `ms`. */
  #latency(ms: number): number {
    return this.#chance.latency(ms / MEAN_OF_LATENCY);
  }
}
