// Flows as the SDK shows them and takes them: the API's names in camelCase, its times as Dates.

import type { Delay } from "./job.ts";

/** So many starts in a period. */
export interface FlowRate {
  /** 1–10,000. */
  limit: number;
  period: Delay;
}

/** After so many failures in a row the flow pauses itself, lets one attempt try, and goes on or pauses again. */
export interface FlowBreaker {
  /** Counted failures in a row, 1–100. */
  failures: number;
  pause: Delay;
}

/**
 * A flow, as its owner knew it at the moment of the answer: a name under which jobs share limits.
 *
 * @example
 * ```ts
 * import { Chronos, type Flow } from "@chronos-edge/sdk";
 *
 * const chronos = new Chronos({ apiKey: "chrns_example", baseUrl: "https://chronos.example.com" });
 * const flow: Flow = await chronos.flows.get("mail-provider");
 * console.log(flow.paused || flow.pausedUntil ? "paused" : "open", flow.waiting, "wait,", flow.running, "run");
 * ```
 */
export interface Flow {
  key: string;
  /** How many attempts may run at once; null: any number. */
  concurrency: number | null;
  /** How many attempts may start in a period; null: any number. */
  rate: FlowRate | null;
  breaker: FlowBreaker | null;
  /** Somebody has paused it: nothing starts until `resume()`. Its breaker does not change this. */
  paused: boolean;
  /** When the breaker lets an attempt try; null unless the breaker holds the flow. Nothing else starts until then. */
  pausedUntil: Date | null;
  /** Attempts that are due and wait for their turn. */
  waiting: number;
  /** Attempts that hold a slot. */
  running: number;
  /** When the one that waits longest became due; null when none waits. */
  oldestWaitingSince: Date | null;
  /** Grows with each change of the limits. Given as `ifMatch`, it makes a change apply to this state or to none. */
  revision: number;
  createdAt: Date;
  updatedAt: Date;
}

/** The second argument of `flows.put()`. What is left out is without limit. */
export interface FlowLimits {
  /** So many attempts at once, 1–1,000. */
  concurrency?: number | null | undefined;
  rate?: FlowRate | null | undefined;
  breaker?: FlowBreaker | null | undefined;
  /** True starts nothing until `resume()`. Left out, a flow that is paused stays so. */
  paused?: boolean | undefined;
}

/** The first argument of `flows.list()`. */
export interface FlowFilters {
  /** Flows a page, 1–100. Default 100 when iterating, the service's 20 for a single page. */
  size?: number | undefined;
}
