// A flow as the API shows it (contract §8).

import type { FlowView } from "./flow.ts";
import { formatInstant } from "./instant.ts";

export const showFlow = (flow: FlowView) => ({
  key: flow.key,
  concurrency: flow.concurrency,
  rate: flow.rate,
  breaker: flow.breaker,
  paused: flow.paused,
  paused_until: flow.pausedUntil === null ? null : formatInstant(flow.pausedUntil),
  waiting: flow.waiting,
  running: flow.running,
  oldest_waiting_since: flow.oldestWaitingSince === null ? null : formatInstant(flow.oldestWaitingSince),
  revision: flow.revision,
  created_at: formatInstant(flow.createdAt),
  updated_at: formatInstant(flow.updatedAt),
});
