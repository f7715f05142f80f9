// What a client says of a flow: its limits, checked.

import * as v from "valibot";
import type { AskedFlow } from "../domain/flow.ts";
import { durationMs } from "../domain/schedule-time.ts";
import { invalid } from "../http/errors.ts";
import { integer, text } from "../http/fields.ts";
import { closed } from "../http/valid.ts";
import { duration } from "./work-input.ts";

/** A path with a flow's key. */
export const KeyParam = v.object({ key: text(255) });

export const FlowInput = closed({
  concurrency: v.nullish(integer(1, 1_000)),
  rate: v.nullish(closed({ limit: integer(1, 10_000), period: duration })),
  paused: v.nullish(v.boolean()),
  breaker: v.nullish(closed({ failures: integer(1, 100), pause: duration })),
});

const DAY_MS = 86_400_000;
const MAX_PERIOD_MS = 31 * DAY_MS;
const MAX_PAUSE_MS = 7 * DAY_MS;

/** The limits that were asked for. */
export function limitsOf(asked: v.InferOutput<typeof FlowInput>): AskedFlow {
  const { concurrency = null, rate = null, breaker = null, paused } = asked;
  if (rate && durationMs(rate.period) > MAX_PERIOD_MS) throw invalid("rate.period", "Must be at most 31 days.");
  if (breaker && durationMs(breaker.pause) > MAX_PAUSE_MS)
    throw invalid("breaker.pause", "Must be at most seven days.");
  return { concurrency, rate, breaker, paused: paused ?? undefined };
}
