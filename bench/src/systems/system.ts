// One thing that takes jobs over HTTP and delivers them in time: the service, a floor, or a peer.

import type { Call } from "../load.ts";

/** When a job is due: at once, a day ahead, or at a moment in epoch milliseconds. */
export type When = "now" | "tomorrow" | number;

/** The moment it stands for. */
export function momentOf(when: When): number {
  if (when === "now") return Date.now();
  return when === "tomorrow" ? Date.now() + DAY_MS : when;
}

export interface System {
  readonly name: string;
  /** Settings and durability, in a few words. */
  readonly note: string;
  /** The request that makes a push job to `target`. */
  create(when: When, target: string): Call;
  /** The job's id in the answer to `create`. */
  idOf(answer: unknown): string;
  /** Does what would otherwise happen once within the first `requests` requests, such as looking up an API key. */
  ready(requests: number): Promise<void>;
  /** The process whose family is all of it. */
  readonly pids: readonly number[];
  stop(): Promise<void>;
}

/** A payload such as jobs have; the same for every system. */
export const PAYLOAD = { n: 1, text: "x".repeat(64) };

const DAY_MS = 86_400_000;

/** Where the floor and the peers say it. */
export const plainId = (answer: unknown): string => String((answer as { id: unknown }).id);
