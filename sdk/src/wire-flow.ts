// Where the API's snake_case meets the SDK's camelCase for flows; see wire.ts.

import type { Flow, FlowLimits } from "./flow.ts";
import { checkFields, type Fields } from "./known-fields.ts";
import { dateOrNull, type Snake } from "./wire.ts";

/** A flow as the API writes it. */
export type WireFlow = Snake<
  Omit<Flow, "pausedUntil" | "oldestWaitingSince" | "createdAt" | "updatedAt"> & {
    pausedUntil: string | null;
    oldestWaitingSince: string | null;
    createdAt: string;
    updatedAt: string;
  }
>;

export function flowFromWire(flow: WireFlow): Flow {
  return {
    key: flow.key,
    concurrency: flow.concurrency,
    rate: flow.rate,
    breaker: flow.breaker,
    paused: flow.paused,
    pausedUntil: dateOrNull(flow.paused_until),
    waiting: flow.waiting,
    running: flow.running,
    oldestWaitingSince: dateOrNull(flow.oldest_waiting_since),
    revision: flow.revision,
    createdAt: new Date(flow.created_at),
    updatedAt: new Date(flow.updated_at),
  };
}

const LIMITS: Fields<FlowLimits> = { concurrency: true, rate: true, breaker: true, paused: true };

/** The body of put. What is undefined is not sent. */
export function limitsToWire(limits: FlowLimits): object {
  checkFields("A flow's limits", limits, LIMITS);
  const { concurrency, rate, breaker, paused } = limits;
  return { concurrency, rate, breaker, paused };
}
