// One thing that takes jobs over HTTP and delivers them in time: the service, a floor, or a peer.

import type { Call } from "../load.ts";

/** Of a job due tomorrow the service keeps only a row. It arms one due in half an hour after its answer, and one due in four
 * minutes before its answer. */
export const AHEAD_MS = {
  tomorrow: 86_400_000,
  "in half an hour": 1_800_000,
  "in four minutes": 240_000,
} as const;

export type Ahead = keyof typeof AHEAD_MS;

/** When a job is due: at once, so far ahead, or at a moment in epoch milliseconds. */
export type When = "now" | Ahead | number;

/** The moment it stands for. */
export function momentOf(when: When): number {
  if (typeof when === "number") return when;
  return Date.now() + (when === "now" ? 0 : AHEAD_MS[when]);
}

/** The same moment as fields of a request that creates a job. */
export function timeOf(when: When): object {
  if (when === "now") return {};
  if (typeof when === "number") return { scheduled_for: new Date(when).toISOString() };
  return { delay: { value: AHEAD_MS[when] / 1_000, unit: "second" } };
}

export interface System {
  readonly name: string;
  /** Settings and durability, in a few words. */
  readonly note: string;
  /** The request that makes a push job to `target`. */
  create(when: When, target: string): Call;
  /** The request that makes so many of them, for nobody's target. */
  createMany(when: When, count: number): Call;
  /** The job's id in the answer to `create`. */
  idOf(answer: unknown): string;
  /** Does what would otherwise happen once within the first `requests` requests, such as looking up an API key. */
  ready(requests: number): Promise<void>;
  /** The process whose family is all of it. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** Nobody listens here. */
export const NO_TARGET = "http://127.0.0.1:9/hook";

/** A payload such as jobs have; the same for every system. */
export const PAYLOAD = { n: 1, text: "x".repeat(64) };

/** Where the floor and the peers say it. */
export const plainId = (answer: unknown): string => String((answer as { id: unknown }).id);
