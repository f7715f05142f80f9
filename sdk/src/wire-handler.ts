// Where the API's snake_case meets the SDK's camelCase for handlers; see wire.ts.

import type { HandlerStatus } from "./handler-status.ts";
import { dateOrNull } from "./wire.ts";

/** A handler as the API writes it. */
export interface WireHandler {
  handler: string;
  unavailable: boolean;
  waiting: number | null;
  oldest_due_at: string | null;
  last_poll_at: string | null;
  workers: { worker_id: string; last_poll_at: string }[] | null;
}

export function handlerFromWire(wire: WireHandler): HandlerStatus {
  const { handler, unavailable, waiting, workers } = wire;
  if (unavailable || waiting === null || workers === null)
    return { handler, unavailable: true, waiting: null, oldestDueAt: null, lastPollAt: null, workers: null };
  return {
    handler,
    unavailable: false,
    waiting,
    oldestDueAt: dateOrNull(wire.oldest_due_at),
    lastPollAt: dateOrNull(wire.last_poll_at),
    workers: workers.map((one) => ({ workerId: one.worker_id, lastPollAt: new Date(one.last_poll_at) })),
  };
}
